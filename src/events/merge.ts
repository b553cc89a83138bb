import { type RowSource, rowSource, sourceName } from './copy.js';
import { gapSpans } from './gaps.js';
import type { Log } from './log.js';
import { type Gap, newMeta, type TraceMeta } from './meta.js';
import type { Trace } from './trace.js';

const olderThan = (a: Int32Array, i: number, b: Int32Array, k: number): boolean => {
  const [x, y] = [a[i * 2 + 1]!, b[k * 2 + 1]!];
  return x < y || (x === y && a[i * 2]! >>> 0 < b[k * 2]! >>> 0);
};

/** The rows' order by time; null where they already have it. */
function orderOf({ ts, rows }: RowSource): Uint32Array | null {
  let sorted = true;
  for (let i = 1; i < rows && sorted; i++) sorted = !olderThan(ts, i, ts, i - 1);
  if (sorted) return null;
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  return order.sort((a, b) => (olderThan(ts, a, ts, b) ? -1 : olderThan(ts, b, ts, a) ? 1 : a - b));
}

/** Places of a trace's gaps in the merged one, as they become known. */
interface GapMove {
  /** Row of the trace that comes first after the gap, and the gaps there. */
  readonly before: ReadonlyMap<number, Gap[]>;
  /** Gaps behind which the CPU has no event. */
  readonly atEnd: readonly Gap[];
}

function gapMove(trace: Trace, name: string): GapMove {
  const before = new Map<number, Gap[]>();
  const atEnd: Gap[] = [];
  for (const { cpu, lost, source, seq, next } of gapSpans(trace)) {
    const gap = { cpu, lost, seq, source: sourceName(name, source) };
    if (next === null) atEnd.push(gap);
    else before.set(next, [...(before.get(next) ?? []), gap]);
  }
  return { before, atEnd };
}

/**
 * Append the rows of several traces by time; `source` is the file's name, or one of `names` if it is
 * not unique. Gives the gaps of all, at their new places.
 */
export function mergeInto(log: Log, traces: readonly Trace[], names: readonly string[]): Gap[] {
  const parts = traces.map((t, i) => {
    const name =
      traces.filter((x) => x.meta.source === t.meta.source).length > 1 ? names[i]! : t.meta.source;
    const source = rowSource(t, log, name);
    return { source, order: orderOf(source), at: 0, moves: gapMove(t, name) };
  });
  const gaps: Gap[] = [];
  const row = (p: (typeof parts)[number]): number => (p.order ? p.order[p.at]! : p.at);
  let live = parts.filter((p) => p.source.rows > 0);
  while (live.length > 0) {
    let best = live[0]!;
    for (const p of live) {
      if (olderThan(p.source.ts, row(p), best.source.ts, row(best))) best = p;
    }
    const next = row(best);
    for (const g of best.moves.before.get(next) ?? []) gaps.push({ ...g, seq: log.total });
    best.source.append(next);
    if (++best.at === best.source.rows) live = live.filter((p) => p !== best);
  }
  const atEnd = parts.flatMap((p) => p.moves.atEnd);
  return [...gaps, ...atEnd.map((g) => ({ ...g, seq: log.total }))];
}

const same = <T>(values: readonly T[]): T | null =>
  values.length > 0 && values.every((v) => v === values[0]) ? values[0]! : null;

function addCounts(to: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [cpu, n] of Object.entries(more)) to[cpu] = (to[cpu] ?? 0) + n;
}

/** What is known of several traces together, but for the places of their gaps. */
export function mergeMeta(metas: readonly TraceMeta[]): TraceMeta {
  const meta = newMeta(metas.map((m) => m.source).join(' + '), 'merged');
  meta.sha256 = metas.map((m) => m.sha256).join('+');
  meta.clock = same(metas.map((m) => m.clock));
  meta.kernel = same(metas.map((m) => m.kernel).filter((k) => k !== null));
  meta.cpus = Math.max(...metas.map((m) => m.cpus ?? 0)) || null;
  const stated = metas.map((m) => m.stated);
  meta.stated = stated.includes(null) ? null : stated.reduce<number>((a, b) => a + b!, 0);
  for (const m of metas) {
    meta.lost += m.lost;
    addCounts(meta.lost_per_cpu, m.lost_per_cpu);
    if (meta.stated !== null) addCounts(meta.stated_per_cpu, m.stated_per_cpu);
    meta.unparsed.lines += m.unparsed.lines;
    meta.unparsed.samples.push(...m.unparsed.samples);
    meta.notes.push(...m.notes.map((n) => `${m.source}: ${n}`));
  }
  if (new Set(metas.map((m) => m.clock).filter((c) => c !== null)).size > 1) {
    meta.notes.push('the files were recorded with different clocks: their order may mean nothing');
  }
  return meta;
}
