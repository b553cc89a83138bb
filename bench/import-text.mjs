#!/usr/bin/env node
// Events per second of the ftrace importer, beside a loop with one regular expression per line and beside `wc
// -l`, on the same file in the same run; best of five each, taken in turns. The loop reads lines with
// node:readline and takes eight groups out of each (comm, pid, CPU, flags, stamp in two, event, text), four of them as
// numbers; it leaves the text of the event as it is and keeps the last line only. The importer, on one thread,
// takes the texts of known events apart into typed columns too, hashes the file, and writes an Arrow file. The
// ratios are of CPU time (user + system, all threads of the process), which a busy machine disturbs less than
// wall time. `wc`, another process, has wall time only.
// node bench/import-text.mjs [TRACE.txt] [EVENTS]
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { importFile } from '../dist/index.js';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const sample = join(home, 'data', 'B2-x2b-2readers', 'trace.txt.gz');
const folder = mkdtempSync(join(tmpdir(), 'ptlab-bench-'));

/** The sample's lines again and again, `events` of them: no line is made up. */
function grow(events) {
  const text = gunzipSync(readFileSync(sample)).toString();
  const lines = text.split('\n').filter((l) => l !== '' && !l.startsWith('#'));
  const block = Buffer.from(`${lines.join('\n')}\n`);
  const path = join(folder, 'trace.txt');
  const fd = openSync(path, 'w');
  for (let n = 0; n < events; n += lines.length) writeSync(fd, block);
  closeSync(fd);
  return path;
}

/** The peer: what a developer would write in a minute. */
async function regexLoop(path) {
  const pattern = /^\s*(.+)-(\d+)\s+\[(\d+)\]\s+(\S+)\s+(\d+)\.(\d+): (\S+): (.*)$/;
  const rows = { events: 0, last: null };
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const m = pattern.exec(line);
    if (m)
      rows.last = {
        comm: m[1],
        pid: +m[2],
        cpu: +m[3],
        ts: +m[5] * 1e6 + +m[6],
        event: m[7],
        text: m[8],
      };
    if (m) rows.events++;
  }
  return rows.events;
}

/** Run once; keep the least wall and CPU time seen. */
async function measure(r) {
  const t = performance.now();
  const c = process.cpuUsage();
  r.events = await r.run();
  const { user, system } = process.cpuUsage(c);
  r.wall = Math.min(r.wall ?? Number.POSITIVE_INFINITY, (performance.now() - t) / 1000);
  r.cpu = Math.min(r.cpu ?? Number.POSITIVE_INFINITY, (user + system) / 1e6);
}

const path = process.argv[2] ?? grow(Number(process.argv[3] ?? 1_000_000));
const arrow = join(folder, 'x.arrow');
const ours = { run: async () => (await importFile(path, arrow, { jobs: 1 })).seen };
const regex = { run: () => regexLoop(path) };
const wc = { run: async () => Number.parseInt(spawnSync('wc', ['-l', path]).stdout, 10) };
for (let i = 0; i < 5; i++) for (const r of [ours, regex, wc]) await measure(r);

const row = (name, r, cpu = `${r.cpu.toFixed(3)} s CPU`) =>
  console.log(
    `${name.padEnd(24)} ${(r.events / 1e6).toFixed(2).padStart(6)} M ${r.wall.toFixed(3).padStart(8)} s wall` +
      `${cpu.padStart(13)} ${(r.events / r.wall / 1e6).toFixed(2).padStart(7)} M/s`,
  );
console.log(
  `${(statSync(path).size / 1e6).toFixed(0)} MB of text -> ${(statSync(arrow).size / 1e6).toFixed(0)} MB of Arrow`,
);
row('ptlab import (to a file)', ours);
row('one regex per line', regex);
row('wc -l', wc, '');
console.log(`ptlab / regex loop, CPU time: ${(regex.cpu / ours.cpu).toFixed(2)} times as fast`);
console.log(`ptlab / wc -l, wall time: ${(ours.wall / wc.wall).toFixed(1)} times as long`);
console.log(`peak memory: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
rmSync(folder, { recursive: true });
