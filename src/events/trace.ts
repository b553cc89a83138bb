import { type RecordBatch, Table } from 'apache-arrow';
import type { TraceMeta } from './meta.js';
import type { ColumnName, columns, NameOf } from './schema.js';

/** The recorded log of a run, simulated or measured. */
export interface Trace {
  readonly meta: TraceMeta;
  readonly batches: readonly RecordBatch[];
  /** The same batches as one Arrow table. */
  readonly table: Table;
}

export const newTrace = (meta: TraceMeta, batches: RecordBatch[]): Trace => ({
  meta,
  batches,
  table: new Table(batches),
});

/** One column of one batch as typed arrays, for loops that touch every row. */
export interface Cursor<V> {
  readonly values: V;
  /** Validity bitmap; null when every row has a value. */
  readonly valid: Uint8Array | null;
}

type ValuesOf<N extends ColumnName> = (typeof columns)[N]['kind'] extends 'f64'
  ? Float64Array
  : (typeof columns)[N]['kind'] extends 'u64' | 'i64'
    ? Uint32Array
    : Int32Array;

/**
 * Column `name` of a batch: doubles, 32-bit integers (dictionary ids, small integers), or for 64-bit
 * columns pairs of 32-bit words, low word first.
 */
export function cursor<N extends ColumnName>(batch: RecordBatch, name: N): Cursor<ValuesOf<N>> {
  const vector = batch.getChild(name);
  if (!vector) throw new Error(`this trace has no column '${name}'`);
  const data = vector.data[0]!;
  const raw = data.values as Int32Array | BigUint64Array;
  const wide = raw.BYTES_PER_ELEMENT === 8 && !(raw instanceof Float64Array);
  const values = wide ? new Uint32Array(raw.buffer, raw.byteOffset, raw.length * 2) : raw;
  const valid = data.nullCount > 0 ? shifted(data.nullBitmap!, data.offset) : null;
  return { values: values as never, valid };
}

/** Bitmaps of sliced batches start inside a byte; ours never do. */
function shifted(bitmap: Uint8Array, offset: number): Uint8Array {
  if (offset % 8 !== 0) throw new Error('sliced Arrow batches are not supported: use whole ones');
  return bitmap.subarray(offset >> 3);
}

/** Has row `i` a value? */
export const has = (c: Cursor<unknown>, i: number): boolean =>
  c.valid === null || ((c.valid[i >> 3]! >> (i & 7)) & 1) === 1;

/** 64-bit value of row `i`, exact. */
export const u64 = (c: Cursor<Uint32Array>, i: number): bigint =>
  (BigInt(c.values[i * 2 + 1]!) << 32n) | BigInt(c.values[i * 2]!);

/** Nanoseconds of row `i` as a double: exact below 2^53 ns (104 days), else to 512 ns. */
export const ns = (c: Cursor<Uint32Array>, i: number): number =>
  (c.values[i * 2 + 1]! | 0) * 0x100000000 + c.values[i * 2]!;

/** Texts of a dictionary column by id. */
export function dictValues(trace: Trace, name: NameOf<'dict'>): string[] {
  const last = trace.batches.at(-1);
  const dictionary = last?.getChild(name)?.data[0]?.dictionary;
  return dictionary ? Array.from(dictionary, String) : [];
}

/** Events by name, and by CPU: `{alloc_vmap_area: 417}`, `{'0': 533}`. */
export function counts(trace: Trace): {
  per_event: Record<string, number>;
  per_cpu: Record<string, number>;
} {
  const names = dictValues(trace, 'event');
  const byEvent = new Float64Array(names.length);
  const byCpu = new Map<number, number>();
  for (const b of trace.batches) {
    const event = cursor(b, 'event').values;
    const cpu = cursor(b, 'cpu');
    for (let i = 0; i < b.numRows; i++) {
      byEvent[event[i]!]!++;
      if (has(cpu, i)) byCpu.set(cpu.values[i]!, (byCpu.get(cpu.values[i]!) ?? 0) + 1);
    }
  }
  const cpus = [...byCpu].sort((a, b) => a[0] - b[0]).map(([c, n]) => [String(c), n]);
  const events = names.map((n, i) => [n, byEvent[i]!] as const).filter(([, n]) => n > 0);
  return { per_event: Object.fromEntries(events), per_cpu: Object.fromEntries(cpus) };
}

/** Earliest and latest stamp, exact; null for an empty trace. */
export function span(trace: Trace): { first: bigint; last: bigint } | null {
  let first: bigint | undefined;
  let last: bigint | undefined;
  for (const b of trace.batches) {
    const ts = b.getChild('ts_ns')!.data[0]!.values as BigInt64Array;
    for (const t of ts) {
      if (first === undefined || t < first) first = t;
      if (last === undefined || t > last) last = t;
    }
  }
  return first === undefined ? null : { first, last: last! };
}

/** Value of row `i` of a boolean column. */
export const bool = (c: Cursor<Int32Array>, i: number): boolean =>
  ((c.values[i >> 3]! >> (i & 7)) & 1) === 1;
