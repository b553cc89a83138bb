// Random times of a cost table: each distribution is tabled once, so that a draw is one random number and one load.
import type { CostName, Dist, Profile } from './cost.js';
import { seeds } from './cost.js';
import { costNames } from './step-code.js';

/** A stream of 32-bit numbers (xorshift128, Marsaglia 2003); the same seed gives the same stream. */
export interface Stream {
  x: number;
  y: number;
  z: number;
  w: number;
}

/** A stream for a seed. */
export function stream(text: string): Stream {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  const s = { x: h | 1, y: 0x1f123bb5, z: 0x5491333a ^ h, w: 0x05491333 };
  for (let i = 0; i < 20; i++) next(s);
  return s;
}

/** 32 random bits. */
export function next(s: Stream): number {
  const t = s.x ^ (s.x << 11);
  s.x = s.y;
  s.y = s.z;
  s.z = s.w;
  s.w = (s.w ^ (s.w >>> 19) ^ (t ^ (t >>> 8))) | 0;
  return s.w >>> 0;
}

/** Entries of a table. */
const SIZE = 1024;

/** Inverse of the normal distribution (Acklam's rational approximation, relative error below 1.2e-9). */
function probit(p: number): number {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239]; // biome-ignore format: a table
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572]; // biome-ignore format: a table
  const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783]; // biome-ignore format: a table
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const poly = (k: readonly number[], x: number, last?: number): number =>
    [...k, ...(last === undefined ? [] : [last])].reduce((sum, v) => sum * x + v, 0);
  if (p < 0.02425 || p > 1 - 0.02425) {
    const q = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)));
    return (p < 0.5 ? 1 : -1) * (poly(c, q) / poly(d, q, 1));
  }
  const q = p - 0.5;
  return (poly(a, q * q) * q) / poly(b, q * q, 1);
}

/** A distribution as SIZE equally likely times, whole nanoseconds. */
export function tabled(dist: Dist, factor = 1): Float64Array {
  const out = new Float64Array(SIZE);
  for (let i = 0; i < SIZE; i++) {
    const p = (i + 0.5) / SIZE;
    if ('quantiles_ns' in dist) {
      const q = dist.quantiles_ns;
      out[i] = Math.round(q[Math.min(q.length - 1, Math.floor(p * q.length))] ?? 0);
    } else out[i] = Math.round(dist.median_ns * factor * Math.exp((dist.sigma ?? 0) * probit(p)));
  }
  return out;
}

/** A random time of a table. */
export const draw = (s: Stream, table: Float64Array): number => table[next(s) & (SIZE - 1)]!;

/** All tables of a profile. */
export interface Tables {
  readonly costs: Readonly<Record<CostName, Float64Array>>;
  /** The same by number (step-code.ts). */
  readonly byNumber: readonly Float64Array[];
}

/** Table a profile. */
export function tablesOf(p: Profile): Tables {
  const byNumber = costNames.map((n) => (p.own[n] ? tabled(p.own[n].dist) : tabled(seeds[n].dist, p.factor))); // biome-ignore format: one line
  const costs = Object.fromEntries(costNames.map((n, i) => [n, byNumber[i]!]));
  return { costs: costs as Record<CostName, Float64Array>, byNumber };
}
