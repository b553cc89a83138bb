import { cursor, ns, type Trace } from '../events/trace.js';
import { marks } from './phases.js';
import { quantiles } from './quantiles.js';
import { raceWindows } from './race-windows.js';
import { type SleepCosts, sleepCosts } from './sleep-costs.js';

/** What a run cost vmalloc, in one row. A figure of which the trace can tell nothing is null. */
export interface RunCosts {
  readonly scheme: string;
  /** Calls of vmalloc in the workload (between MARK wl_begin and wl_end, if they are there), and their rate. */
  readonly calls: number;
  readonly calls_per_s: number | null;
  /** Tables freed; under another task's walk; of these with no lock held. */
  readonly frees: number | null;
  readonly in_walk: number | null;
  readonly bare: number | null;
  /** Calls that slept, and for how long. */
  readonly slept: number | null;
  readonly p50_us: number | null;
  readonly p90_us: number | null;
  readonly max_us: number | null;
  /** Huge mappings refused by a trylock, and their share of those that would replace a table. */
  readonly lost_huge: number | null;
  readonly lost_percent: number | null;
  readonly grace_periods: number;
  readonly violations: number;
  /** Time asleep of each call that slept, for curves; null if that cannot be told. */
  readonly sleeps_ns: readonly number[] | null;
  readonly missing: readonly string[];
}

/** Stamp of row `row` of a trace. */
function stampOf(trace: Trace, row: number): number {
  let base = 0;
  for (const b of trace.batches) {
    if (row < base + b.numRows) return ns(cursor(b, 'ts_ns'), row - base);
    base += b.numRows;
  }
  return Number.POSITIVE_INFINITY;
}

/** The calls of the workload, and how many of them there were a second. */
function rateOf(trace: Trace, { calls }: SleepCosts): { n: number; per_s: number | null } {
  const all = marks(trace);
  const begin = all.find((m) => m.name === 'wl_begin');
  const end = begin && all.find((m) => m.name === 'wl_end' && m.row > begin.row);
  const from = begin ? stampOf(trace, begin.row) : Number.NEGATIVE_INFINITY;
  const to = end ? stampOf(trace, end.row) : Number.POSITIVE_INFINITY;
  const own = calls.filter((c) => c.role === 'vmalloc' && c.begin_ns >= from && c.begin_ns < to);
  const first = own.reduce((t, c) => Math.min(t, c.begin_ns), Number.POSITIVE_INFINITY);
  const last = own.reduce((t, c) => Math.max(t, c.last_ns), 0);
  return { n: own.length, per_s: last > first ? (own.length * 1e9) / (last - first) : null };
}

/**
 * The costs of a run for vmalloc's callers, recorded or simulated alike: who slept, what was lost, how fast it went. Time
 * asleep as in `sleepCosts`, frees as in `raceWindows`.
 */
export function runCosts(trace: Trace): RunCosts {
  const s = sleepCosts(trace);
  const r = raceWindows(trace);
  const own = s.by_scheme.find((c) => c.role === 'vmalloc');
  const tells = own !== undefined && own.slept !== null;
  const sleeps = tells
    ? s.sleeps.filter((x) => x.role === 'vmalloc').map((x) => x.asleep_ns)
    : null;
  const q = quantiles(sleeps ?? []);
  const us = (v: number | undefined): number | null => (v === undefined ? null : v / 1000);
  const lost = own?.lost_huge ?? null;
  const { n, per_s } = rateOf(trace, s);
  const { total, in_walk, in_walk_unlocked } = r.frees;
  const asked = (lost ?? 0) + (total ?? 0);
  return {
    scheme: s.scheme,
    calls: n,
    calls_per_s: per_s,
    frees: total,
    in_walk,
    bare: in_walk_unlocked,
    slept: own?.slept ?? null,
    p50_us: us(q?.p50),
    p90_us: us(q?.p90),
    max_us: us(q?.max),
    lost_huge: lost,
    lost_percent: lost === null || asked === 0 ? null : (100 * lost) / asked,
    grace_periods: s.by_scheme.reduce((sum, c) => sum + c.grace_periods, 0),
    violations: own?.violations ?? 0,
    sleeps_ns: sleeps,
    missing: [...new Set([...s.missing, ...r.missing])],
  };
}
