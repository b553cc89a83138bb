import { addBatch, type Cells, type Filled, filledCells, type Log } from './log.js';
import { type ColumnName, columnNames, columns, type NameOf } from './schema.js';

/** One column of a part: its number, and what of `Cells` another thread needs. */
type PartColumn = readonly [at: number, filled: Filled];

/** Rows of one batch of another log, as plain values that can be handed to another thread. */
export interface Part {
  readonly length: number;
  readonly columns: readonly PartColumn[];
}

const none = new Uint8Array(0);

/** A batch that its log is done with, as a part; its arrays are shared, not copied. */
export function partOf(length: number, cells: readonly Cells[]): Part {
  const columns: PartColumn[] = [];
  for (const [at, c] of cells.entries()) {
    const { use, set, offsets, bytes, used } = c;
    if (use === 'unset') continue;
    const valid = use === 'thin' ? c.valid : none; // else it may be one that all logs share
    const values = c.values.buffer as ArrayBuffer;
    columns.push([at, { use, valid, set, values, offsets, bytes, used }]);
  }
  return { length, columns };
}

/** The memory of a part, to be moved to another thread. */
export const memoryOf = (part: Part): ArrayBuffer[] =>
  part.columns
    .flatMap(([, c]) => [c.valid.buffer, c.values, c.offsets.buffer, c.bytes.buffer])
    .filter((b) => b.byteLength > 0) as ArrayBuffer[];

/** Ids in this log of what the part's log calls 0, 1, 2 ..., by column. */
export type Ids = Readonly<Record<NameOf<'dict'>, Int32Array>>;

/** Put this log's ids in the place of the part's; rows without a value stay 0. */
function renameIds({ use, words, valid }: Cells, ids: Int32Array, length: number): void {
  if (ids.every((id, i) => id === i)) return;
  if (use === 'dense') for (let i = 0; i < length; i++) words[i] = ids[words[i]!]!;
  else
    for (let i = 0; i < length; i++)
      if ((valid[i >> 3]! & (1 << (i & 7))) !== 0) words[i] = ids[words[i]!]!;
}

function number({ words }: Cells, first: number, length: number): void {
  for (let i = 0; i < length; i++) words[i] = first + i;
}

/** Hand on the rows of a part as a batch of the log, numbered on from its own. Nothing is copied. */
export function appendPart(log: Log, { length, columns: given }: Part, ids: Ids): void {
  const cells: Partial<Record<ColumnName, Cells>> = {};
  for (const [at, filled] of given) {
    const name = columnNames[at]!;
    const { kind } = columns[name];
    const c = filledCells(kind, filled);
    if (name === 'seq') number(c, log.total, length);
    else if (kind === 'dict') renameIds(c, ids[name as NameOf<'dict'>], length);
    cells[name] = c;
  }
  addBatch(log, length, cells);
}
