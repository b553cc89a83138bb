import { MAX_VA_SIZE_PAGES } from '../linux/mm/vmap-nodes.js';
import { peek, type Replay } from './replay.js';
import { type Effect, poolOf } from './replay-purges.js';
import type { AllocOp } from './vmalloc-op.js';

/**
 * Is a decay done as soon as it is seen? Unless calls under way say no: one got the first area of a pool, as it was
 * before; one got none though one is left, as the pool was taken off for a moment; one got a place of the free
 * space though the decay would have given back a lower one.
 */
export function atOnce(r: Replay, e: Effect, calls: readonly AllocOp[]): boolean {
  if (e.what !== 'decay' || e.op.node < 0) return false;
  const { nodes } = r.space;
  if (calls.length === 0 || nodes[e.node]!.pooled === 0) return true;
  const back = decaying(r, e);
  return !calls.some((o) => {
    const vn = nodes[o.cpu % nodes.length]!;
    const pool = o.size <= MAX_VA_SIZE_PAGES && vn.len[o.size - 1]! > 0;
    return pool ? o.cpu % nodes.length === e.node && beforeDecay(r, e, o) : beforeMerge(r, back, o);
  });
}

/** How many areas a decay takes from a pool of `len`. */
const quarter = (r: Replay, full: boolean, len: number): number =>
  full || (len < 4 && r.space.drainShortPools) ? len : len >> 2;

/** The runs of pages that a decay will give back. */
function decaying(r: Replay, e: Effect): [start: number, end: number][] {
  const { nodes, areas } = r.space;
  const vn = nodes[e.node]!;
  const out: [number, number][] = [];
  for (let i = 0; i < MAX_VA_SIZE_PAGES; i++) {
    let n = quarter(r, e.full, vn.len[i]!);
    for (const va of poolOf(r, vn, i + 1)) {
      if (n-- === 0) break;
      out.push([areas.start[va]!, areas.end[va]!]);
    }
  }
  out.sort((x, y) => x[0] - y[0]);
  const runs: [number, number][] = [];
  for (const [start, end] of out) {
    const last = runs.at(-1);
    if (last && last[1] === start) last[1] = end;
    else runs.push([start, end]);
  }
  return runs;
}

/** Did `o` get the place the free space has now, though there would be a lower one among `back`? */
const beforeMerge = (r: Replay, back: readonly [number, number][], o: AllocOp): boolean =>
  back.some(
    ([s, e]) => s < o.at && Math.ceil(s / o.align) * o.align + o.size <= e && s >= o.vstart,
  ) && peek(r, o) === o.at;

/** Did `o` find the pool as it is before the decay, or taken off? */
function beforeDecay(r: Replay, e: Effect, o: AllocOp): boolean {
  const vn = r.space.nodes[e.node]!;
  const pool = [...poolOf(r, vn, o.size)].map((va) => r.space.areas.start[va]!);
  const first = pool[quarter(r, e.full, pool.length)];
  if (o.at === first) return false;
  if (o.at === pool[0]) return o.since < e.op.n; // who began first was first
  return first !== undefined && first % o.align === 0;
}
