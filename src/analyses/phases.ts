import type { RecordBatch } from 'apache-arrow';
import { cursor, dictValues, has, type Trace } from '../events/trace.js';

/** A stretch of a trace between two marks. */
export interface Phase {
  readonly name: string;
  /** Row (over all batches) it starts at; it ends where the next one starts. */
  readonly first_row: number;
}

const MARK = /^MARK (\S+)/;

/** Every 'MARK name' written to trace_marker, in order, with its row. */
export function marks(trace: Trace): { name: string; row: number }[] {
  const id = dictValues(trace, 'event').indexOf('tracing_mark_write');
  const found: { name: string; row: number }[] = [];
  let base = 0;
  for (const b of trace.batches) {
    if (id >= 0) marksOf(b, id, base, found);
    base += b.numRows;
  }
  return found;
}

function marksOf(b: RecordBatch, id: number, base: number, found: { name: string; row: number }[]) {
  const event = cursor(b, 'event').values;
  const detail = b.getChild('detail')!;
  const valid = cursor(b, 'detail');
  for (let i = 0; i < b.numRows; i++) {
    if (event[i] !== id || !has(valid, i)) continue;
    const name = MARK.exec(String(detail.get(i)))?.[1];
    if (name !== undefined) found.push({ name, row: base + i });
  }
}

/**
 * Phases of a trace. MARK wl_begin and wl_end cut it into boot, workload and after; without them
 * every MARK begins a phase of its name, behind 'start'; without any mark there is one, 'all'.
 */
export function phases(trace: Trace): Phase[] {
  const all = marks(trace);
  const begin = all.find((m) => m.name === 'wl_begin');
  const end = all.find((m) => m.name === 'wl_end' && m.row > (begin?.row ?? -1));
  if (begin) {
    const list = [
      { name: 'boot', first_row: 0 },
      { name: 'workload', first_row: begin.row },
    ];
    return end ? [...list, { name: 'after', first_row: end.row }] : list;
  }
  if (all.length === 0) return [{ name: 'all', first_row: 0 }];
  return [
    { name: 'start', first_row: 0 },
    ...all.map((m, i) => ({ name: unique(m.name, i, all), first_row: m.row })),
  ];
}

/** A mark written twice: its second phase gets a number. */
function unique(name: string, index: number, all: readonly { name: string }[]): string {
  const before = all.slice(0, index).filter((m) => m.name === name).length;
  return before === 0 && name !== 'start' ? name : `${name}#${before + 1}`;
}
