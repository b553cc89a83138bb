import type { RecordBatch } from 'apache-arrow';
import { usedColumns } from './csv.js';
import { type GapSpan, gapSpans } from './gaps.js';
import { type ColumnName, columns } from './schema.js';
import { span, type Trace } from './trace.js';

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

/** Above every pid of Linux: idle tasks, which are all 0, by CPU, and the places of losses. */
const idleTids = 1 << 23;
const lossPid = 1 << 24;

/** Addresses in hexadecimal, other wide numbers as they are where a double holds them. */
function shown(name: ColumnName, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  if (columns[name].kind === 'u64') return `0x${value.toString(16)}`;
  const v = Number(value);
  return Number.isSafeInteger(v) ? v : String(value);
}

/** Microseconds with three digits behind the point, exact. */
function microseconds(ns: bigint): string {
  const [sign, v] = ns < 0n ? ['-', -ns] : ['', ns];
  return `${sign}${v / 1000n}.${String(v % 1000n).padStart(3, '0')}`;
}

/** An event as JSON; its stamp is put in as text, since a double may not hold it. */
const line = (event: object, ts?: bigint): string =>
  ts === undefined
    ? JSON.stringify(event)
    : `{"ts":${microseconds(ts)},${JSON.stringify(event).slice(1)}`;

interface Place {
  readonly pid: number;
  readonly tid: number;
}

/** The thread of an event; the idle tasks of all CPUs have pid 0, but each its own slices. */
function placeOf(get: (n: ColumnName) => unknown): Place {
  const tid = Number(get('pid') ?? 0);
  if (tid === 0) return { pid: 0, tid: idleTids + Number(get('cpu') ?? 0) };
  return { pid: Number(get('tgid') ?? tid), tid };
}

/** One row as an event of Chrome's trace format. */
function eventLine(
  get: (n: ColumnName) => unknown,
  names: readonly ColumnName[],
  place: Place,
): string {
  const event = String(get('event'));
  const args: Record<string, unknown> = { cpu: get('cpu') };
  for (const n of names) {
    const v = get(n);
    if (v !== null) args[n] = shown(n, v);
  }
  const ts = get('ts_ns') as bigint;
  const label = (of: string): string => (of === '' ? String(get('at') ?? event) : of);
  const duration = get('duration_ns') as number | null;
  const common = { cat: event, ...place, args };
  if (event === 'funcgraph_leaf' && duration !== null) {
    return line({ name: label(''), ph: 'X', dur: duration / 1000, ...common }, ts);
  }
  if (Object.hasOwn(opens, event))
    return line({ name: label(opens[event]!), ph: 'B', ...common }, ts);
  if (Object.hasOwn(closes, event))
    return line({ name: label(closes[event]!), ph: 'E', ...common }, ts);
  return line({ name: event, ph: 'i', s: 't', ...common }, ts);
}

/** Names of processes and threads. */
function* nameLines(threads: ReadonlyMap<number, Place & { task: string }>): Generator<string> {
  const processes = new Map<number, string>();
  for (const { pid, tid, task } of threads.values()) {
    const name = pid === 0 ? `swapper/${tid - idleTids}` : task;
    if (pid === tid || !processes.has(pid)) processes.set(pid, pid === 0 ? 'idle' : task);
    yield line({ name: 'thread_name', ph: 'M', pid, tid, args: { name } });
  }
  for (const [pid, name] of processes) {
    yield line({ name: 'process_name', ph: 'M', pid, tid: pid, args: { name } });
  }
}

/** A slice for each gap, on a track of its CPU. */
function* gapLines(gaps: readonly GapSpan[], trace: Trace): Generator<string> {
  const edges = gaps.length > 0 ? span(trace) : null;
  if (!edges) return;
  const tracks = new Map<number, string>();
  for (const { cpu, source, lost, from_ns, to_ns } of gaps) {
    const tid = lossPid + 1 + (cpu ?? 65536);
    tracks.set(tid, cpu === null ? 'a CPU not stated' : `CPU ${cpu}`);
    const begin = from_ns === null ? edges.first : BigInt(from_ns);
    const dur = Math.max(0, (to_ns ?? Number(edges.last)) - Number(begin)) / 1000;
    const name = `${lost === null ? 'unknown how many' : lost} events missing`;
    yield line(
      { name, cat: 'gap', ph: 'X', dur, pid: lossPid, tid, args: { cpu, lost, source } },
      begin,
    );
  }
  for (const [tid, name] of tracks) {
    yield line({ name: 'thread_name', ph: 'M', pid: lossPid, tid, args: { name } });
  }
  yield line({
    name: 'process_name',
    ph: 'M',
    pid: lossPid,
    tid: lossPid,
    args: { name: 'events missing' },
  });
}

/**
 * The trace in Chrome's JSON format, in pieces: it opens in the Perfetto UI and chrome://tracing. Every
 * event is an instant, but for walks, lock contention and function graph, which are slices.
 */
export function* chromePieces(trace: Trace): Generator<string> {
  const names = usedColumns(trace).filter((n) => !apart.includes(n));
  const threads = new Map<number, Place & { task: string }>();
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  let between = '';
  for (const piece of allPieces(trace, names, threads)) {
    yield `${between}${piece}`;
    between = ',\n';
  }
  const { source, sha256, kernel, clock, seen, stated, lost, gaps } = trace.meta;
  const metadata = { source, sha256, kernel, clock, seen, stated, lost, gaps };
  yield `\n],"metadata":${JSON.stringify(metadata)}}\n`;
}

function* allPieces(
  trace: Trace,
  names: readonly ColumnName[],
  threads: Map<number, Place & { task: string }>,
): Generator<string> {
  for (const batch of trace.batches) yield* batchEvents(batch, names, threads);
  yield* nameLines(threads);
  yield* gapLines(gapSpans(trace), trace);
}

function* batchEvents(
  batch: RecordBatch,
  names: readonly ColumnName[],
  threads: Map<number, Place & { task: string }>,
): Generator<string> {
  const vectors = new Map([...apart, ...names].map((n) => [n, batch.getChild(n)!]));
  let lines: string[] = [];
  for (let i = 0; i < batch.numRows; i++) {
    const get = (n: ColumnName): unknown => vectors.get(n)?.get(i) ?? null;
    const place = placeOf(get);
    lines.push(eventLine(get, names, place));
    const task = get('task');
    if (task !== null && threads.get(place.tid)?.task !== task) {
      threads.set(place.tid, { ...place, task: String(task) });
    }
    if (lines.length === 4096 || i === batch.numRows - 1) {
      yield lines.join(',\n');
      lines = [];
    }
  }
}
