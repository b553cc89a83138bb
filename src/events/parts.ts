import { arrowSchema, newDictionaries, toRecordBatch } from './arrow.js';
import { type BatchMessage, type BatchSize, batchMessage } from './ipc.js';
import {
  addBatch,
  type Batch,
  type Cells,
  endLog,
  type Filled,
  filledCells,
  type Log,
  newLog,
} from './log.js';
import { newMeta } from './meta.js';
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
export function partOf({ length, cells }: Batch): Part {
  const parts: PartColumn[] = [];
  for (const [at, name] of columnNames.entries()) {
    const c = cells[name];
    const { use, set, offsets, bytes, used } = c;
    if (use === 'unset') continue;
    const valid = use === 'thin' ? c.valid : none; // else it may be one that all logs share
    const values = c.values.buffer as ArrayBuffer;
    parts.push([at, { use, valid, set, values, offsets, bytes, used }]);
  }
  return { length, columns: parts };
}

/** The memory of a part, to be moved to another thread or filled again. */
export const memoryOf = (part: Part): ArrayBuffer[] =>
  part.columns
    .flatMap(([, c]) => [c.valid.buffer, c.values, c.offsets.buffer, c.bytes.buffer])
    .filter((b) => b.byteLength > 0) as ArrayBuffer[];

/** Ids in one log of what another calls 0, 1, 2 ..., by column. */
export type Ids = Readonly<Record<NameOf<'dict'>, Int32Array>>;

/** Put other ids in the place of the batch's; rows without a value stay 0. */
function renameIds({ use, words, valid }: Cells, ids: Int32Array, length: number): void {
  if (use === 'unset' || ids.every((id, i) => id === i)) return;
  if (use === 'dense') for (let i = 0; i < length; i++) words[i] = ids[words[i]!]!;
  else
    for (let i = 0; i < length; i++)
      if ((valid[i >> 3]! & (1 << (i & 7))) !== 0) words[i] = ids[words[i]!]!;
}

/** Make a batch one of another log: its ids, and rows numbered from `first` on. */
export function adapt({ length, cells }: Batch, ids: Ids, first: number): void {
  for (const name of columnNames)
    if (columns[name].kind === 'dict') renameIds(cells[name], ids[name as NameOf<'dict'>], length);
  const { words } = cells.seq;
  for (let i = 0; i < length; i++) words[i] = first + i;
}

/** Hand on the rows of a part, which was made for this log, as a batch of it. Nothing is copied. */
export function appendPart(log: Log, { length, columns: given }: Part): void {
  const cells: Partial<Record<ColumnName, Cells>> = {};
  for (const [at, filled] of given) {
    const name = columnNames[at]!;
    cells[name] = filledCells(columns[name].kind, filled);
  }
  addBatch(log, length, cells);
}

/** Rows of a batch, and their bytes in a file. */
export interface PartSize extends BatchSize {
  readonly length: number;
}

const schema = arrowSchema(newMeta('', ''));
const noDictionaries = newLog(() => {});

/** A batch as it will stand in a file, where its dictionaries are by then. `adapt` may still change its values. */
export const messageOf = (batch: Batch): BatchMessage =>
  batchMessage(toRecordBatch(batch, noDictionaries, newDictionaries(), schema));

/** Leave room for batches in the log's file, behind the rows so far; gives where each begins. */
export function reserveParts(log: Log, sizes: readonly PartSize[]): number[] {
  endLog(log);
  return sizes.map((size) => {
    log.total += size.length;
    return log.file!.reserve(size);
  });
}
