// Tables as other tools write them: what can be read is, the rest is refused by name of the cause.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Binary, type DataType, DateDay, Dictionary, DurationMillisecond, Int8, Int64, makeData, Schema, Table, TimestampMicrosecond,
  TimestampMillisecond, TimestampNanosecond, TimestampSecond, tableFromIPC, tableToIPC, Uint64, Utf8, Vector, vectorFromArray,
} from 'apache-arrow'; // biome-ignore format: a list
import { Message as FbMessage } from 'apache-arrow/fb/message';
import { Schema as FbSchema } from 'apache-arrow/fb/schema';
import fc from 'fast-check';
import { Builder } from 'flatbuffers';
import { expect, test } from 'vitest';
import { asInteger } from '../../src/events/copy.js';
import { writeTrace } from '../../src/events/file.js';
import { readIpc } from '../../src/events/ipc-read.js';
import { addGap } from '../../src/events/meta.js';
import type { Trace } from '../../src/events/trace.js';
import { choose } from '../../src/importers/choose.js';
import { openTrace } from '../../src/importers/open.js';
import { readBytes, readFtrace, rowsOf } from '../traces.js';
import { lz4, view, zstd } from './foreign-arrow.js';

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const csv = async (text: string | Uint8Array, piece?: number) => {
  const trace = await readBytes('csv', typeof text === 'string' ? Buffer.from(text) : text, piece);
  const rows = rowsOf(trace).map(({ seq, ...row }) => row);
  return { rows, notes: trace.meta.notes.join('; '), bad: trace.meta.unparsed.lines };
};
const arrow = (columns: Record<string, ReturnType<typeof vectorFromArray>>) =>
  readBytes('arrow', tableToIPC(new Table(columns), 'stream'));

test('points in time are exact nanoseconds, whatever their unit', async () => {
  const units: [DataType, bigint, bigint][] = [
    [new TimestampSecond(), 1_700_000_000n, 1_700_000_000_000_000_000n],
    [new TimestampMillisecond(), 1_700_000_000_001n, 1_700_000_000_001_000_000n],
    [new TimestampMicrosecond('UTC'), 1_700_000_000_000_001n, 1_700_000_000_000_001_000n],
    [new TimestampNanosecond('Europe/Berlin'), 1_700_000_000_000_000_001n, 1_700_000_000_000_000_001n],
    [new DurationMillisecond(), -5n, -5_000_000n],
  ]; // biome-ignore format: a table
  for (const [type, value, ns] of units) {
    const stamps = vectorFromArray([value, null], new Int64());
    const data = stamps.data[0]!;
    const timed = new (stamps.constructor as never as new (d: unknown[]) => typeof stamps)([
      Object.assign(Object.create(Object.getPrototypeOf(data)), data, { type }),
    ]);
    const trace = await arrow({ ts_ns: timed, event: vectorFromArray(['a', 'b']) });
    expect(rowsOf(trace), String(type)).toMatchObject([{ ts_ns: ns, event: 'a' }]);
    expect(trace.meta.unparsed.lines, String(type)).toBe(1);
  }
  const days = vectorFromArray([new Date(0)], new DateDay());
  await expect(arrow({ ts_ns: days, event: vectorFromArray(['a']) })).rejects.toThrow(
    "column 'ts_ns' is Date",
  );
});

