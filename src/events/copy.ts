import type { RecordBatch } from 'apache-arrow';
import {
  addRow,
  type Log,
  putF64,
  putInt,
  putU64,
  setBool,
  setDict,
  setF64,
  setInt,
  setText,
  setTextBytes,
  setU64,
  setVa,
} from './log.js';
import { type ColumnName, columnNames, columns, type NameOf } from './schema.js';
import { cursor, dictValues, has, type Trace } from './trace.js';

/** Copies one column of row `i` of a batch into the current row of a log. */
type Copy = (i: number) => void;

/** Rows of one trace, ready to be appended to another log. */
export interface RowSource {
  readonly rows: number;
  /** Two 32-bit words of each stamp, high word signed. */
  readonly ts: Int32Array;
  /** Append row `i`. */
  append(i: number): void;
}

function columnCopy(batch: RecordBatch, name: ColumnName, log: Log, ids: Int32Array | null): Copy {
  const { kind } = columns[name];
  const index = columnNames.indexOf(name);
  if (kind === 'text') {
    const data = batch.getChild(name)!.data[0]!;
    const [offsets, bytes] = [data.valueOffsets as Int32Array, data.values as Uint8Array];
    return (i) => setTextBytes(log, name as NameOf<'text'>, bytes, offsets[i]!, offsets[i + 1]!);
  }
  if (kind === 'bool') {
    const v = batch.getChild(name)!;
    return (i) => setBool(log, name as NameOf<'bool'>, v.get(i) as boolean);
  }
  const values = cursor(batch, name).values as Int32Array | Float64Array;
  if (kind === 'dict') return (i) => putInt(log, index, ids![values[i]!]!);
  if (kind === 'f64') return (i) => putF64(log, index, values[i]!);
  if (kind === 'u64' || kind === 'i64') {
    return (i) => putU64(log, index, values[i * 2 + 1]!, values[i * 2]!);
  }
  return (i) => putInt(log, index, values[i]!);
}

/** Ids of a trace's dictionary in another log. */
function translate(trace: Trace, name: NameOf<'dict'>, log: Log): Int32Array {
  return Int32Array.from(dictValues(trace, name), (v) => log.dicts[name].intern(v));
}

/** Names every row's `source`; those that have one already (instances) keep it behind the name. */
function nameSource(batch: RecordBatch, trace: Trace, log: Log, name: string): Copy {
  const { intern } = log.dicts.source;
  const own = dictValues(trace, 'source').map((s) => intern(sourceName(name, s)));
  const plain = intern(name);
  const index = columnNames.indexOf('source');
  const c = cursor(batch, 'source');
  return (i) => putInt(log, index, has(c, i) ? own[c.values[i]!]! : plain);
}

/** `source` of rows of file `name`, which may have an instance's name. */
export const sourceName = (name: string, instance: string | undefined): string =>
  instance === undefined ? name : `${name}:${instance}`;

const every = { values: null, valid: null };

/** Make the rows of a trace ready for `log`; `source`: the file they come from, to be noted in each. */
export function rowSource(trace: Trace, log: Log, source?: string): RowSource {
  const ids = new Map<ColumnName, Int32Array>();
  for (const n of columnNames) {
    if (columns[n].kind === 'dict') ids.set(n, translate(trace, n as NameOf<'dict'>, log));
  }
  const { length: rows } = { length: trace.batches.reduce((n, b) => n + b.numRows, 0) };
  const ts = new Int32Array(rows * 2);
  const starts: number[] = [];
  let start = 0;
  const makers = trace.batches.map((batch) => {
    ts.set(
      new Int32Array((cursor(batch, 'ts_ns').values as Uint32Array).slice(0, batch.numRows * 2)),
      start * 2,
    );
    starts.push(start);
    start += batch.numRows;
    const apart = ['seq', 'ts_ns', 'event', ...(source === undefined ? [] : ['source'])];
    const names = columnNames.filter((n) => !apart.includes(n));
    const used = names.filter((n) => batch.getChild(n)!.nullCount < batch.numRows);
    const copies = used.map((n) => {
      const valid = cursor(batch, n);
      const copy = columnCopy(batch, n, log, ids.get(n) ?? null);
      return { valid, copy };
    });
    if (source !== undefined)
      copies.push({ valid: every as never, copy: nameSource(batch, trace, log, source) });
    return { copies, event: cursor(batch, 'event').values };
  });
  const eventIds = ids.get('event')!;
  const append = (i: number): void => {
    let b = starts.length - 1;
    while (starts[b]! > i) b--;
    const { copies, event } = makers[b]!;
    const row = i - starts[b]!;
    addRow(log, ts[i * 2 + 1]!, ts[i * 2]! >>> 0, eventIds[event[row]!]!);
    for (let k = 0; k < copies.length; k++) {
      const c = copies[k]!;
      if (has(c.valid, row)) c.copy(row);
    }
  };
  return { rows, ts, append };
}

