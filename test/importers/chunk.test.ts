import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { importFile } from '../../dist/importers/open.js';
import { memoryWriter } from '../../src/events/file.js';
import type { Log } from '../../src/events/log.js';
import { newMeta, type TraceMeta } from '../../src/events/meta.js';
import { isPlain, mergeChunk, readChunk } from '../../src/importers/chunk.js';
import { finish, readLines } from '../../src/importers/ftrace.js';
import { newState } from '../../src/importers/ftrace-text.js';
import { accessOf, inputOf } from '../../src/importers/importer.js';
import { importers } from '../../src/importers/index.js';
import { boundaryAt } from '../../src/importers/threads.js';
import { sample } from '../traces.js';
import { lineOf, rowsFor, type Style } from './ftrace-writer.js';

/** All that a reading gives, as one number. */
async function digestOf(read: (log: Log, meta: TraceMeta) => Promise<void>) {
  const meta = newMeta('x', 'ftrace');
  const writer = memoryWriter(meta);
  await read(writer.log, meta);
  const { batches } = writer.finish(meta);
  const hash = createHash('sha256').update(JSON.stringify(meta));
  for (const { values } of Object.values(writer.log.dicts)) hash.update(JSON.stringify(values));
  for (const batch of batches) {
    hash.update(String(batch.numRows));
    for (const { values, nullBitmap, valueOffsets, nullCount } of batch.data.children) {
      hash.update(String(nullCount));
      for (const part of [values, nullBitmap, valueOffsets]) if (part) hash.update(part);
    }
  }
  return hash.digest('hex');
}

/** Read by chunks of `size`, one after the other; how many were taken as they were? */
async function byChunks(bytes: Uint8Array, size: number) {
  let taken = 0;
  const digest = await digestOf(async (log, meta) => {
    const file = accessOf(bytes);
    const s = newState(log, meta);
    let begin = boundaryAt(file, size);
    let place = await readLines(s, [bytes.subarray(0, Math.max(0, begin))]);
    while (begin >= 0 && begin < bytes.length && isPlain(s)) {
      const end = boundaryAt(file, begin + size);
      if (end < 0) break;
      const chunk = structuredClone(await readChunk([bytes.subarray(begin, end)], s.tracer, begin));
      if (!chunk.plain) break;
      place = mergeChunk(s, chunk, place, end);
      begin = end;
      taken++;
    }
    await readLines(s, [bytes.subarray(place.offset)], place);
    finish(s);
  });
  return { digest, taken };
}

const whole = (bytes: Uint8Array) =>
  digestOf((log, meta) => importers.ftrace.read(inputOf('x', bytes), log, meta));

const style: Style = {
  flags: 5, tgid: true, latency: false, report: false, nanoseconds: false, quote: '', newline: '\n',
}; // biome-ignore format: a table

const between = fc.constantFrom(
  '##### CPU 2 buffer started ####', 'CPU:1 [LOST 5 EVENTS]', 'CPU:0 [LOST EVENTS]', 'what is this?', '',
  '              sh-1       [000] .....     1.000000: <stack trace>', ' => one', ' => two',
  '[UNKNOWN EVENT][UNKNOWN EVENT] (NULL):               [UNKNOWN EVENT]', '[   12.345] console: hello',
  '>           bash-42      [003] d..1.    12.345678: sched_wakeup: comm=a pid=1 prio=2', '> target_cpu=1',
); // biome-ignore format: a list

/** What makes a chunk depend on what comes before it. */
const reaching = fc.constantFrom(
  ' 0)               |  f() {', ' 0)   1.000 us    |  }', 'Subject: x', '<html>', '<pre>', 'PROCESS DUMP',
  '# tracer: function', '# entries-in-buffer/entries-written: 3/10   #P:8', 'cpus=4',
); // biome-ignore format: a list

test('read by chunks, a text gives the same bytes as read in one go', async () => {
  let taken = 0;
  const line = fc.oneof(
    { weight: 30, arbitrary: rowsFor(style).map((rows) => rows.map((r) => lineOf(r, style)).join('\n')) },
    { weight: 12, arbitrary: between },
    { weight: 1, arbitrary: reaching },
  ); // biome-ignore format: a table
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.integer({ min: 1, max: 1500 }), async (lines, size) => {
      const bytes = new TextEncoder().encode(`# tracer: nop\n${lines.join('\n')}`);
      const got = await byChunks(bytes, size);
      expect(got.digest).toBe(await whole(bytes));
      taken += got.taken;
    }),
    { numRuns: 100 },
  ); // biome-ignore format: short
  expect(taken).toBeGreaterThan(100);
});

const text = (): Buffer => gunzipSync(readFileSync(sample('B2-x2b-2readers')));

test('a recorded trace by chunks, over the ends of batches', async () => {
  const bytes = text();
  const { digest, taken } = await byChunks(bytes, 100_000);
  expect(taken).toBeGreaterThan(20);
  expect(digest).toBe(await whole(bytes));
});

test('threads give the same file, and say how far they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-chunk-'));
  const path = join(folder, 'trace.txt');
  writeFileSync(path, text());
  const files: Buffer[] = [];
  for (const jobs of [1, 2, 3]) {
    const out = join(folder, `${jobs}.arrow`);
    let progress = 0;
    const meta = await importFile(path, out, { jobs, onProgress: (done) => (progress = done) });
    expect(progress).toBe(text().length);
    expect(meta.seen).toBeGreaterThan(70_000);
    files.push(readFileSync(out));
  }
  expect(Buffer.compare(files[0]!, files[1]!)).toBe(0);
  expect(Buffer.compare(files[0]!, files[2]!)).toBe(0);
  rmSync(folder, { recursive: true });
});
