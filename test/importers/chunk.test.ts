import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Data, DataType, Table } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { importFile, openTrace } from '../../dist/importers/open.js';
import { memoryWriter, readTrace } from '../../src/events/file.js';
import type { Log } from '../../src/events/log.js';
import { newMeta, type TraceMeta } from '../../src/events/meta.js';
import { adapt, appendPart, memoryOf, partOf } from '../../src/events/parts.js';
import { giveMemory } from '../../src/events/spare.js';
import type { Trace } from '../../src/events/trace.js';
import { newState } from '../../src/importers/ftrace/state.js';
import { finish, readLines } from '../../src/importers/ftrace/text.js';
import { inputOf } from '../../src/importers/importer.js';
import { importers } from '../../src/importers/index.js';
import type { Place } from '../../src/importers/lines.js';
import { canMerge, mergeChunk, readChunk } from '../../src/importers/threads/chunk.js';
import { newCutter } from '../../src/importers/threads/cut.js';
import { sample } from '../traces.js';
import { lineOf, rowsFor, type Style } from './ftrace-writer.js';

/** Bytes [at, at + n) bits of a bitmap, one a byte; all set without one. */
const bitsOf = (bits: Uint8Array | undefined, n: number): Uint8Array =>
  Uint8Array.from({ length: n }, (_, i) => (bits?.length ? (bits[i >> 3]! >> (i & 7)) & 1 : 1));

const dataOf = ({ nullBitmap, valueOffsets, values }: Data) => ({
  nullBitmap,
  valueOffsets,
  values,
});

/** All that a reading gives, as one number: wherever batches are cut, the columns one after the other. */
async function digestOf(read: (log: Log, meta: TraceMeta) => Promise<void>) {
  const meta = newMeta('x', 'ftrace');
  const writer = memoryWriter(meta);
  await read(writer.log, meta);
  const { batches } = writer.finish(meta);
  const hash = createHash('sha256').update(JSON.stringify(meta));
  for (const { values } of Object.values(writer.log.dicts)) hash.update(JSON.stringify(values));
  for (const [k, { type }] of batches[0]?.schema.fields.entries() ?? []) {
    const parts = batches.map(({ data, numRows }) => ({ ...dataOf(data.children[k]!), numRows }));
    for (const { nullBitmap, numRows } of parts) hash.update(bitsOf(nullBitmap, numRows));
    for (const { valueOffsets: o, numRows } of parts)
      for (let i = 0; o && i < numRows; i++) hash.update(String(o[i + 1]! - o[i]!));
    for (const { values, numRows } of parts)
      hash.update(DataType.isBool(type) ? bitsOf(values, numRows) : values);
  }
  return hash.digest('hex');
}

async function* inPieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 4096) yield bytes.subarray(at, at + 4096);
}

/** Read by chunks of `size`, one after the other; how many were taken as they were? */
async function byChunks(bytes: Uint8Array, size: number) {
  let taken = 0;
  const digest = await digestOf(async (log, meta) => {
    const cut = newCutter(inPieces(bytes), 1 << 11);
    const s = newState(log, meta);
    let place: Place = { line: 0, offset: 0 };
    for (let next = await cut.next(size); next !== null; next = await cut.next(size)) {
      const job = { bytes: next, offset: place.offset, tracer: s.tracer };
      const read = place.offset === 0 ? null : await readChunk(job);
      if (read && canMerge(s, read.chunk)) {
        const merged = mergeChunk(s, structuredClone(read.chunk), place);
        place = merged.place;
        for (const batch of read.batches) {
          adapt(batch, merged.ids, log.total);
          appendPart(log, structuredClone(partOf(batch)));
        }
        taken++;
      } else place = await readLines(s, [next], place);
    }
    await readLines(s, cut.rest(), place);
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

/** A text without an event is refused. */
const event = '              sh-1       [000] .....     0.000001: sched_wakeup: comm=a';

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
      const bytes = new TextEncoder().encode(`# tracer: nop\n${[event, ...lines].join('\n')}`);
      const got = await byChunks(bytes, size);
      expect(got.digest).toBe(await whole(bytes));
      taken += got.taken;
    }),
    { numRuns: 100, endOnFailure: true },
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

const folder = mkdtempSync(join(tmpdir(), 'ptlab-chunk-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Import a file by threads, to a file and in memory; gives both traces. */
async function imported(path: string, jobs: number) {
  const out = join(folder, 'out.arrow');
  let progress = 0;
  await importFile(path, out, { jobs, onProgress: (done) => (progress = done) });
  expect(progress).toBe(statSync(path).size);
  return [readTrace(out), await openTrace(path, { jobs })];
}

/** All columns of a trace as values, and what is known of it. */
const contentOf = ({ batches, meta }: Trace) => {
  const table = new Table(batches);
  const hash = createHash('sha256');
  for (const { name } of table.schema.fields) {
    const values: unknown = table.getChild(name)!.toArray();
    hash.update(ArrayBuffer.isView(values) ? values : (values as unknown[]).join());
  }
  return { meta, rows: table.numRows, columns: hash.digest('hex') };
};

const odd = Buffer.from('Subject: a mail begins\nCPU:1 [LOST 5 EVENTS]\nwhat is this?\n');
const middle = (bytes: Buffer): number => bytes.indexOf(10, bytes.length >> 1) + 1;

const texts: Readonly<Record<string, () => Buffer>> = {
  'plain, so long that memory is used again': () => Buffer.concat([text(), text()]),
  packed: () => gzipSync(text()),
  'not plain from the middle on': () => {
    const at = middle(text());
    return Buffer.concat([text().subarray(0, at), odd, text().subarray(at)]);
  },
  'without a newline at its end': () => text().subarray(0, -1),
};

test.each(Object.keys(texts))(
  'threads give the same table: %s',
  async (name) => {
    const path = join(folder, 'trace.txt');
    writeFileSync(path, texts[name]!());
    const alone = (await imported(path, 1)).map(contentOf);
    expect(alone[0]).toEqual(alone[1]);
    expect(alone[0]!.meta.seen).toBeGreaterThan(70_000);
    for (const jobs of name.startsWith('plain') ? [2, 3] : [2])
      for (const t of await imported(path, jobs)) expect(contentOf(t)).toEqual(alone[0]);
  },
  60_000,
);

test.each([1, 2, 3])('a file that cannot be written ends the import, %i threads', (jobs) => {
  const [path, out] = [join(folder, 'trace.txt'), join(folder, 'small.arrow')];
  writeFileSync(path, Buffer.concat([text(), text()]));
  const script = `trap '' XFSZ; ulimit -f 4000; exec node dist/cli.js import "$1" -o "$2" --jobs ${jobs}`;
  const { status, stderr } = spawnSync('bash', ['-c', script, '-', path, out], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain(`ptlab: ${out}: EFBIG`);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(readdirSync(folder).filter((f) => f.startsWith('small'))).toEqual([]);
});

test('memory that is given back is what the next chunk fills, also that of long texts', async () => {
  const line = `${event} ${'x'.repeat(1500)}\n`;
  const bytes = new TextEncoder().encode(line.repeat(3000));
  const seen = new Set<ArrayBuffer>();
  const sizes: number[] = [];
  for (let round = 0; round < 6; round++) {
    const { batches } = await readChunk({ bytes, offset: 0, tracer: null });
    for (const batch of batches) {
      const memory = memoryOf(partOf(batch));
      for (const m of memory) seen.add(m);
      giveMemory(memory);
    }
    sizes.push(seen.size);
  }
  expect(sizes[5]).toBe(sizes[0]);
});
