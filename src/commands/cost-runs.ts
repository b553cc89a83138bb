// Runs whose costs stand side by side: recorded, simulated along an axis, or the work of a recorded one done again.

import { opList } from '../analyses/op-list.js';
import { runCosts } from '../analyses/run-costs.js';
import { segmentsOf } from '../analyses/segments.js';
import type { Spec } from '../charts/chart.js';
import { costLines, costTable } from '../charts/run-costs.js';
import { shortNames } from '../charts/side-by-side.js';
import { sleepsSideBySide } from '../charts/sleep-costs.js';
import { fitProfile } from '../engines/cost-fit.js';
import type { Trace } from '../events/trace.js';
import type { NamedCosts, SweptRun } from './cost-words.js';
import { load } from './notebook.js';
import { againUnder } from './simulate-ops.js';
import { type SimulatedRun, simulated } from './simulated.js';

/** The costs of runs, under their names. */
export const costsOf = (traces: Readonly<Record<string, Trace>>): NamedCosts[] =>
  Object.entries(traces).map(([run, t]) => ({ run, ...runCosts(t) }));

/** What a sweep varies: a field of a simulated run, and what it counts. */
export const sweepAxes = {
  rest: 'entries a walk reads',
  every_ms: 'ms from one read of the dump to the next',
  callers: 'tasks that call vmalloc',
  apart_us: 'us of rest before each overwrite',
} as const;
export type SweepAxis = keyof typeof sweepAxes;

/** One simulated run a scheme and value of the axis; all else as in `base`. */
export function sweepCosts(
  axis: SweepAxis,
  values: readonly number[],
  schemes: readonly string[],
  base: SimulatedRun = {},
): SweptRun[] {
  return schemes.flatMap((scheme) =>
    values.map((at) => ({ run: scheme, at, ...runCosts(simulated({ ...base, scheme, [axis]: at })) })),
  ); // biome-ignore format: one record
}

/** The work of a recorded run, done again in the model. */
export interface SameWork {
  /** The recorded run first, then one a scheme; empty if the trace lacks what it takes. */
  readonly rows: readonly NamedCosts[];
  /** What was fitted, left out, or is lacking. */
  readonly notes: readonly string[];
}

/**
 * What a trace asked of vmalloc, done again under each scheme, on a machine fitted to that trace, beside as many readers as
 * it had. Needs the operations (vmalloc tracepoints) and times between events (kprobes, mmap_lock); says what is lacking.
 */
export function sameWork(
  trace: Trace,
  schemes: readonly string[],
  { name = 'the trace', seed = '1' } = {},
): SameWork {
  const list = opList(trace);
  if (list.operations === 0)
    return { rows: [], notes: ['The trace has no operation on vmalloc to do again: record events/vmalloc.'] }; // biome-ignore format: one line
  const m = segmentsOf(trace);
  const fitted = Object.keys(m.segments).length > 0;
  const { profile } = fitProfile(name, name, 250, m);
  const readers = Math.min(m.readers, 16);
  const runs = schemes.map((scheme) => {
    const t = againUnder(list, scheme, { readers, seed, profile: fitted ? profile : 'emulated-guest' }); // biome-ignore format: one line
    return { run: `sim ${scheme}`, ...runCosts(t) };
  });
  const left = Object.entries(list.left_out).map(([what, n]) => `left out: ${n} ${what}`);
  const notes = [
    `${list.operations} operations of ${name}, ${readers} readers of the dump, ${fitted ? 'a machine fitted to the trace' : 'no times to fit: the seeds of an emulated guest'}.`,
    ...[...left, ...m.missing.map((t) => `not fitted: ${t}`)].map((t) => `${t}.`),
  ];
  return { rows: [{ run: name, ...runCosts(trace) }, ...runs], notes };
}

/** The command that makes these figures again. */
const about = { command: ['ptlab', 'run', 'notebooks/02-sleep-costs.ipynb'] };

/** Runs side by side as a table; `of` is the trace that they are about. */
export function tableOfCosts(
  what: string,
  rows: readonly NamedCosts[],
  notes: readonly string[] = [],
  of?: Trace,
): Spec {
  const more = of ? { trace: of.meta.source, lost: of.meta.lost } : {};
  const { sha256, kernel } = of?.meta ?? {};
  const digest = { ...(kernel && { kernel }), ...(sha256 && { sha256 }) };
  return costTable(what, rows, { ...about, ...more, ...digest }, notes);
}

/** Time asleep per call that slept, a curve a run; who never slept, and who cannot be told, is said below. */
export function curvesOfSleeps(rows: readonly NamedCosts[]): Spec {
  const series = rows.map((r) => ({ name: r.run, times_ns: r.sleeps_ns }));
  return sleepsSideBySide(series, about);
}

/** The longest sleep, the share of huge mappings lost, and the throughput along the axis of a sweep. */
export const linesOfCosts = (axis: SweepAxis, rows: readonly SweptRun[]): Spec =>
  costLines(sweepAxes[axis], rows, about);

/**
 * Open recorded runs, each under the shortest end of its path that tells it apart; a path '' is left out.
 * @example const runs = await loadRuns(['../data/A-x2b/trace.txt.gz'])
 */
export async function loadRuns(paths: readonly string[]): Promise<Record<string, Trace>> {
  const given = paths.filter((p) => p !== '');
  const names = given.map((p) => p.replace(/\/trace\.\w+(\.gz)?$/, ''));
  const short = shortNames(names);
  const out: Record<string, Trace> = {};
  for (const [i, path] of given.entries()) out[short[i]!] = await load(path);
  return out;
}
