// A profile from measured times. What was not measured stays a seed, and is named.
import { type Cost, type CostName, type Dist, PATCH_SHARE, type Profile, seeds } from './cost.js';

/** Measured times, ascending; see analyses/segments.ts. */
export interface Measured {
  readonly segments: Readonly<Record<string, readonly number[]>>;
  readonly lock_ns: readonly number[];
  readonly wake_ns: readonly number[];
  readonly work_item_ns: readonly number[];
  readonly next_read_ns: readonly number[];
  readonly key_flip_ns: readonly number[];
  readonly patch_share: number | null;
  readonly walks_per_read: number;
}

/** Points kept of a measured distribution. */
const POINTS = 512;

/** Quantiles of a sorted list: all of a short one, else at the middles of equal shares, and the greatest. */
export function quantilesOf(sorted: readonly number[]): number[] {
  if (sorted.length <= POINTS) return [...sorted];
  const out = Array.from(
    { length: POINTS },
    (_, i) => sorted[Math.floor(((i + 0.5) / POINTS) * sorted.length)]!,
  );
  out[POINTS - 1] = sorted[sorted.length - 1]!;
  return out;
}

const dist = (list: readonly number[]): Dist => ({ quantiles_ns: quantilesOf(list) });

/** The profile `name` of a machine with `hz` ticks; `source` says where the times come from. */
export function fitProfile(
  name: string,
  source: string,
  hz: number,
  m: Measured,
): { profile: Profile; unfit: CostName[] } {
  const own: Partial<Record<CostName, Cost>> = {};
  const put = (cost: CostName, list: readonly number[]): void => {
    if (list.length >= 5) own[cost] = { dist: dist(list), source };
  };
  put('rwsem lock', m.lock_ns);
  put('wake-up', m.wake_ns);
  put('work item', m.work_item_ns);
  put('next read', m.next_read_ns);
  put('key flip', m.key_flip_ns);
  // A measured wake-up ends when the task goes on: the switch to it is in it.
  if (own['wake-up']) own['context switch'] = { dist: { median_ns: 0 }, source };
  const segments = Object.fromEntries(Object.entries(m.segments).map(([k, v]) => [k, dist(v)]));
  // The flip is the time between key_en and the walk: drawn once, not twice.
  for (const k of Object.keys(segments))
    if (own['key flip'] && k.startsWith('key_en>walk')) segments[k] = { quantiles_ns: [0] };
  const profile: Profile = {
    name,
    about: `fitted to ${source}`,
    factor: 1,
    own,
    hz,
    socket: 64,
    segments,
    walks_per_read: m.walks_per_read,
    patch_share: m.patch_share ?? PATCH_SHARE,
  };
  const unfit = (Object.keys(seeds) as CostName[]).filter((n) => !own[n] && n !== 'free');
  return { profile, unfit };
}
