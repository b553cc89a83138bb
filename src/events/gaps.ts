import type { Gap } from './meta.js';
import { cursor, dictValues, has, ns, type Trace } from './trace.js';

/** A gap and the time it spans. */
export interface GapSpan extends Gap {
  /** Stamp of its CPU's last event before the gap; null if there is none. */
  readonly from_ns: number | null;
  /** Stamp of its CPU's first event after the gap; null if there is none. */
  readonly to_ns: number | null;
  /** Row of that event. */
  readonly next: number | null;
}

/** The events of one CPU of one source, as far as they were looked at. */
interface Track {
  /** Its gaps by place, and how many of them are behind. */
  readonly gaps: { readonly gap: Gap; readonly index: number }[];
  passed: number;
  last: number | null;
}

const anyCpu = -1;
const noSource = -1;
const unseenSource = -2;

/** Tracks by id of the source, then by CPU. */
type Tracks = ReadonlyMap<number, ReadonlyMap<number, Track>>;

function tracksOf(trace: Trace): Tracks {
  const sources = dictValues(trace, 'source');
  const tracks = new Map<number, Map<number, Track>>();
  for (const [index, gap] of trace.meta.gaps.entries()) {
    const at = gap.source === undefined ? noSource : sources.indexOf(gap.source);
    const source = at < 0 && gap.source !== undefined ? unseenSource : at;
    const byCpu = tracks.get(source) ?? new Map<number, Track>();
    tracks.set(source, byCpu);
    const cpu = gap.cpu ?? anyCpu;
    const track = byCpu.get(cpu) ?? { gaps: [], passed: 0, last: null };
    byCpu.set(cpu, track);
    track.gaps.push({ gap, index });
  }
  const all = [...tracks.values()].flatMap((t) => [...t.values()]);
  for (const t of all) t.gaps.sort((a, b) => a.gap.seq - b.gap.seq || a.index - b.index);
  return tracks;
}

function pass(track: Track, row: number, at: number, spans: GapSpan[]): void {
  const { gaps } = track;
  for (; track.passed < gaps.length && gaps[track.passed]!.gap.seq <= row; track.passed++) {
    const { gap, index } = gaps[track.passed]!;
    spans[index] = { ...gap, from_ns: track.last, to_ns: at, next: row };
  }
  track.last = at;
}

/** The gaps of a trace in their order, with the stamps of the events around each on its CPU. */
export function gapSpans(trace: Trace): GapSpan[] {
  const { gaps } = trace.meta;
  if (gaps.length === 0) return [];
  const tracks = tracksOf(trace);
  const spans: GapSpan[] = [];
  let base = 0;
  for (const batch of trace.batches) {
    const [cpu, source, ts] = [
      cursor(batch, 'cpu'),
      cursor(batch, 'source'),
      cursor(batch, 'ts_ns'),
    ];
    for (let i = 0; i < batch.numRows; i++) {
      const byCpu = tracks.get(has(source, i) ? source.values[i]! : noSource);
      if (byCpu === undefined) continue;
      const at = ns(ts, i);
      const own = has(cpu, i) ? byCpu.get(cpu.values[i]!) : undefined;
      const any = byCpu.get(anyCpu);
      if (own) pass(own, base + i, at, spans);
      if (any) pass(any, base + i, at, spans);
    }
    base += batch.numRows;
  }
  for (const { gaps: list, last } of [...tracks.values()].flatMap((t) => [...t.values()])) {
    for (const { gap, index } of list) {
      spans[index] ??= { ...gap, from_ns: last, to_ns: null, next: null };
    }
  }
  return spans;
}
