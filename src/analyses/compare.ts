import type { Trace } from '../events/trace.js';
import { overwrites } from './overwrites.js';
import { raceWindows } from './race-windows.js';
import { sleepCosts } from './sleep-costs.js';

/** One figure of two traces, with a 95 % bootstrap interval of the change of its mean. */
export interface Change {
  readonly figure: string;
  readonly unit: string;
  readonly n_before: number;
  readonly n_after: number;
  readonly before: number;
  readonly after: number;
  /** after - before, and its interval; null where a side has fewer than ten samples. */
  readonly change: number;
  readonly low: number | null;
  readonly high: number | null;
  /** The interval does not hold 0; null where there is none. */
  readonly differs: boolean | null;
}

/** Result of `compareTraces`. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** What could not be compared, and which trace lacks it. */
  readonly missing: readonly string[];
}

interface Figure {
  readonly figure: string;
  readonly unit: string;
  readonly samples: readonly number[];
}

const resamples = 2000;
const fewest = 10;
const bucket_ns = 100e6;

/** A small generator of random numbers in [0, 1): the same seed gives the same numbers. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const mean = (list: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += list[i]!;
  return sum / list.length;
};

function resampledMean(list: readonly number[], next: () => number): number {
  let sum = 0;
  for (let i = 0; i < list.length; i++) sum += list[Math.floor(next() * list.length)]!;
  return sum / list.length;
}

/**
 * The 95 % percentile-bootstrap interval of mean(b) - mean(a), from 2000 resamples drawn with
 * `seed`; null if a side has fewer than ten samples, of which resampling makes too narrow an interval.
 * Efron 1979; samples are taken as independent.
 */
export function bootstrap(
  a: readonly number[],
  b: readonly number[],
  seed = 1,
): { low: number; high: number } | null {
  if (Math.min(a.length, b.length) < fewest) return null;
  const next = random(seed);
  const all = Float64Array.from(
    { length: resamples },
    () => resampledMean(b, next) - resampledMean(a, next),
  ).sort();
  return { low: all[Math.floor(0.025 * resamples)]!, high: all[Math.ceil(0.975 * resamples) - 1]! };
}

/** Overwrites in each 100 ms of the workload (of the whole trace, if it marks none), per second. */
function rates(trace: Trace): number[] {
  const o = overwrites(trace);
  if (o.observed === null && o.allocations === 0) return []; // not none: the trace cannot tell
  const span = o.spans.find((s) => s.phase === 'workload');
  const [from, to] = span ? [span.from_ns, span.to_ns] : [o.first_ns, o.last_ns];
  const counts = new Array<number>(Math.max(1, Math.floor((to - from) / bucket_ns))).fill(0);
  for (const { ts_ns } of o.rows) {
    const i = Math.floor((ts_ns - from) / bucket_ns);
    if (i >= 0 && i < counts.length) counts[i]!++;
  }
  return counts.map((c) => c * (1e9 / bucket_ns));
}

const us = (list_ns: readonly number[]): number[] => list_ns.map((v) => v / 1000);
const present = (list: readonly (number | null)[]): number[] => list.filter((v) => v !== null);

/** Everything of a trace that has samples. */
function figuresOf(trace: Trace): Figure[] {
  const race = raceWindows(trace);
  const sleeps = sleepCosts(trace).sleeps;
  const asleep = (role: string) => sleeps.filter((s) => s.role === role).map((s) => s.asleep_ns);
  const held = race.holds.map((h) => (h.to_ns === null ? null : h.to_ns - h.from_ns));
  const ages = overwrites(trace).rows.map((r) => r.age_ns);
  return [
    { figure: 'overwrites', unit: 'per second', samples: rates(trace) },
    { figure: 'age of overwritten tables', unit: 'us', samples: us(present(ages)) },
    {
      figure: 'free window',
      unit: 'us',
      samples: us(present(race.windows.map((w) => w.window_ns))),
    },
    { figure: 'wait for the read lock', unit: 'us', samples: us(race.read_waits_ns) },
    { figure: 'wait for the write lock', unit: 'us', samples: us(race.write_waits_ns) },
    { figure: 'hold of the write lock', unit: 'us', samples: us(present(held)) },
    { figure: 'vmalloc asleep, per call that slept', unit: 'us', samples: us(asleep('vmalloc')) },
    { figure: 'ptdump asleep, per walk that slept', unit: 'us', samples: us(asleep('ptdump')) },
  ];
}

/**
 * Two traces, before and after a change: the mean of each figure that both have, and an interval of
 * its change. Samples within a trace are taken as independent; two boots are one run each, so an
 * interval says what differs between these traces, not between all boots.
 */
export function compareTraces(before: Trace, after: Trace, seed = 1): Comparison {
  const [a, b] = [figuresOf(before), figuresOf(after)];
  const changes: Change[] = [];
  const missing: string[] = [];
  for (const [i, { figure, unit, samples }] of a.entries()) {
    const other = b[i]!.samples;
    const lacks = [...(samples.length ? [] : ['before']), ...(other.length ? [] : ['after'])];
    if (lacks.length > 0) {
      missing.push(`${figure}: no samples ${lacks.join(' and ')}`);
      continue;
    }
    const [from, to] = [mean(samples), mean(other)];
    const interval = bootstrap(samples, other, seed);
    changes.push({
      figure, unit, n_before: samples.length, n_after: other.length, before: from, after: to,
      change: to - from, low: interval?.low ?? null, high: interval?.high ?? null,
      differs: interval ? interval.low > 0 || interval.high < 0 : null,
    }); // biome-ignore format: one record
  }
  return { changes, missing };
}
