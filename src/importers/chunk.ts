import { appendPart, type Ids, type Part, partOf } from '../events/append-part.js';
import { endLog, newLog } from '../events/log.js';
import { addGap, addUnparsed, newMeta, type TraceMeta } from '../events/meta.js';
import { columnNames } from '../events/schema.js';
import { noteOrder } from './ftrace-event.js';
import { readLines } from './ftrace-lines.js';
import { endStack, newState, type State } from './ftrace-text.js';
import type { Place } from './lines.js';

/** A chunk for a worker to read: it begins with an event's line, at byte `offset` of the text. */
export interface Job {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offset: number;
  /** What '# tracer:' named before. */
  readonly tracer: string | null;
  /** Memory of former answers. */
  readonly spare: ArrayBuffer[];
}

/** What a worker made of a job, and its bytes again. */
export interface Answer {
  readonly chunk: Chunk;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What reading a piece of a text trace on its own gave: plain values, to be handed to another thread. */
export interface Chunk {
  /** Does it say the same wherever it stands, behind the same '# tracer:'? */
  readonly plain: boolean;
  readonly tracer: string | null;
  readonly bytes: number;
  readonly parts: readonly Part[];
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

const TS = columnNames.indexOf('ts_ns');

/** Stamp of the first row; the chunk begins with an event. */
function firstStamp(parts: readonly Part[]): [number, number] {
  const ts = parts[0]?.columns.find(([at]) => at === TS)?.[1];
  const [lo = 0, hi = 0] = ts ? new Int32Array(ts.values, 0, 2) : [];
  return [hi, lo];
}

/** Read a piece that begins with an event's line. */
export async function readChunk({ bytes, offset, tracer }: Omit<Job, 'spare'>): Promise<Chunk> {
  const parts: Part[] = [];
  const meta = newMeta('', '');
  const log = newLog(({ length, cells }) => void parts.push(partOf(length, Object.values(cells))));
  const start = { ...newState(log, meta), tracer };
  const s = { ...start };
  const clean = { ...meta };
  const end = await readLines(s, [bytes], { line: 0, offset });
  endStack(s);
  endLog(log);
  const { lost, lost_per_cpu, gaps, unparsed } = meta;
  const { outOfOrder, formless, console, joined, ticks } = s;
  const isLong = gaps.length > mostGaps || meta.notes.length > 0;
  return {
    plain: isPlain(s) && !isLong && !saysMore(s, start) && !saysMore(meta, clean),
    tracer,
    bytes: bytes.length,
    parts,
    dicts: Object.fromEntries(Object.entries(log.dicts).map(([n, d]) => [n, d.values])),
    lines: end.line,
    first: firstStamp(parts),
    last: [s.lastHi, s.lastLo],
    ...{ outOfOrder, formless, console, joined, ticks },
    meta: { lost, lost_per_cpu, gaps, unparsed },
  };
}

/** Would the chunk be read the same behind what was read so far? Else it must be read again. */
export const canMerge = (s: State, { plain, tracer }: Chunk): boolean =>
  plain && isPlain(s) && s.tracer === tracer;

/** Add a chunk that can be merged to what was read before, up to `before`; gives where it ends. */
export function mergeChunk(s: State, chunk: Chunk, before: Place): Place {
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
  for (const part of chunk.parts) appendPart(log, part, Object.fromEntries(ids) as Ids);
  return { line: before.line + chunk.lines, offset: before.offset + chunk.bytes };
}
