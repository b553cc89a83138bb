import { type Dict, decodeText, newDict } from './dict.js';
import type { BatchSize } from './ipc.js';
import { type ColumnName, columnNames, columns, type Kind, type NameOf } from './schema.js';
import { giveMemory, takeMemory } from './spare.js';

/** Rows of one Arrow record batch. */
export const batchRows = 65536;

type Values = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** What a batch's rows made of a column so far: none set it, all did, or some left it out. */
type Use = 'unset' | 'dense' | 'thin';

/** One column of the batch being filled; 64-bit integers are two 32-bit words, low word first. */
export interface Cells {
  readonly kind: Kind;
  values: Values;
  /** The same memory as words of 32 and 16 bits and as doubles: each setter sees one type of array only. */
  words: Int32Array;
  shorts: Uint16Array;
  doubles: Float64Array;
  /** Validity bitmap, least significant bit first; in use once a row leaves the column out. */
  valid: Uint8Array;
  /** The same memory as words. */
  bits: Int32Array;
  /** Cells set in this batch; known for a thin column only when the batch is full. */
  set: number;
  use: Use;
  /** Has it arrays of its own, not the shared zeros? */
  owned: boolean;
  /** Text columns only: start of each row's bytes, and the bytes. */
  offsets: Int32Array;
  bytes: Uint8Array;
  /** Text columns only: bytes used, and rows whose start is known. */
  used: number;
  filled: number;
}

/** A full batch, handed on; its arrays are not written to again unless the log reuses them. */
export interface Batch {
  readonly length: number;
  readonly cells: Readonly<Record<ColumnName, Cells>>;
}

/** A file that other threads may write batches of a log into. */
export interface SharedFile {
  readonly path: string;
  /** Leave room for a batch of so many bytes, whose dictionaries the log knows by now; gives where it begins. */
  reserve(size: BatchSize): number;
}

/** The event log: rows are appended, and leave as batches of typed arrays. */
export interface Log {
  /** Rows appended so far, in all batches. */
  total: number;
  /** Index of the current row in the current batch. */
  row: number;
  cells: Record<ColumnName, Cells>;
  /** The same in the order of `columnNames`. */
  list: Cells[];
  readonly dicts: Readonly<Record<NameOf<'dict'>, Dict>>;
  /** Is `onBatch` done with a batch when it returns, so that its arrays can be filled again? */
  readonly reuse: boolean;
  readonly onBatch: (batch: Batch) => void;
  /** The file it is written to, if it is. */
  file: SharedFile | null;
}

const none = new Uint8Array(0);
const noWords = new Int32Array(0);
const noShorts = new Uint16Array(0);
const noDoubles = new Float64Array(0);

const inWords = { array: Uint32Array, perRow: 2 };
const inIds = { array: Int32Array, perRow: 1 };

/** How the values of a column lie in memory: 64-bit integers as two words, truth values as bits. */
const layouts = {
  u64: inWords,
  i64: inWords,
  f64: { array: Float64Array, perRow: 1 },
  u32: { array: Uint32Array, perRow: 1 },
  i32: inIds,
  u16: { array: Uint16Array, perRow: 1 },
  u8: { array: Uint8Array, perRow: 1 },
  bool: { array: Uint8Array, perRow: 1 / 8 },
  text: { array: Uint8Array, perRow: 0 },
  dict: inIds,
} as const satisfies Record<Kind, unknown>;

function makeValues(kind: Kind, rows: number): Values {
  const { array, perRow } = layouts[kind];
  return new array(takeMemory(rows * perRow * array.BYTES_PER_ELEMENT));
}

// A column that no row of a batch sets shares these zeros with every other such batch.
const zeros = new Map<Kind, Values>();

function zerosOf(kind: Kind): Values {
  let z = zeros.get(kind);
  if (!z) {
    z = makeValues(kind, batchRows);
    zeros.set(kind, z);
  }
  return z;
}
const noneValid = new Uint8Array(batchRows / 8);
const zeroOffsets = new Int32Array(batchRows + 1);

/** Do the bytes belong to the shared zeros of columns that no row of a batch sets? */
export function isZeros({ buffer }: Uint8Array): boolean {
  if (buffer === noneValid.buffer || buffer === zeroOffsets.buffer) return true;
  for (const z of zeros.values()) if (z.buffer === buffer) return true;
  return false;
}

