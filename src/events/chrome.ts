import type { RecordBatch } from 'apache-arrow';
import { newSlices, type Phase, type Slices } from './chrome-slices.js';
import { newTracks, type Tracks } from './chrome-tracks.js';
import { usedColumns } from './csv.js';
import { type GapSpan, gapSpans } from './gaps.js';
import { type ColumnName, columns } from './schema.js';
import { dictValues, span, type Trace } from './trace.js';

const apart: readonly ColumnName[] = [
  'seq',
  'ts_ns',
  'cpu',
  'pid',
  'tgid',
  'task',
  'event',
  'source',
];

/** Events that open or close a slice on their thread, and the slice's name; null: where they are. */
const ends: Readonly<
  Record<string, { kind: 'begin' | 'end'; group: string; name: string | null }>
> = {
  funcgraph_entry: { kind: 'begin', group: 'function graph', name: null },
  funcgraph_exit: { kind: 'end', group: 'function graph', name: null },
  walk: { kind: 'begin', group: 'walk', name: 'ptdump walk' },
  walk_ret: { kind: 'end', group: 'walk', name: 'ptdump walk' },
  contention_begin: { kind: 'begin', group: 'lock', name: 'lock contention' },
  contention_end: { kind: 'end', group: 'lock', name: 'lock contention' },
};

/** Addresses in hexadecimal, other wide numbers as they are where a double holds them. */
function shown(name: ColumnName, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  if (columns[name].kind === 'u64') return `0x${value.toString(16)}`;
  const v = Number(value);
  return Number.isSafeInteger(v) ? v : String(value);
}

/** Microseconds with three digits behind the point, exact; never negative. */
const microseconds = (ns: bigint): string => `${ns / 1000n}.${String(ns % 1000n).padStart(3, '0')}`;

/** Perfetto takes DEL in a text for the end of the file. */
const json = (value: object): string => JSON.stringify(value).replaceAll('\u007f', '\\u007f');

/**
 * Where the stamps are counted from: readers hold them in a double, which keeps nanoseconds to 2^53 only.
 * 0, but where stamps are larger, or negative: there a whole second.
 */
function originOf(trace: Trace): bigint {
  const edges = span(trace);
  if (!edges || (edges.first >= 0n && edges.last < 1n << 53n)) return 0n;
  const second = 1_000_000_000n;
  const rest = ((edges.first % second) + second) % second;
  return edges.first - rest;
}

type Get = (n: ColumnName) => unknown;

function phaseOf(event: string, get: Get): Phase {
  const at = get('at') as string | null;
  const duration = get('duration_ns') as number | null;
  if (event === 'funcgraph_leaf' && duration !== null && duration >= 0)
    return { kind: 'whole', name: at || event, dur_ns: duration };
  const end = Object.hasOwn(ends, event) ? ends[event] : undefined;
  return end ? { ...end, name: end.name ?? (at || null) } : { kind: 'instant' };
}

type AddRows = (batch: RecordBatch, from: number, to: number) => void;

/** Puts rows of a batch on their tracks. */
function rowAdder(trace: Trace, idOf: IdOf, tracks: Tracks, slices: Slices): AddRows {
  const names = usedColumns(trace).filter((n) => !apart.includes(n));
  const add = (get: Get): void => {
    const cpu = get('cpu') as number | null;
    const [pid, task] = [get('pid') as number | null, get('task') as string | null];
    const place = tracks.placeOf({ pid, task, cpu, source: idOf(get('source') as string | null) });
    const args: Record<string, unknown> = { cpu };
    for (const n of names) {
      const v = get(n);
      if (v !== null) args[n] = shown(n, v);
    }
    const event = String(get('event'));
    slices.add(place, get('ts_ns') as bigint, event, phaseOf(event, get), args);
  };
  return (batch, from, to) => {
    const vectors = new Map([...apart, ...names].map((n) => [n, batch.getChild(n)!]));
    for (let i = from; i < to; i++) add((n) => vectors.get(n)?.get(i) ?? null);
  };
}

const latest = (a: bigint, b: bigint): bigint => (a > b ? a : b); // Math.max takes no bigint

/** A double holds large stamps to 512 ns only: none stands before the first event. */
const beginOf = ({ from_ns }: GapSpan, first: bigint): bigint =>
  from_ns === null || from_ns < first ? first : BigInt(from_ns);

/** A slice for each gap, on a track of its CPU, where one begins when the one before it has ended. */
function addGaps(trace: Trace, idOf: IdOf, tracks: Tracks, put: Put): void {
  const edges = span(trace);
  if (!edges) return;
  const spans = gapSpans(trace).map((gap) => ({ gap, from: beginOf(gap, edges.first) }));
  spans.sort((a, b) => Number(a.from - b.from));
  const ends = new Map<number, bigint>();
  for (const { gap, from } of spans) {
    const { cpu, source, lost, to_ns } = gap;
    const { pid, tid } = tracks.gapPlace(cpu, idOf(source ?? null));
    const before = ends.get(tid) ?? from; // where events are out of order, gaps may overlap
    const begin = latest(before, from);
    const end = to_ns === null ? edges.last : BigInt(to_ns);
    const ns = end > begin ? end - begin : 0n;
    ends.set(tid, begin + ns);
    const name = `${lost === null ? 'unknown how many' : lost} events missing`;
    put(
      { name, ph: 'X', dur: Number(ns) / 1000, cat: 'gap', pid, tid, args: { cpu, lost } },
      begin,
    );
  }
}

type Put = (event: object, ts?: bigint) => void;

/** The id of a source, -1 for none. */
type IdOf = (source: string | null) => number;

const rowsAtOnce = 4096;

/**
 * The trace in Chrome's JSON format, in pieces: for the Perfetto UI and chrome://tracing. Every event is
 * an instant, but for walks, lock contention and function graph, which are slices. Stamps are
 * microseconds; where `otherData.ts_origin_ns` is not 0 they are counted from there.
 */
export function* chromePieces(trace: Trace): Generator<string> {
  const sources = new Map(dictValues(trace, 'source').map((s, i) => [s, i]));
  const idOf: IdOf = (source) => (source === null ? -1 : (sources.get(source) ?? -1));
  const origin = originOf(trace);
  const tracks = newTracks(trace);
  let lines: string[] = [];
  const put: Put = (event, ts) => {
    // The stamp is put in as text, for all its digits.
    lines.push(
      ts === undefined ? json(event) : `{"ts":${microseconds(ts - origin)},${json(event).slice(1)}`,
    );
  };
  const slices = newSlices(put);
  const addRows = rowAdder(trace, idOf, tracks, slices);
  let between = '';
  const take = (): string => {
    const text = lines.length === 0 ? '' : `${between}${lines.join(',\n')}`;
    if (text !== '') between = ',\n';
    lines = [];
    return text;
  };
  yield '{"traceEvents":[\n';
  for (const batch of trace.batches) {
    for (let i = 0; i < batch.numRows; i += rowsAtOnce) {
      addRows(batch, i, Math.min(batch.numRows, i + rowsAtOnce));
      yield take();
    }
  }
  slices.finish();
  addGaps(trace, idOf, tracks, put);
  for (const event of tracks.metadata()) put(event);
  yield take();
  const { source, sha256, kernel, clock, seen, stated, lost, gaps } = trace.meta;
  const about = { source, sha256, kernel, clock, seen, stated, lost, gaps };
  yield `\n],"otherData":${json({ ts_origin_ns: String(origin), ...about })}}\n`;
}
