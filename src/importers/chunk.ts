import { appendPart, type Ids, type Part, partOf } from '../events/append-part.js';
import { endLog, newLog } from '../events/log.js';
import { addGap, addUnparsed, newMeta, type TraceMeta } from '../events/meta.js';
import { columnNames } from '../events/schema.js';
import { readLines } from './ftrace.js';
import { noteOrder } from './ftrace-event.js';
import { endStack, newState, type State } from './ftrace-text.js';
import type { Place } from './lines.js';

/** What reading a piece of a text trace on its own gave: plain values, to be handed to another thread. */
export interface Chunk {
  /** Does it say the same wherever it stands? Else it must be read again, after what comes before it. */
  readonly plain: boolean;
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

/** Did the lines read say something of the trace as a whole? */
const saysMore = ({ meta, overwritten, around, processes }: State, clean: TraceMeta): boolean =>
  meta.stated !== clean.stated ||
  meta.cpus !== clean.cpus ||
  meta.kernel !== clean.kernel ||
  meta.clock !== clean.clock ||
  overwritten + around + processes > 0 ||
  meta.gaps.length > mostGaps;

const TS = columnNames.indexOf('ts_ns');

/** Stamp of the first row; the chunk begins with an event. */
function firstStamp(parts: readonly Part[]): [number, number] {
  const ts = parts[0]?.columns.find((c) => c.at === TS);
  const [lo = 0, hi = 0] = ts ? new Int32Array(ts.values, 0, 2) : [];
  return [hi, lo];
}

/** Read a piece that begins with an event's line; `tracer` is what the header names, `offset` where it begins. */
export async function readChunk(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  tracer: string | null,
  offset: number,
): Promise<Chunk> {
  const parts: Part[] = [];
  const meta = newMeta('', '');
  const log = newLog(({ length, cells }) => void parts.push(partOf(length, Object.values(cells))));
  const s = newState(log, meta);
  s.tracer = tracer;
  const end = await readLines(s, pieces, { line: 0, offset });
  endStack(s);
  endLog(log);
  const { lost, lost_per_cpu, gaps, unparsed } = meta;
  const { outOfOrder, formless, console, joined } = s;
  return {
    plain: isPlain(s) && s.tracer === tracer && !saysMore(s, newMeta('', '')),
    parts,
    dicts: Object.fromEntries(Object.entries(log.dicts).map(([n, d]) => [n, d.values])),
    lines: end.line,
    first: firstStamp(parts),
    last: [s.lastHi, s.lastLo],
    ...{ outOfOrder, formless, console, joined },
    meta: { lost, lost_per_cpu, gaps, unparsed },
  };
}

/** Add a plain chunk to what was read before, up to `before`; gives where it ends. */
export function mergeChunk(s: State, chunk: Chunk, before: Place, end: number): Place {
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
  const ids = Object.entries(log.dicts).map(([name, dict]) => [
    name,
    Int32Array.from(chunk.dicts[name]!, (v) => dict.intern(v)),
  ]);
  for (const part of chunk.parts) appendPart(log, part, Object.fromEntries(ids) as Ids);
  return { line: before.line + chunk.lines, offset: end };
}
