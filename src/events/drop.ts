import type { Cells, Log } from './log.js';
import { type ColumnName, columnNames } from './schema.js';

const bit = (row: number): number => 1 << (row & 31);

/** Has the current row a value in the column? */
export function hasCell({ row, cells }: Log, name: ColumnName): boolean {
  const c = cells[name];
  if (row < 0 || c.use === 'unset') return false;
  return c.use === 'dense' ? c.set > row : (c.bits[row >> 5]! & bit(row)) !== 0;
}

function dropCell(c: Cells, row: number): void {
  if (c.use === 'dense') c.set = row;
  else c.bits[row >> 5]! &= ~bit(row);
  if (c.kind === 'text') {
    c.used = c.offsets[row]!;
    c.filled = row;
  } else if (c.kind === 'bool') c.values[row >> 3]! &= ~(1 << (row & 7));
  else if (c.kind === 'u64' || c.kind === 'i64') c.words.fill(0, row * 2, row * 2 + 2);
  else c.values[row] = 0;
}

/** Take the last row back, which must be in the current batch: as if it had not been appended. */
export function dropRow(log: Log): void {
  const { row } = log;
  for (const name of columnNames) if (hasCell(log, name)) dropCell(log.cells[name], row);
  log.row--;
  log.total--;
}
