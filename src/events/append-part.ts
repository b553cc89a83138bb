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

const isSet = (bits: Uint8Array, i: number): boolean => (bits[i >> 3]! & (1 << (i & 7))) !== 0;

/** Rows [at, at + n) of a part go to rows from `row` on. */
interface Span {
  readonly at: number;
  readonly n: number;
  readonly row: number;
}

/** Mark the rows that have a value; false if none has. */
function mark(c: Cells, valid: Uint8Array | null, { at, n, row }: Span): boolean {
  if (valid === null) {
    markRun(c, row, n);
    return true;
  }
  let first = 0;
  while (first < n && !isSet(valid, at + first)) first++;
  if (first === n) return false;
  const to = markSome(c);
  for (let i = first; i < n; i++) {
    if (isSet(valid, at + i)) to[(row + i) >> 3]! |= 1 << ((row + i) & 7);
  }
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

function copyIds(c: Cells, from: PartColumn, ids: Int32Array, { at, n, row }: Span): void {
  const values = new Int32Array(from.values);
  const { valid } = from;
  for (let i = 0; i < n; i++) {
    if (valid === null || isSet(valid, at + i)) c.words[row + i] = ids[values[at + i]!]!;
  }
}

function copyBits(c: Cells, from: PartColumn, { at, n, row }: Span): void {
  const values = new Uint8Array(from.values);
  const to = c.values;
  for (let i = 0; i < n; i++) {
    if (isSet(values, at + i)) to[(row + i) >> 3]! |= 1 << ((row + i) & 7);
  }
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
  if (name === 'seq') for (let i = 0; i < span.n; i++) c.words[span.row + i] = log.total + i;
  else if (c.kind === 'text') copyText(c, from, span);
  else if (c.kind === 'dict') copyIds(c, from, ids[name as NameOf<'dict'>], span);
  else if (c.kind === 'bool') copyBits(c, from, span);
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