test('Arrow packed with zstd or LZ4, and texts as views; 64-bit dictionaries are refused', async () => {
  for (const packed of [zstd, lz4]) {
    const trace = await readBytes('arrow', bytes(packed));
    expect(rowsOf(trace).map((r) => [r['ts_ns'], r['event']])).toEqual(
      Array.from({ length: 64 }, (_, i) => [BigInt(i), 'a']),
    );
  }
  const views = await readBytes('arrow', bytes(view));
  expect(rowsOf(views).map((r) => r['event'])).toEqual(['a', 'a text of more than twelve']);
  expect(views.meta.unparsed.lines).toBe(1);
  const [stamps, texts] = [vectorFromArray([1n]), vectorFromArray(['a'])];
  const type = new Dictionary(new Utf8(), new Uint64() as never);
  const indices = { type, length: 1, nullCount: 0, data: new BigUint64Array(1), dictionary: texts };
  const wide = new Vector([makeData(indices as never)]);
  await expect(arrow({ ts_ns: stamps, event: wide as never })).rejects.toThrow('64-bit indices');
  const event = vectorFromArray(['a'], new Dictionary(new Utf8(), new Int8()));
  expect(rowsOf(await arrow({ ts_ns: vectorFromArray([1n]), event }))).toMatchObject([
    { event: 'a' },
  ]);
  const raw = vectorFromArray([Buffer.from('é')], new Binary());
  expect(rowsOf(await arrow({ ts_ns: vectorFromArray([1n]), event: raw }))).toMatchObject([
    { event: 'é' },
  ]);
});

test("ptlab's own trace, written again by another tool, is read by its columns and keeps what it says", async () => {
  const trace = await readFtrace(
    ['1.1: a: x', '1.2: b: y', '1.3: c: z'].map((l) => `            cat-7       [001] ..... ${l}`).join('\n'),
  );
  addGap(trace.meta, { cpu: 1, seq: 2, lost: 5 });
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-again-'));
  const path = join(folder, 'x.arrow');
  writeTrace(path, trace);
  const table = tableFromIPC(readFileSync(path));
  const again = async (columns: string[], from = 0): Promise<Trace> => {
    const { schema } = table.select(columns);
    const part = new Table(new Schema(schema.fields, table.schema.metadata), table.slice(from).select(columns).batches);
    writeFileSync(path, tableToIPC(part, 'file'));
    return openTrace(path);
  };
  try {
    const fewer = await again(['event', 'ts_ns', 'cpu']);
    expect(rowsOf(fewer).map((r) => [r['event'], r['cpu'], r['seq']])).toEqual([['a', 1, 0], ['b', 1, 1], ['c', 1, 2]]);
    expect([fewer.meta.lost, fewer.meta.gaps, fewer.meta.notes]).toEqual([5, trace.meta.gaps, []]);
    const cut = await again(['event', 'ts_ns'], 1);
    expect([cut.meta.lost, cut.meta.gaps, cut.meta.seen]).toEqual([5, [], 2]);
    expect(cut.meta.notes).toEqual(['its 1 gaps are left out: they are places among 3 rows, of which it has 2']);
  } finally {
    rmSync(folder, { recursive: true });
  }
}); // biome-ignore format: short

test('numbers in the other byte order are refused, not misread', async () => {
  const b = new Builder();
  const fields = FbSchema.createFieldsVector(b, []);
  const schema = FbSchema.createSchema(b, 1, fields, 0, 0);
  b.finish(FbMessage.createMessage(b, 4, 1, schema, 0n, 0)); // version 5, a schema
  const message = b.asUint8Array();
  const start = new Uint8Array(new Int32Array([-1, message.length]).buffer);
  const stream = new Uint8Array(Buffer.concat([start, message, new Uint8Array(8)]));
  await expect(readBytes('arrow', stream)).rejects.toThrow('its numbers are big-endian');
});

test('any damage to a packed stream, or to one of views, ends in whole rows or in an error', () => {
  for (const whole of [bytes(zstd), bytes(lz4), bytes(view)])
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const damaged = whole.slice();
        damaged[at] = value;
        try {
          const { batches } = readIpc(damaged, (_, packed, size) => {
            if (size > 1 << 20) throw new Error('too large');
            return packed.length > 0 ? new Uint8Array(size) : packed;
          });
          for (const b of batches) for (let i = 0; i < b.numRows; i++) b.get(i)?.toJSON();
        } catch (e) {
          expect(e).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 300 },
    );
});