const freshCells = (kind: Kind): Cells => ({
  kind,
  values: zerosOf(kind),
  words: noWords,
  shorts: noShorts,
  doubles: noDoubles,
  valid: noneValid,
  bits: noWords,
  set: 0,
  use: 'unset',
  owned: false,
  offsets: kind === 'text' ? zeroOffsets : noWords,
  bytes: none,
  used: 0,
  filled: 0,
});

const allCells = (): Record<ColumnName, Cells> =>
  Object.fromEntries(columnNames.map((n) => [n, freshCells(columns[n].kind)])) as Record<
    ColumnName,
    Cells
  >;

/** First use of a column in a batch: give it arrays of its own, if it has none from a batch before. */
function own(c: Cells): void {
  c.use = 'dense';
  if (c.owned) return;
  c.owned = true;
  c.values = makeValues(c.kind, batchRows);
  c.words = new Int32Array(c.values.buffer, 0, c.values.byteLength >> 2);
  c.shorts = new Uint16Array(c.values.buffer, 0, c.values.byteLength >> 1);
  c.doubles = new Float64Array(c.values.buffer, 0, c.values.byteLength >> 3);
  if (c.kind === 'text') {
    c.offsets = new Int32Array(takeMemory((batchRows + 1) * 4));
    c.bytes = new Uint8Array(takeMemory(1 << 16));
  }
}

/** Make a column empty again; its arrays stay. */
function clear(c: Cells): void {
  if (c.use === 'unset') return;
  c.values.fill(0);
  // Of a batch in which no row sets the column these are written as they stand.
  c.valid.fill(0);
  c.offsets.fill(0);
  c.set = c.used = c.filled = 0;
  c.use = 'unset';
}

/**
 * An empty log; `onBatch` gets each full batch, and the rest at `endLog`. With `reuse`, the arrays of a
 * batch are filled again once `onBatch` has returned.
 */
export function newLog(onBatch: (batch: Batch) => void, reuse = false): Log {
  const names = columnNames.filter((n) => columns[n].kind === 'dict') as NameOf<'dict'>[];
  const dicts = Object.fromEntries(names.map((n) => [n, newDict()]));
  const cells = allCells();
  const list = columnNames.map((n) => cells[n]);
  return {
    total: 0,
    row: -1,
    cells,
    list,
    dicts: dicts as Log['dicts'],
    reuse,
    onBatch,
    file: null,
  };
}

/** Rows without text get an empty slice. */
function closeText(c: Cells, rows: number): void {
  if (c.use === 'unset') return;
  for (let r = c.filled; r <= rows; r++) c.offsets[r] = c.used;
}

function bitsSet(bits: Int32Array): number {
  let n = 0;
  for (let i = 0; i < bits.length; i++) {
    let x = bits[i]!;
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    x = (x + (x >>> 4)) & 0x0f0f0f0f;
    n += Math.imul(x, 0x01010101) >>> 24;
  }
  return n;
}

/** Settle how many cells are set, once no more rows come. */
function count(c: Cells, length: number): void {
  if (c.use === 'dense' && c.set < length) thin(c);
  if (c.use === 'thin') c.set = bitsSet(c.bits);
}

function flush(log: Log): void {
  const length = log.row + 1;
  if (length === 0) return;
  for (const c of log.list) {
    if (c.kind === 'text') closeText(c, length);
    count(c, length);
  }
  const batch: Batch = { length, cells: log.cells };
  log.row = -1;
  if (log.reuse) {
    log.onBatch(batch);
    for (const c of log.list) clear(c);
    return;
  }
  log.cells = allCells();
  log.list = columnNames.map((n) => log.cells[n]);
  log.onBatch(batch);
}

/** Values of a column that were set elsewhere. */
export type Filled = Pick<Cells, 'use' | 'valid' | 'set' | 'offsets' | 'bytes' | 'used'> & {
  readonly values: ArrayBuffer;
};

/** Cells of a full batch with these values, which are not copied. */
export function filledCells(kind: Kind, { values: memory, ...rest }: Filled): Cells {
  const values = new layouts[kind].array(memory);
  return { ...freshCells(kind), ...rest, values, words: new Int32Array(memory) };
}

/** A batch in which no row sets a column. */
export const emptyBatch = (length: number): Batch => ({ length, cells: allCells() });

/** Hand on a batch whose cells were set elsewhere, behind the rows so far; other columns are unset. */
export function addBatch(log: Log, length: number, cells: Partial<Batch['cells']>): void {
  flush(log);
  log.total += length;
  log.onBatch({ length, cells: { ...allCells(), ...cells } });
}

