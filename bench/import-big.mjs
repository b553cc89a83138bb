#!/usr/bin/env node
// Memory of the text import on a file larger than memory should matter for: a trace of so many gigabytes
// (the sample's lines again and again, each round later than the last), imported in a process of its own.
//   node bench/import-big.mjs [GB, default 5] [most MB of memory, default 2048] [threads, default 1,2]
// Threads are held against what the machine's processors give at all: two imports side by side, one thread each.
// Wants GB x 5 of free disk in the temporary folder, or in TMPDIR. Fails if it takes more memory.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const [gb = 5, most = 2048] = process.argv.slice(2, 4).map(Number);
const threads = (process.argv[4] ?? '1,2').split(',').map(Number);
const { bavail, bsize } = statfsSync(tmpdir());
if (bavail * bsize < gb * 5e9) {
  console.error(
    `${tmpdir()} has ${((bavail * bsize) / 1e9).toFixed(0)} GB free; ${gb * 5} are wanted`,
  );
  process.exit(2);
}

/** Byte at which each line starts. */
function starts(lines) {
  let at = 0;
  return lines.map((l) => (at += Buffer.byteLength(l) + 1) - Buffer.byteLength(l) - 1);
}

/** Write the sample's lines until there are `bytes`; each round ten seconds later. */
function generate(path, bytes) {
  const sample = gunzipSync(readFileSync(here('../data/B2-x2b-2readers/trace.txt.gz'))).toString();
  const lines = sample.split('\n').filter((l) => l !== '' && !l.startsWith('#'));
  const block = Buffer.from(`${lines.join('\n')}\n`);
  // '%5lu.%06lu', and the sample ends before its tenth second: four blanks stand before the digit
  const places = [];
  for (const [i, start] of starts(lines).entries())
    places.push(start + lines[i].search(/ {4}\d\.\d{6}: /));
  const fd = openSync(path, 'w');
  let events = 0;
  for (let size = 0, round = 0; size < bytes; round++) {
    const tens = String(round).padStart(4);
    for (const at of places) block.write(tens, at, 'latin1');
    size += writeSync(fd, block);
    events += lines.length;
  }
  closeSync(fd);
  return events;
}

function measure(text, arrow, events, jobs) {
  const began = performance.now();
  const one = [here('./import-one.mjs'), text, arrow, String(jobs)];
  const r = spawnSync('/usr/bin/time', ['-f', '%U %S %M', 'node', ...one], { encoding: 'utf8' });
  const wall = (performance.now() - began) / 1000;
  if (r.status !== 0) throw new Error(r.stderr);
  const [user, system, kb] = r.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  const found = Number(r.stdout.split(' ')[0]);
  if (found !== events) throw new Error(`${found} events imported, ${events} written`);
  console.log(
    `${jobs} threads: ${wall.toFixed(1)} s wall, ${(user + system).toFixed(1)} s CPU, ` +
      `${(events / wall / 1e6).toFixed(2)} M events/s, peak memory ${(kb / 1024).toFixed(0)} MB; ` +
      `${(statSync(arrow).size / 1e9).toFixed(2)} GB of Arrow`,
  );
  if (kb / 1024 > most) throw new Error(`more than ${most} MB`);
  return events / wall;
}

/** Events per second of two imports at the same time, together. */
async function sideBySide(text, folder, events) {
  const began = performance.now();
  const ended = [1, 2].map((i) => {
    const args = [here('./import-one.mjs'), text, join(folder, `${i}.arrow`), '1'];
    return new Promise((done) => spawn('node', args).on('close', done));
  });
  if ((await Promise.all(ended)).some((status) => status !== 0))
    throw new Error('an import failed');
  return (2 * events) / ((performance.now() - began) / 1000);
}

const times = (a, b) => `${(a / b).toFixed(2)} times`;

const folder = mkdtempSync(join(tmpdir(), 'ptlab-big-'));
try {
  const [text, arrow] = [join(folder, 'trace.txt'), join(folder, 'x.arrow')];
  const events = generate(text, gb * 1e9);
  console.log(`${events} events in ${(statSync(text).size / 1e9).toFixed(2)} GB of text`);
  const rates = threads.map((jobs) => measure(text, arrow, events, jobs));
  if (threads.length > 1) {
    rmSync(arrow);
    const limit = await sideBySide(text, folder, events);
    const rate = Math.max(...rates.slice(1));
    console.log(
      `more threads than ${threads[0]}: ${times(rate, rates[0])} the events per second; ` +
        `two imports side by side: ${times(limit, rates[0])}, together`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