test('CSV between other delimiters, with other ends of lines and a mark of UTF-8', async () => {
  const want = [
    { ts_ns: 1n, event: 'a,b;c\t|', detail: 'two\nlines', cpu: 3 },
    { ts_ns: 2n, event: 'b' },
  ];
  for (const d of [',', ';', '\t', '|'])
    for (const end of ['\n', '\r\n', '\r'])
      for (const piece of [1, 7, 4096]) {
        const lines = ['ts_ns,event,detail,cpu', '1,"a;b",2,3', '2,b,,'].map((l) =>
          l.replaceAll(',', d),
        );
        lines[1] = ['1', '"a,b;c\t|"', '"two\nlines"', '3'].join(d);
        const got = await csv(Buffer.from(`\ufeff${lines.join(end)}${end}`), piece);
        expect(got, JSON.stringify([d, end, piece])).toEqual({ rows: want, notes: '', bad: 0 });
      }
});

test('CSV: what is odd is told', async () => {
  expect(await csv('ts_ns,event\n1e3,a\n1.5e1,b\n2.0,c\n1.5,d\n,e\n')).toEqual({
    rows: [{ ts_ns: 1000n, event: 'a' }, { ts_ns: 15n, event: 'b' }, { ts_ns: 2n, event: 'c' }], notes: '', bad: 2,
  }); // biome-ignore format: short
  const rounded = await csv(
    'ts_ns,event,va\n1.7e+18,a,1.8446744073709e+19\n5,b,18446744073709551615\n',
  );
  expect(rounded.rows).toMatchObject([
    { ts_ns: 1_700_000_000_000_000_000n },
    { va: 18446744073709551615n },
  ]);
  expect(rounded.rows[0]).not.toHaveProperty('va');
  expect(rounded.notes).toMatch(/ts_ns: 1 stamps went through a double.*va: 1 values do not fit/);
  expect((await csv('ts_ns,event,detail\n1,a,"x\n2,b,y\n')).notes).toBe(
    'the quote in the record of line 2 is never closed; all behind it is one cell',
  );
  expect((await csv('ts_ns,event\n1\n2,b,c\n3,d\n')).notes).toMatch(
    /^2 records have more or fewer cells than/,
  );
  expect((await csv(Buffer.from('ts_ns,event\n1,\xe9\n', 'latin1'))).notes).toMatch(/not UTF-8/);
  await expect(csv('ts_ns,event,cpu,cpu\n1,a,2,3\n')).rejects.toThrow("two columns 'cpu'");
  await expect(csv('ts_ns,cpu\n1,2\n')).rejects.toThrow(
    "without a column 'event'; it has ts_ns, cpu",
  );
});

test('a cell of any number is exact or nothing', () => {
  fc.assert(
    fc.property(fc.bigInt(-(1n << 70n), 1n << 70n), fc.nat(6), (v, zeros) => {
      expect(asInteger(String(v))).toBe(v);
      expect(asInteger(`${v}.${'0'.repeat(zeros)}`, true)).toBe(v);
      expect(asInteger(`${v}e${zeros}`, true)).toBe(v * 10n ** BigInt(zeros));
      expect(asInteger(`${v}.5`)).toBe(null);
      const double = Number(v);
      expect(asInteger(double)).toBe(Number.isSafeInteger(double) ? v : null);
    }),
  );
});

test.each([
  ['FEA1\0\0', 'a Feather file of version 1'], ['ORC\x0a', 'an ORC file'], ['Obj\x01', 'an Avro file'],
  ['[{"ts_ns": 1}]', 'JSON'], ['{"ts_ns":1}\n{"ts_ns":2}\n', 'JSON'], ['{}', 'JSON'],
  ['SQLite format 3\0', 'an SQLite database'], ['PK\x03\x04', 'a zip archive'], ['BZh91AY', 'bzip2'],
])('%j is refused by name', (head, what) => {
  const wide = new Uint8Array(Buffer.from(head.padEnd(64, ' '), 'latin1'));
  expect(() => choose('x', wide)).toThrow(`x: this is ${what}`.replace('is bzip2', 'is packed with bzip2'));
}); // biome-ignore format: a table