/** '3.0' and '1.5e9', as tools write whole numbers of a column of doubles; null for what is not whole. */
function decimal(text: string): bigint | null {
  const m = /^([+-]?)(\d{1,40})(?:\.(\d{0,40}))?(?:e([+-]?\d{1,2}))?$/i.exec(text);
  if (!m) return null;
  const [, sign, whole, part = '', exponent = '0'] = m;
  const digits = whole! + part;
  const zeros = Number(exponent) - part.length;
  const cut = digits.length + Math.min(0, zeros);
  if (!/^0*$/.test(digits.slice(Math.max(0, cut)))) return null;
  const v = BigInt(digits.slice(0, Math.max(0, cut)) || '0') * 10n ** BigInt(Math.max(0, zeros));
  return sign === '-' ? -v : v;
}

/**
 * A whole number of any table; null for anything else, and for a double or its text beyond 2^53, which
 * lost its last digits, unless `rounded` numbers are good enough.
 */
export function asInteger(value: unknown, rounded = false): bigint | null {
  if (typeof value === 'bigint') return value;
  const isExact = rounded || Number.isSafeInteger(value);
  if (typeof value === 'number') return isExact && Number.isInteger(value) ? BigInt(value) : null;
  const text = String(value).trim();
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return BigInt(text);
  const v = decimal(text);
  const isDouble = /[.e]/i.test(text) && v !== null && !Number.isSafeInteger(Number(v));
  return isDouble && !rounded ? null : v;
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
};

/** Set a column of the current row from a value of any table; false if the value does not fit it. */
export function putValue(log: Log, name: ColumnName, value: unknown): boolean {
  const { kind } = columns[name];
  switch (kind) {
    case 'dict':
      setDict(log, name as NameOf<'dict'>, String(value));
      return true;
    case 'text':
      setText(log, name as NameOf<'text'>, String(value));
      return true;
    case 'bool': {
      const text = String(value).toLowerCase();
      if (!/^(true|false|1|0)$/.test(text)) return false;
      setBool(log, name as NameOf<'bool'>, text === 'true' || text === '1');
      return true;
    }
    case 'f64': {
      const v = Number(value);
      if (Number.isNaN(v) || String(value).trim() === '') return false;
      setF64(log, name as NameOf<'f64'>, v);
      return true;
    }
    case 'u64':
    case 'i64': {
      const v = asInteger(value);
      if (v === null || v >= 1n << 64n || v < -(1n << 63n)) return false;
      const n = BigInt.asUintN(64, v);
      const [hi, lo] = [Number(n >> 32n), Number(n & 0xffffffffn)];
      if (name === 'va') setVa(log, hi, lo);
      else setU64(log, name as NameOf<'u64'>, hi, lo);
      return true;
    }
    default: {
      const v = asInteger(value);
      const [low, high] = ranges[kind]!;
      if (v === null || v < low || v > high) return false;
      setInt(log, name as NameOf<'u32'>, Number(v));
      return true;
    }
  }
}
