import { batchRows, type Cells, endBatch, type Log, markRun, markSome } from './log.js';
import { columnNames, type NameOf } from './schema.js';

/** One column of a part: what of `Cells` another thread needs. */
interface PartColumn {
  /** Number of the column. */
  readonly at: number;
  /** Which rows have a value; null: all. */
  readonly valid: Uint8Array<ArrayBuffer> | null;
  readonly values: ArrayBuffer;
  readonly offsets: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Rows of one batch of another log, as plain values that can be handed to another thread. */
export interface Part {
  readonly length: number;
  readonly columns: readonly PartColumn[];
}

/** A batch that its log is done with, as a part; its arrays are shared, not copied. */
export function partOf(length: number, cells: readonly Cells[]): Part {
  const columns: PartColumn[] = [];
  for (const [at, c] of cells.entries()) {
    if (c.use === 'unset') continue;
    const { offsets, bytes } = c as unknown as PartColumn;
    const valid = c.use === 'thin' ? (c.valid as Uint8Array<ArrayBuffer>) : null;
    columns.push({ at, valid, values: c.values.buffer as ArrayBuffer, offsets, bytes });
  }
  return { length, columns };
}

/** The memory of a part, to be moved to another thread. */
export const memoryOf = (part: Part): ArrayBuffer[] =>
  part.columns.flatMap(({ valid, values, offsets, bytes }) =>
    [valid?.buffer, values, offsets.buffer, bytes.buffer].filter((b) => (b?.byteLength ?? 0) > 0),
  ) as ArrayBuffer[];

/** Rows [at, at + n) of a part go to rows from `row` on. */
interface Span {
  readonly at: number;
  readonly n: number;
  readonly row: number;
}

const wordsOf = (bytes: Uint8Array): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);

/** 32 bits of a bitmap from bit `at` on. */
function bitsAt(bits: Int32Array, at: number): number {
  const shift = at & 31;
  const low = bits[at >> 5]! >>> shift;
  return shift === 0 ? low : low | ((bits[(at >> 5) + 1] ?? 0) << (32 - shift));
}

/** The bits of a span that fall into word `k` of the other bitmap, in their place there. */
function bitsFor(from: Int32Array, k: number, { at, n, row }: Span): number {
  const first = Math.max(row, k * 32);
  const count = Math.min(row + n, k * 32 + 32) - first;
  const mask = count === 32 ? -1 : (1 << count) - 1;
  return (bitsAt(from, at + first - row) & mask) << (first & 31);
}

/** Set the bits of a span that are set in `from`. */
function copyBits(to: Int32Array, from: Int32Array, span: Span): void {
  const last = (span.row + span.n - 1) >> 5;
  for (let k = span.row >> 5; k <= last; k++) to[k]! |= bitsFor(from, k, span);
}

function anySet(bits: Int32Array, { at, n }: Span): boolean {
  for (let i = 0; i < n; i += 32) {
    const count = Math.min(32, n - i);
    const mask = count === 32 ? -1 : (1 << count) - 1;
    if ((bitsAt(bits, at + i) & mask) !== 0) return true;
  }
  return false;
}

/** Mark the rows that have a value; false if none has. */
function mark(c: Cells, valid: Uint8Array | null, span: Span): boolean {
  if (valid === null) {
    markRun(c, span.row, span.n);
    return true;
  }
  const bits = wordsOf(valid);
  if (!anySet(bits, span)) return false;
  markSome(c);
  copyBits(c.bits, bits, span);
  return true;
}

function copyText(c: Cells, from: PartColumn, { at, n, row }: Span): void {
  for (let r = c.filled; r < row; r++) c.offsets[r] = c.used;
  const start = from.offsets[at]!;
  const length = from.offsets[at + n]! - start;
  if (c.used + length > c.bytes.length) {
    const bigger = new Uint8Array(Math.max(c.bytes.length * 2, c.used + length));
    bigger.set(c.bytes.subarray(0, c.used));
    c.bytes = bigger;
  }
  c.bytes.set(from.bytes.subarray(start, start + length), c.used);
  for (let i = 0; i < n; i++) c.offsets[row + i] = c.used + from.offsets[at + i]! - start;
  c.used += length;
  c.filled = row + n;
}

const isSet = (bits: Uint8Array, i: number): boolean => (bits[i >> 3]! & (1 << (i & 7))) !== 0;

function copyIds(c: Cells, from: PartColumn, ids: Int32Array, { at, n, row }: Span): void {
  const values = new Int32Array(from.values);
  const { valid } = from;
  const to = c.words;
  if (valid === null) for (let i = 0; i < n; i++) to[row + i] = ids[values[at + i]!]!;
  else for (let i = 0; i < n; i++) if (isSet(valid, at + i)) to[row + i] = ids[values[at + i]!]!;
}

function number(to: Int32Array, first: number, { n, row }: Span): void {
  for (let i = 0; i < n; i++) to[row + i] = first + i;
}

function copyNumbers(c: Cells, from: PartColumn, { at, n, row }: Span): void {
  const width = c.values.byteLength / batchRows;
  const to = new Uint8Array(c.values.buffer);
  to.set(new Uint8Array(from.values, at * width, n * width), row * width);
}

function copyColumn(log: Log, from: PartColumn, ids: Ids, span: Span): void {
  const name = columnNames[from.at]!;
  const c = log.list[from.at]!;
  if (!mark(c, from.valid, span)) return;
  if (name === 'seq') number(c.words, log.total, span);
  else if (c.kind === 'text') copyText(c, from, span);
  else if (c.kind === 'dict') copyIds(c, from, ids[name as NameOf<'dict'>], span);
  else if (c.kind === 'bool') copyBits(c.words, new Int32Array(from.values), span);
  else copyNumbers(c, from, span);
}

/** Ids in this log of what the part's log calls 0, 1, 2 ..., by column. */
export type Ids = Readonly<Record<NameOf<'dict'>, Int32Array>>;

/** Append the rows of a part, numbered on from those of the log. */
export function appendPart(log: Log, part: Part, ids: Ids): void {
  for (let at = 0; at < part.length; ) {
    if (log.row === batchRows - 1) endBatch(log);
    const n = Math.min(part.length - at, batchRows - 1 - log.row);
    const span = { at, n, row: log.row + 1 };
    for (const c of part.columns) copyColumn(log, c, ids, span);
    log.row += n;
    log.total += n;
    at += n;
  }
}