/** Hand on the last, partly filled batch. */
export const endLog = (log: Log): void => flush(log);

/** Hand on the batch, which is full. */
export const endBatch = (log: Log): void => flush(log);

const SEQ = columnNames.indexOf('seq');
const TS = columnNames.indexOf('ts_ns');
const EVENT = columnNames.indexOf('event');

/** Append a row; a 64-bit stamp comes as two 32-bit words. Core columns are always set together. */
export function addRow(log: Log, tsHi: number, tsLo: number, event: number): void {
  if (log.row === batchRows - 1) flush(log);
  const row = ++log.row;
  const seq = log.list[SEQ]!;
  const ts_ns = log.list[TS]!;
  const ev = log.list[EVENT]!;
  if (row === 0) {
    own(seq);
    own(ts_ns);
    own(ev);
  }
  seq.set = ts_ns.set = ev.set = row + 1;
  seq.words[row] = log.total++;
  ts_ns.words[row * 2] = tsLo;
  ts_ns.words[row * 2 + 1] = tsHi;
  ev.words[row] = event;
}

const [CPU, PID, TASK, FLAGS] = (['cpu', 'pid', 'task', 'flags'] as const).map((n) =>
  columnNames.indexOf(n),
) as [number, number, number, number];

/** Append a row with what almost every event has: its CPU, thread, and ids of the task's name and the flags. */
export function addHead(
  log: Log,
  tsHi: number,
  tsLo: number,
  event: number,
  cpu: number,
  pid: number,
  task: number,
  flags: number,
): void {
  addRow(log, tsHi, tsLo, event);
  const { row, list } = log;
  const [c, p, t, f] = [list[CPU]!, list[PID]!, list[TASK]!, list[FLAGS]!];
  mark(c, row);
  mark(p, row);
  mark(t, row);
  mark(f, row);
  c.values[row] = cpu;
  p.words[row] = pid;
  t.words[row] = task;
  f.words[row] = flags;
}

/** From now on the column has a bitmap: rows are left out. */
function thin(c: Cells): void {
  c.use = 'thin';
  if (c.bits.length === 0) {
    c.bits = new Int32Array(takeMemory(batchRows / 8));
    c.valid = new Uint8Array(c.bits.buffer);
  }
  c.valid.fill(0xff, 0, c.set >> 3).fill(0, c.set >> 3);
  if ((c.set & 7) !== 0) c.valid[c.set >> 3] = (1 << (c.set & 7)) - 1;
}

function markFirst(c: Cells, row: number): void {
  if (c.use === 'unset') own(c);
  if (row < c.set) return; // set twice
  if (row === c.set) {
    c.set++;
    return;
  }
  thin(c);
  c.bits[row >> 5]! |= 1 << (row & 31);
}

/** The column has a value in `row`; rows come in order. */
export function mark(c: Cells, row: number): void {
  if (row === c.set && c.use === 'dense') c.set++;
  else if (c.use === 'thin') c.bits[row >> 5]! |= 1 << (row & 31);
  else markFirst(c, row);
}

/** The bitmap of a column that will have values in some of the next rows; the caller sets bits, and counts them in `set`. */
export function markSome(c: Cells): Uint8Array {
  if (c.use === 'unset') own(c);
  if (c.use === 'dense') thin(c);
  return c.valid;
}

/** The column has values in `n` rows from `row` on, which had none. */
export function markRun(c: Cells, row: number, n: number): void {
  if (c.use === 'unset') own(c);
  if (c.use === 'dense' && row === c.set) c.set += n;
  else for (let i = row; i < row + n; i++) mark(c, i);
}

/** Set a 32-bit or dictionary cell by column index; the hot path's setInt. */
export function putWord(log: Log, column: number, v: number): void {
  const c = log.list[column]!;
  mark(c, log.row);
  c.words[log.row] = v;
}

/** Set a 16-bit cell by column index. */
export function putShort(log: Log, column: number, v: number): void {
  const c = log.list[column]!;
  mark(c, log.row);
  c.shorts[log.row] = v;
}

/** Set a small-integer or dictionary cell by column index. */
export function putInt(log: Log, column: number, v: number): void {
  const c = log.list[column]!;
  mark(c, log.row);
  c.values[log.row] = v;
}

