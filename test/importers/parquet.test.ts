import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { type Column, checkChunk } from '../../src/importers/parquet/check.js';
import { readBytes, rowsOf } from '../traces.js';

const varint = (v: number): number[] => (v < 128 ? [v] : [(v & 127) | 128, ...varint(v >>> 7)]);
const i32 = (v: number): number[] => [0x15, ...varint(((v << 1) ^ (v >> 31)) >>> 0)];

/** A data page with its header in Thrift's compact protocol. */
function page(values: number, encoding: number, body: readonly number[], size = body.length) {
  const data = [0x2c, ...i32(values), ...i32(encoding), ...i32(3), ...i32(3), 0];
  return Uint8Array.from([...i32(0), ...i32(size), ...i32(size), ...data, 0, ...body]);
}

const column: Column = {
  meta: {} as Column['meta'],
  optional: false,
  boolean: false,
  unpack: (bytes) => bytes,
};
const dictionary = 8;

test('pages are held against the rows before they are decoded', () => {
  const check = (bytes: Uint8Array, rows: number) => () => checkChunk(column, bytes, rows);
  const eight = [3, ...varint(8 << 1), 5]; // three bits wide; eight times the value 5
  expect(check(page(8, dictionary, eight), 8)).not.toThrow();
  expect(check(page(8, dictionary, eight), 9)).toThrow('8 values where there are 9 rows');
  expect(check(page(9, dictionary, eight), 8)).toThrow('a page of 9 rows where 8 are left');
  expect(check(page(-1, dictionary, eight), 8)).toThrow('a page of -1 rows');
  const huge = [3, ...varint(0x7fffffff), 5];
  expect(check(page(8, dictionary, huge), 8)).toThrow(/a run of \d+ values where 8 are left/);
  expect(check(page(8, dictionary, [3, ...varint(0x40000000 * 2 - 2), 5]), 8)).toThrow('a run of');
  expect(check(page(8, dictionary, [99, 0]), 8)).toThrow('values of 99 bits');
  expect(check(page(8, 0, [1]), 9)).toThrow('where there are 9 rows');
  expect(check(page(80, 0, [1]), 80)).toThrow('80 values in a page too short for them');
  expect(check(page(8, 5, [128, 1, 0]), 8)).toThrow('blocks of 128 values in 0 parts');
  expect(check(page(8, 7, [0]), 8)).toThrow('values in encoding 7; write them plain');
  expect(check(page(8, dictionary, eight, -5), 8)).toThrow('a page of -5 bytes');
  expect(check(page(8, dictionary, eight, 500), 8)).toThrow('a page of 500 bytes where 3 are left');
  expect(check(page(8, dictionary, eight).subarray(0, 7), 8)).toThrow(
    'a page header that is cut off',
  );
});

test('stamps that another tool keeps as points in time, and columns of its own', async () => {
  const writer = new ByteWriter();
  const micros = [5n, 1_000_000n, 1_700_000_000_123_456n];
  const schema = [
    { name: 'root', num_children: 3 },
    { name: 'ts_ns', type: 'INT64', converted_type: 'TIMESTAMP_MICROS', repetition_type: 'OPTIONAL' },
    { name: 'event', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    { name: 'mine', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  ] as const; // biome-ignore format: a table
  const parquet = new ParquetWriter({ writer, schema: [...schema] as never });
  parquet.write({
    columnData: [
      { name: 'ts_ns', data: micros },
      { name: 'event', data: ['a', 'b', 'a'] },
      { name: 'mine', data: [1, 2, 3] },
    ],
  });
  parquet.finish();
  const trace = await readBytes('parquet', writer.getBytes());
  expect(rowsOf(trace).map((r) => r['ts_ns'])).toEqual(micros.map((v) => v * 1000n));
  expect(trace.meta.notes).toEqual(['columns that are none of a trace were left out: mine']);
});
