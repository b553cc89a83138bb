import type { RecordBatch } from 'apache-arrow';
import { type ColumnName, columnNames, columns } from './schema.js';
import type { Trace } from './trace.js';

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Columns that any row of the trace sets, and those that every row must set. */
export const usedColumns = (trace: Trace): ColumnName[] =>
  columnNames.filter(
    (n) => !columns[n].nullable || trace.batches.some((b) => b.getChild(n)!.nullCount < b.numRows),
  );

/**
 * The trace as CSV (RFC 4180) in pieces; addresses are exact decimal numbers, an empty cell is no value,
 * "" an empty text.
 */
export function* csvPieces(trace: Trace): Generator<string> {
  const names = usedColumns(trace);
  yield `${names.join(',')}\n`;
  for (const batch of trace.batches) yield* batchLines(batch, names);
}

function* batchLines(batch: RecordBatch, names: readonly ColumnName[]): Generator<string> {
  const vectors = names.map((n) => batch.getChild(n)!);
  let lines: string[] = [];
  for (let i = 0; i < batch.numRows; i++) {
    lines.push(vectors.map((v) => cell(v.get(i))).join(','));
    if (lines.length === 4096 || i === batch.numRows - 1) {
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
}
