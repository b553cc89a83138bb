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
  /** Tasks that call vmalloc, each on a CPU of its own; readers are on others as long as there are some. */
  readonly callers?: number;
  /** Time from one read of the dump to the next, median; default: as the profile says. */
  readonly every_ms?: number;
  /** Rest of a caller before each overwrite. */
  readonly apart_us?: number;
  /** Pattern of one loop: four small objects fill two slots, then a block replaces a table. */
  readonly ops?: string;
  readonly loops?: number;
  /** A machine: mesh-server, small-soc, emulated-guest, or a file of `ptlab calibrate`. */
  readonly profile?: string;
  /** Entries a walk reads outside vmalloc: the longer the dump. */
  readonly rest?: number;
  readonly seed?: string;
}

const preset: Required<Omit<SimulatedRun, 'every_ms'>> = {
  scheme: 'v6',
  kernel: '6.18',
  cpus: 4,
  readers: 1,
  callers: 1,
  apart_us: 0,
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
  const { scheme, readers, profile, rest, seed, kernel, callers } = o;
  const cpus = Math.max(o.cpus, callers + readers);
  const every = o.every_ms === undefined ? {} : { every: o.every_ms };
  const machine = { granule: '4K', fragmentation: 0, vaBits: 48, nodes: 1, memory: 16, image: 11 };
  const options = { scheme, readers, profile, rest, seed, cpus, kernel, ...every, ...machine };
  const ops = readPattern(o.apart_us > 0 ? `r${o.apart_us}.${o.ops}` : o.ops);
  const workers = Array.from({ length: callers }, (_, cpu) => ({
    name: `vmix/${cpu}`,
    cpu,
    work: pattern(ops, o.loops, 4096),
  }));
  return runTimed(machineOf(options), workers, options, `vmix ${o.ops}`, memoryWriter).trace;
}
