import type { RecordBatch } from 'apache-arrow';
import { usedColumns } from './csv.js';
import type { ColumnName } from './schema.js';
import type { Trace } from './trace.js';

const apart: readonly ColumnName[] = ['seq', 'ts_ns', 'cpu', 'pid', 'tgid', 'task', 'event'];

/** Events that open and close a slice on their thread, and the slice's name. */
const opens: Readonly<Record<string, string>> = {
  funcgraph_entry: '',
  walk: 'ptdump walk',
  contention_begin: 'lock contention',
};
const closes: Readonly<Record<string, string>> = {
  funcgraph_exit: '',
  walk_ret: 'ptdump walk',
  contention_end: 'lock contention',
};

const shown = (value: unknown): unknown =>
  typeof value === 'bigint' ? `0x${BigInt.asUintN(64, value).toString(16)}` : value;

/** One row as an event of Chrome's trace format; stamps are microseconds. */
function eventOf(get: (n: ColumnName) => unknown, names: readonly ColumnName[]): object {
  const event = String(get('event'));
  const tid = Number(get('pid') ?? 0);
  const args: Record<string, unknown> = { cpu: get('cpu') };
  for (const n of names) {
    const v = get(n);
    if (v !== null) args[n] = shown(v);
  }
  const ts = Number(get('ts_ns') as bigint) / 1000;
  const place = { pid: Number(get('tgid') ?? tid), tid, ts };
  const label = (of: string): string => (of === '' ? String(get('at') ?? event) : of);
  const duration = get('duration_ns') as number | null;
  if (event === 'funcgraph_leaf' && duration !== null) {
    return { name: label(''), cat: event, ph: 'X', dur: duration / 1000, ...place, args };
  }
  if (Object.hasOwn(opens, event)) {
    return { name: label(opens[event]!), cat: event, ph: 'B', ...place, args };
  }
  if (Object.hasOwn(closes, event)) {
    return { name: label(closes[event]!), cat: event, ph: 'E', ...place, args };
  }
  return { name: event, cat: event, ph: 'i', s: 't', ...place, args };
}

const line = (event: object): string => `${JSON.stringify(event)}`;

/** The trace in Chrome's JSON format, in pieces: it opens in the Perfetto UI and chrome://tracing. */
export function* chromePieces(trace: Trace): Generator<string> {
  const names = usedColumns(trace).filter((n) => !apart.includes(n));
  const threads = new Map<number, { pid: number; task: string }>();
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  let first = true;
  for (const batch of trace.batches) {
    for (const piece of batchEvents(batch, names, threads)) {
      yield first ? piece : `,\n${piece}`;
      first = false;
    }
  }
  for (const [tid, { pid, task }] of threads) {
    yield `,\n${line({ name: 'thread_name', ph: 'M', pid, tid, args: { name: task } })}`;
  }
  const { source, sha256, kernel, clock, lost } = trace.meta;
  yield `\n],"metadata":${JSON.stringify({ source, sha256, kernel, clock, lost })}}\n`;
}

function* batchEvents(
  batch: RecordBatch,
  names: readonly ColumnName[],
  threads: Map<number, { pid: number; task: string }>,
): Generator<string> {
  const vectors = new Map([...apart, ...names].map((n) => [n, batch.getChild(n)!]));
  let lines: string[] = [];
  for (let i = 0; i < batch.numRows; i++) {
    const get = (n: ColumnName): unknown => vectors.get(n)?.get(i) ?? null;
    lines.push(line(eventOf(get, names)));
    const [tid, task] = [Number(get('pid') ?? 0), get('task')];
    if (task !== null) threads.set(tid, { pid: Number(get('tgid') ?? tid), task: String(task) });
    if (lines.length === 4096 || i === batch.numRows - 1) {
      yield lines.join(',\n');
      lines = [];
    }
  }
}
