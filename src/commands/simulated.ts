import { sleepCosts } from '../analyses/sleep-costs.js';
import type { Spec } from '../charts/chart.js';
import { sideBySide } from '../charts/side-by-side.js';
import { sleepsSideBySide } from '../charts/sleep-costs.js';
import { memoryWriter } from '../events/file.js';
import type { Trace } from '../events/trace.js';
import { pattern, readPattern } from '../linux/lib/vmix.js';
import { machineOf } from './machine-options.js';
import { runTimed } from './simulate-timed.js';

/** A timed run for a notebook; every field has a default. */
export interface SimulatedRun {
  readonly scheme?: string;
  /** Release whose rules apply. */
  readonly kernel?: string;
  readonly cpus?: number;
  readonly readers?: number;
  /** Pattern of one loop: four small objects fill two slots, then a block replaces a table. */
  readonly ops?: string;
  readonly loops?: number;
  /** A machine: mesh-server, small-soc, emulated-guest, or a file of `ptlab calibrate`. */
  readonly profile?: string;
  /** Entries a walk reads outside vmalloc: the longer the dump. */
  readonly rest?: number;
  readonly seed?: string;
}

const preset: Required<SimulatedRun> = {
  scheme: 'v6',
  kernel: '6.18',
  cpus: 4,
  readers: 1,
  ops: 's300.s300.s300.s300.F.p.h512.F.p',
  loops: 100,
  profile: 'mesh-server',
  rest: 100000,
  seed: '1',
};

/**
 * A simulated run as a trace in memory, for every analysis and chart.
 * @example const t = simulated({ scheme: 'trylock', readers: 2 })
 */
export function simulated(run: SimulatedRun = {}): Trace {
  const o = { ...preset, ...run };
  const { scheme, readers, profile, rest, seed, cpus, kernel } = o;
  const machine = { granule: '4K', fragmentation: 0, vaBits: 48, nodes: 1, memory: 16, image: 11 };
  const options = { scheme, readers, profile, rest, seed, cpus, kernel, ...machine };
  const work = pattern(readPattern(o.ops), o.loops, 4096);
  const workers = [{ name: 'vmix/0', cpu: 0, work }];
  return runTimed(machineOf(options), workers, options, `vmix ${o.ops}`, memoryWriter).trace;
}

/** The command that makes these comparisons again. */
const notebook = ['ptlab', 'run', 'notebooks/02-sleep-costs.ipynb'];

/** Time asleep of vmalloc calls, a curve a trace. */
export function compareSleeps(traces: Readonly<Record<string, Trace>>): Spec {
  const series = Object.entries(traces).map(([name, t]) => ({
    name,
    times_ns: sleepCosts(t).sleeps.flatMap((s) => (s.role === 'vmalloc' ? [s.asleep_ns] : [])),
  }));
  return sleepsSideBySide(series, { command: notebook });
}

/** The same figures of several traces, a column a trace. */
export function compareFigures(
  what: string,
  traces: Readonly<Record<string, Trace>>,
  figures: (t: Trace) => object,
): Spec {
  const columns = Object.entries(traces).map(([name, t]) => ({ name, result: figures(t) }));
  return sideBySide(what, columns, { command: notebook });
}
