import { batchRows, endBatch, type Log, mark, markRun } from './log.js';
import { columnNames } from './schema.js';

/** Rows gathered before they go to their columns: few enough to stay in the processor's cache. */
const most = 1024;

/** Values of a row in the order of `at`, `ts_ns` first as two words, low word first. */
const width = 8;
const columnsOf = ['event', 'pid', 'tgid', 'cpu', 'task', 'flags'] as const;
const at = columnsOf.map((name) => columnNames.indexOf(name));
const CPU = columnNames.indexOf('cpu');
const TS = columnNames.indexOf('ts_ns');
const SEQ = columnNames.indexOf('seq');

/**
 * What the last rows have in the columns that nearly all rows have: put down row by row in one array, and brought to the
 * columns many rows at a time. Until then only columns beside these may be set.
 */
export interface RowHeads {
  readonly values: Int32Array;
  count: number;
}

export const newRowHeads = (): RowHeads => ({ values: new Int32Array(most * width), count: 0 });

/**
 * Append a row: its stamp as two words, its event, and five values from `from` on: pid, tgid, CPU, ids of task and
 * flags. A negative one is none.
 */
export function addRowHead(
  log: Log,
  rows: RowHeads,
  tsHi: number,
  tsLo: number,
  event: number,
  given: Int32Array,
  from: number,
): void {
  if (log.row === batchRows - 1) {
    settleRows(log, rows);
    endBatch(log);
  } else if (rows.count === most) settleRows(log, rows);
  const { values } = rows;
  const to = rows.count++ * width;
  values[to] = tsLo;
  values[to + 1] = tsHi;
  values[to + 2] = event;
  values[to + 3] = given[from]!;
  values[to + 4] = given[from + 1]!;
  values[to + 5] = given[from + 2]!;
  values[to + 6] = given[from + 3]!;
  values[to + 7] = given[from + 4]!;
  log.row++;
  log.total++;
}

/** One column of the rows from `row` on; `k` is its place among the values. */
function settleColumn(log: Log, rows: RowHeads, k: number, column: number, row: number): void {
  const { values, count } = rows;
  let least = 0;
  let greatest = -1;
  for (let i = k; i < count * width; i += width) {
    const v = values[i]!;
    if (v < least) least = v;
    if (v > greatest) greatest = v;
  }
  if (greatest < 0) return;
  const c = log.list[column]!;
  if (least === 0) markRun(c, row, count);
  for (let i = 0; i < count; i++) {
    const v = values[i * width + k]!;
    if (v < 0) continue;
    if (least < 0) mark(c, row + i);
    if (column === CPU) c.shorts[row + i] = v;
    else c.words[row + i] = v;
  }
}

/** Bring the rows to their columns; before anything else is done with the log. */
export function settleRows(log: Log, rows: RowHeads): void {
  const { values, count } = rows;
  if (count === 0) return;
  const row = log.row + 1 - count;
  const first = log.total - count;
  const [seq, ts] = [log.list[SEQ]!, log.list[TS]!];
  markRun(seq, row, count);
  markRun(ts, row, count);
  for (let i = 0; i < count; i++) {
    seq.words[row + i] = first + i;
    ts.words[(row + i) * 2] = values[i * width]!;
    ts.words[(row + i) * 2 + 1] = values[i * width + 1]!;
  }
  for (const [k, column] of at.entries()) settleColumn(log, rows, k + 2, column, row);
  rows.count = 0;
}
