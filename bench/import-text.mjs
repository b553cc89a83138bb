#!/usr/bin/env node
// Events per second of the ftrace importer, beside a loop with one regular expression per line and
// beside `wc -l`, on the same file in the same run; best of three each, one core.
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

async function best(run) {
  let least = Number.POSITIVE_INFINITY;
  let events = 0;
  for (let i = 0; i < 3; i++) {
    const t = performance.now();
    events = await run();
    least = Math.min(least, (performance.now() - t) / 1000);
  }
  return { events, seconds: least };
}

const path = process.argv[2] ?? grow(Number(process.argv[3] ?? 1_000_000));
const arrow = join(folder, 'x.arrow');
const ours = await best(async () => (await importFile(path, arrow)).seen);
const regex = await best(() => regexLoop(path));
const wc = await best(async () => Number.parseInt(spawnSync('wc', ['-l', path]).stdout, 10));

const row = (name, r) =>
  console.log(
    `${name.padEnd(24)} ${(r.events / 1e6).toFixed(2).padStart(7)} M ${r.seconds.toFixed(3).padStart(8)} s ` +
      `${(r.events / r.seconds / 1e6).toFixed(2).padStart(8)} M/s`,
  );
console.log(
  `${(statSync(path).size / 1e6).toFixed(0)} MB of text -> ${(statSync(arrow).size / 1e6).toFixed(0)} MB of Arrow`,
);
row('ptlab import (to a file)', ours);
row('one regex per line', regex);
row('wc -l', wc);
console.log(`ptlab / regex loop: ${(regex.seconds / ours.seconds).toFixed(2)} times as fast`);
console.log(`ptlab / wc -l: ${(ours.seconds / wc.seconds).toFixed(1)} times as long`);
console.log(`peak memory: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
rmSync(folder, { recursive: true });