/** Set a double by column index. */
export function putF64(log: Log, column: number, v: number): void {
  const c = log.list[column]!;
  mark(c, log.row);
  c.doubles[log.row] = v;
}

/** Set 64 bits by column index. */
export function putU64(log: Log, column: number, hi: number, lo: number): void {
  const c = log.list[column]!;
  mark(c, log.row);
  c.words[log.row * 2] = lo;
  c.words[log.row * 2 + 1] = hi;
}

/** Set a truth value by column index. */
export function putBool(log: Log, column: number, v: boolean): void {
  const c = log.list[column]!;
  mark(c, log.row);
  if (v) (c.values as Uint8Array)[log.row >> 3]! |= 1 << (log.row & 7);
}

/** Set a small-integer or dictionary cell of the current row. */
export function setInt(log: Log, name: NameOf<'dict' | 'u8' | 'u16' | 'u32' | 'i32'>, v: number) {
  const c = log.cells[name];
  mark(c, log.row);
  c.values[log.row] = v;
}

/** Set a double cell of the current row. */
export function setF64(log: Log, name: NameOf<'f64'>, v: number): void {
  const c = log.cells[name];
  mark(c, log.row);
  c.doubles[log.row] = v;
}

/** Set an exact 64-bit cell of the current row. */
export function setU64(log: Log, name: NameOf<'u64' | 'i64'>, hi: number, lo: number): void {
  const c = log.cells[name];
  mark(c, log.row);
  c.words[log.row * 2] = lo;
  c.words[log.row * 2 + 1] = hi;
}

/** Set va and, with it, the page number that a double holds exactly. */
export function setVa(log: Log, hi: number, lo: number): void {
  setU64(log, 'va', hi, lo);
  setF64(log, 'va_page', (hi >>> 0) * 0x100000 + (lo >>> 12));
}

export function setBool(log: Log, name: NameOf<'bool'>, v: boolean): void {
  const c = log.cells[name];
  mark(c, log.row);
  if (v) c.values[log.row >> 3]! |= 1 << (log.row & 7);
}

/** Intern a text and set it as a dictionary cell of the current row. */
export const setDict = (log: Log, name: NameOf<'dict'>, text: string): void =>
  setInt(log, name, log.dicts[name].intern(text));

/** Sizes are powers of two, so that memory given back is of a size that is asked for again. */
function room(c: Cells, need: number): void {
  if (c.used + need <= c.bytes.length) return;
  let size = c.bytes.length * 2;
  while (size < c.used + need) size *= 2;
  const bigger = new Uint8Array(takeMemory(size));
  bigger.set(c.bytes);
  giveMemory([c.bytes.buffer as ArrayBuffer]);
  c.bytes = bigger;
}

function startText(c: Cells, row: number, need: number): void {
  mark(c, row);
  for (let r = c.filled; r <= row; r++) c.offsets[r] = c.used;
  c.filled = row + 1;
  room(c, need);
}

/** Set a text cell of the current row. */
export function setText(log: Log, name: NameOf<'text'>, text: string): void {
  const c = log.cells[name];
  startText(c, log.row, text.length);
  if (putAscii(c, text)) return;
  const bytes = Buffer.from(text, 'utf8');
  room(c, bytes.length);
  c.bytes.set(bytes, c.used);
  c.used += bytes.length;
}

/** Append a text that is ASCII; false, and nothing is appended, if it is not. */
function putAscii(c: Cells, text: string): boolean {
  const { bytes, used } = c;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    bytes[used + i] = code;
  }
  c.used += text.length;
  return true;
}

/** Set a text cell of the current row from bytes; what is not UTF-8 is kept as \xNN. */
export function setTextBytes(
  log: Log,
  name: NameOf<'text'>,
  buf: Uint8Array,
  start: number,
  end: number,
): void {
  const c = log.cells[name];
  startText(c, log.row, end - start);
  const to = c.bytes;
  let at = c.used;
  let high = 0;
  for (let i = start; i < end; i++) {
    const b = buf[i]!;
    high |= b;
    to[at++] = b;
  }
  if (high < 0x80) c.used = at;
  else appendDecoded(c, buf.subarray(start, end));
}

function appendDecoded(c: Cells, raw: Uint8Array): void {
  const bytes = Buffer.from(decodeText(raw), 'utf8');
  room(c, bytes.length);
  c.bytes.set(bytes, c.used);
  c.used += bytes.length;
}
