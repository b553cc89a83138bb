import { type Batch, endLog, newLog } from '../../events/log.js';
import { addGap, addUnparsed, newMeta, type TraceMeta } from '../../events/meta.js';
import type { Ids, Part, PartSize } from '../../events/parts.js';
import { noteOrder } from '../ftrace/event.js';
import { endStack, newState, type State } from '../ftrace/state.js';
import { readLines } from '../ftrace/text.js';
import type { Place } from '../lines.js';

/** A chunk for a worker to read: it begins with an event's line, at byte `offset` of the text. */
export interface Job {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offset: number;
  /** What '# tracer:' named before. */
  readonly tracer: string | null;
}

/** What a worker made of a job, and its bytes again. */
export interface Answer {
  readonly chunk: Chunk;
  readonly sizes: readonly PartSize[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What becomes of the rows that a worker read. */
export interface Verdict {
  readonly ids: Ids;
  /** Number of the first row. */
  readonly first: number;
  /** Where to write each batch; null: hand them over. */
  readonly file: { readonly path: string; readonly places: readonly number[] } | null;
}

/** The rows handed over; none if they were written. */
export interface Delivery {
  readonly parts: readonly Part[];
}

/** What reading a piece of a text trace on its own gave: plain values, to be handed to another thread. */
export interface Chunk {
  /** Does it say the same wherever it stands, behind the same '# tracer:'? */
  readonly plain: boolean;
  readonly tracer: string | null;
  readonly bytes: number;
  readonly dicts: Readonly<Record<string, readonly string[]>>;
  readonly lines: number;
  /** First and last stamp, two words each. */
  readonly first: readonly [number, number];
  readonly last: readonly [number, number];
  readonly outOfOrder: number;
  readonly formless: number;
  readonly console: number;
  readonly joined: number;
  readonly ticks: boolean | null;
  readonly meta: Pick<TraceMeta, 'lost' | 'lost_per_cpu' | 'gaps' | 'unparsed'>;
}

/** More places of loss are not kept: which ones depends on those before. */
const mostGaps = 500;

/**
 * Would a chunk that follows be read the same without what was read so far? Pages, mails, lists of processes and
 * calls that are open reach from one line to others.
 */
export const isPlain = ({ inTrace, mail, inProcesses, graph }: State): boolean =>
  inTrace === null && !mail && !inProcesses && graph.open.size === 0 && graph.running.size === 0;

/** What a chunk may change, and how that is added to what was read before it is known. */
const merged: readonly (keyof State | keyof TraceMeta)[] = [
  'lastHi',
  'lastLo',
  'outOfOrder',
  'formless',
  'console',
  'joined',
  'ticks',
  'lost',
];

/** Is there a plain value that is not as at the start, and of which `merged` knows nothing? */
const saysMore = (now: object, start: object): boolean =>
  Object.entries(now).some(
    ([name, v]) =>
      (typeof v !== 'object' || v === null) &&
      v !== (start as Record<string, unknown>)[name] &&
      !(merged as readonly string[]).includes(name),
  );

/** Stamp of the first row; the chunk begins with an event. */
function firstStamp(batches: readonly Batch[]): [number, number] {
  const [lo = 0, hi = 0] = batches[0]?.cells.ts_ns.words ?? [];
  return [hi, lo];
}

/** A chunk that was read, with its rows. */
interface Read {
  readonly chunk: Chunk;
  readonly batches: readonly Batch[];
}

/** Read a piece that begins with an event's line. */
export async function readChunk({ bytes, offset, tracer }: Job): Promise<Read> {
  const batches: Batch[] = [];
  const meta = newMeta('', '');
  const log = newLog((batch) => void batches.push(batch));
  const start = { ...newState(log, meta), tracer };
  const s = { ...start };
  const clean = { ...meta };
  const end = await readLines(s, [bytes], { line: 0, offset });
  endStack(s);
  endLog(log);
  const { lost, lost_per_cpu, gaps, unparsed } = meta;
  const { outOfOrder, formless, console, joined, ticks } = s;
  const isLong = gaps.length > mostGaps || meta.notes.length > 0;
  const chunk: Chunk = {
    plain: isPlain(s) && !isLong && !saysMore(s, start) && !saysMore(meta, clean),
    tracer,
    bytes: bytes.length,
    dicts: Object.fromEntries(Object.entries(log.dicts).map(([n, d]) => [n, d.values])),
    lines: end.line,
    first: firstStamp(batches),
    last: [s.lastHi, s.lastLo],
    ...{ outOfOrder, formless, console, joined, ticks },
    meta: { lost, lost_per_cpu, gaps, unparsed },
  };
  return { chunk, batches };
}

/** Would the chunk be read the same behind what was read so far? Else it must be read again. */
export const canMerge = (s: State, { plain, tracer }: Chunk): boolean =>
  plain && isPlain(s) && s.tracer === tracer;

/**
 * Add what a chunk that can be merged says to what was read before, up to `before`, but for its rows; gives where
 * it ends, and what its rows must be called.
 */
export function mergeChunk(s: State, chunk: Chunk, before: Place): { place: Place; ids: Ids } {
  const { log, meta } = s;
  endStack(s);
  s.wrapped = null;
  for (const gap of chunk.meta.gaps) addGap(meta, { ...gap, seq: gap.seq + log.total });
  const { lines, samples } = chunk.meta.unparsed;
  for (const u of samples) addUnparsed(meta, { ...u, line: u.line! + before.line });
  meta.unparsed.lines += lines - samples.length;
  noteOrder(s, ...chunk.first);
  [s.lastHi, s.lastLo] = chunk.last;
  s.outOfOrder += chunk.outOfOrder;
  s.formless += chunk.formless;
  s.console += chunk.console;
  s.joined += chunk.joined;
  s.ticks ??= chunk.ticks;
  const ids = Object.entries(log.dicts).map(([name, dict]) => [
    name,
    Int32Array.from(chunk.dicts[name]!, (v) => dict.intern(v)),
  ]);
  const place = { line: before.line + chunk.lines, offset: before.offset + chunk.bytes };
  return { place, ids: Object.fromEntries(ids) as Ids };
}
