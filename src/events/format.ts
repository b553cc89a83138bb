import type { RecordBatch } from 'apache-arrow';
import { type ColumnName, columnNames } from './schema.js';
import { type Shape, type ShapeField, shapes } from './shapes.js';
import type { Trace } from './trace.js';

/** Value of a column of one row; null where it has none. */
export type Get = (name: ColumnName) => unknown;

const hex = (v: unknown): string => BigInt.asUintN(64, BigInt(v as number)).toString(16);

/** One field as the kernel prints it; null where the row has no such value. */
function fieldText(f: ShapeField, get: Get): string | null {
  const v = get(f.column);
  if (v === null) return null;
  switch (f.kind) {
    case 'd':
      return typeof v === 'number' ? BigInt(v).toString() : String(v);
    case 'i':
    case 's':
      return String(v);
    case 'x':
      return hex(v);
    case 'p':
      return hex(v).padStart(16, '0');
    case '!':
      return v ? '0' : '1';
    case 'f':
      return v ? '1' : '0';
    case 't':
      return v ? 'true' : 'false';
    case 'w':
      return v === 'write' ? 'true' : 'false';
  }
}

/** The inverse of a shape: the text of an event from its columns; null if one is missing. */
export function shapeText(shape: Shape, get: Get): string | null {
  let text = '';
  for (const f of shape.fields) {
    const field = fieldText(f, get);
    if (field === null) return null;
    text += f.literal + field;
  }
  return text + shape.tail;
}

/** A newline would end the line: it is written as \x0a. */
const oneLine = (text: string): string => text.replaceAll('\n', '\\x0a').replaceAll('\r', '\\x0d');

/** The line behind the stamp, as tracefs prints it. */
function bodyText(get: Get): string {
  const event = String(get('event'));
  const detail = get('detail') === null ? null : oneLine(String(get('detail')));
  const at = get('at') === null ? null : String(get('at'));
  if (event === 'kernel_stack') return '<stack trace>';
  if (event === 'user_stack') return '<user stack trace>';
  const isSyscall = /^sys_(enter|exit)_/.test(event) && /^sys_\w+(\(| -> )/.test(detail ?? '');
  if (event === 'function' || event === 'unknown' || isSyscall) return detail ?? '';
  if (event === 'print' && at !== null) return `${at}: ${detail ?? ''}`;
  const shape = Object.hasOwn(shapes, event) ? shapes[event] : undefined;
  const text = shape && detail === null ? shapeText(shape, get) : null;
  if (text !== null) return `${event}: ${text}`;
  // a detail that is the whole text has the place already
  const place =
    at === null || detail?.startsWith(`(${at})`) ? '' : `(${at})${detail === null ? '' : ' '}`;
  return `${event}: ${place}${detail ?? ''}`;
}

/** 'seconds.microseconds', or with nanoseconds where the stamp has them. */
export function stampText(ns: bigint): string {
  const v = BigInt.asUintN(64, ns);
  const [seconds, rest] = [v / 1_000_000_000n, v % 1_000_000_000n];
  const whole = rest % 1000n === 0n;
  const fraction = whole
    ? (rest / 1000n).toString().padStart(6, '0')
    : rest.toString().padStart(9, '0');
  return `${seconds.toString().padStart(5)}.${fraction}`;
}

/** One row as lines of tracefs' `trace` file; `tgids`: does the trace have that column? */
export function rowText(get: Get, tgids: boolean): string {
  const task = oneLine(String(get('task') ?? '<...>'));
  const tgid = get('tgid');
  const process = !tgids ? '' : `(${tgid === null ? '-------' : String(tgid).padStart(7)}) `;
  const flags = get('flags');
  const head =
    `${' '.repeat(Math.max(0, 16 - Buffer.byteLength(task)))}${task}-${String(get('pid') ?? 0).padEnd(7)} ` +
    `${process}[${String(get('cpu') ?? 0).padStart(3, '0')}] ${flags === null ? '' : `${flags} `}` +
    `${stampText(get('ts_ns') as bigint)}: `;
  const stack = get('stack');
  const frames =
    stack === null
      ? ''
      : String(stack)
          .split('\n')
          .map((f) => `\n => ${f}`)
          .join('');
  return head + bodyText(get) + (/_stack$/.test(String(get('event'))) ? frames : '');
}

/** Lines that mark the gaps of a trace, by the row they stand before. */
function gapLines(trace: Trace): Map<number, string[]> {
  const lines = new Map<number, string[]>();
  for (const { cpu, seq, lost } of trace.meta.gaps) {
    if (cpu === null) continue; // tracefs has no such line
    const row = Math.min(seq, trace.meta.seen);
    const count = lost === null ? '' : `${lost} `;
    lines.set(row, [...(lines.get(row) ?? []), `CPU:${cpu} [LOST ${count}EVENTS]`]);
  }
  return lines;
}

/**
 * The trace as text of tracefs' `trace` file, in pieces; gaps stand as its LOST lines. Durations and
 * stacks of other events are left out.
 */
export function* ftracePieces(trace: Trace): Generator<string> {
  const { seen, lost, cpus, gaps: all } = trace.meta;
  const placed = all.reduce((n, g) => n + (g.cpu === null ? 0 : (g.lost ?? 0)), 0);
  yield `# tracer: nop\n#\n# entries-in-buffer/entries-written: ${seen}/${seen + lost - placed}   #P:${cpus ?? 1}\n#\n`;
  const tgids = trace.batches.some((b) => b.getChild('tgid')!.nullCount < b.numRows);
  const gaps = gapLines(trace);
  let row = 0;
  for (const batch of trace.batches) {
    yield* batchText(batch, tgids, gaps, row);
    row += batch.numRows;
  }
  yield (gaps.get(row) ?? []).map((l) => `${l}\n`).join('');
}

function* batchText(
  batch: RecordBatch,
  tgids: boolean,
  gaps: ReadonlyMap<number, string[]>,
  first: number,
): Generator<string> {
  const vectors = new Map(columnNames.map((n) => [n, batch.getChild(n)!]));
  let lines: string[] = [];
  for (let i = 0; i < batch.numRows; i++) {
    lines.push(...(gaps.get(first + i) ?? []));
    lines.push(rowText((n) => vectors.get(n)!.get(i), tgids));
    if (lines.length >= 4096 || i === batch.numRows - 1) {
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
}
