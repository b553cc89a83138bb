import { type Cost, type Profile, profiles } from '../engines/cost.js';
import { logSink } from '../engines/sim-log.js';
import { simulate } from '../engines/simulate.js';
import { fileWriter, type TraceWriter } from '../events/file.js';
import { newMeta, type TraceMeta } from '../events/meta.js';
import { asKernel, type Workload } from '../linux/lib/workload.js';
import type { Machine } from '../linux/mm/vmalloc-fast.js';
import type { VmallocState } from '../linux/mm/vmalloc-state.js';
import type { Kernel } from '../linux/step.js';
import { timedSystem } from '../scenarios/timed.js';
import { schemes } from '../schemes/index.js';
import { byName, type Options, UserError } from './command.js';
import { whole } from './machine-options.js';
import { profileOf } from './profile-file.js';
import { boundOptions, boundsOf, type Ended, endOf, endText } from './simulated-end.js';
import { startFrom } from './start-from.js';

/** A caller of vmalloc in a timed run. */
export interface TimedWorker {
  readonly name: string;
  readonly cpu: number;
  readonly work: Workload<unknown> | ((vm: VmallocState) => Kernel<unknown>);
}

/** Options of a timed run; without --scheme the run has an order, but no times. */
export const timedOptions = [
  ['--scheme <name>', 'run in time, under this locking scheme: none, v1, v3, v6, trylock ...'],
  ['--readers <n>', 'tasks that read kernel_page_tables all the time', '1'],
  ['--profile <name>', `machine: ${Object.keys(profiles).join(', ')}, or a file of ptlab calibrate`, 'mesh-server'], // biome-ignore format: one line
  ['--rest <entries>', 'entries a walk reads outside vmalloc: the longer the dump', '100000'],
  ['--every <ms>', 'time from one read to the next, median; default: as the profile says'],
  ['--walks <n>', 'complete walks a read makes; default: as the profile says'],
  ...boundOptions,
] as const;

/** The profile with readers that rest as --every says. */
function resting(p: Profile, options: Options): Profile {
  if (options['every'] === undefined) return p;
  const ms = Number(options['every']);
  if (!(ms > 0 && ms <= 1e6))
    throw new UserError(`--every ${options['every']}: milliseconds, above 0, at most 1000000`);
  const rest: Cost = { dist: { median_ns: ms * 1e6, sigma: 0.5 }, source: '--every' };
  return { ...p, own: { ...p.own, 'next read': rest } };
}

/** What a timed run is made of, from the command line. */
export function timedSetup(options: Options) {
  const scheme = byName('scheme', schemes, String(options['scheme']));
  const given = options['profile'] ?? 'mesh-server';
  const fitted = typeof given === 'object' ? (given as Profile) : profileOf(String(given));
  const profile = resting(fitted, options);
  const walks = options['walks'] === undefined ? profile.walks_per_read : whole(options, 'walks', 1, 64); // biome-ignore format: one line
  return {
    scheme,
    profile,
    readers: whole(options, 'readers', 0, 16),
    dump: { rest_entries: whole(options, 'rest', 0, 1e9), walks_per_read: walks },
  };
}

/** Run `workers` and readers in time; `prepare` may put things into vmalloc's address space first. */
export function runTimed<T>(
  machine: Machine,
  workers: readonly TimedWorker[],
  options: Options,
  label: string,
  writerOf: (meta: TraceMeta) => TraceWriter<T>,
  prepare: (vm: VmallocState) => void = () => {},
  readerCpus?: readonly number[],
): { trace: T; events: number; meta: TraceMeta; end: Ended } {
  const s = timedSetup(options);
  const callers = workers.map((w) => ({
    name: w.name,
    cpu: w.cpu,
    run: (vm: VmallocState) =>
      typeof w.work === 'function' ? w.work(vm) : asKernel(vm, w.work, w.cpu),
  }));
  if (callers.length + s.readers > 30) {
    throw new UserError(
      `${callers.length} callers and ${s.readers} readers: the locks of the model hold 30 tasks`,
    );
  }
  const { sys } = timedSystem({
    scheme: s.scheme,
    era: machine.era!,
    cpus: machine.cpus,
    callers,
    readers: s.readers,
    ...(readerCpus ? { readerCpus } : {}),
    dump: s.dump,
    machine,
    prepare,
  });
  const meta = newMeta(label, 'run');
  meta.kernel = machine.era?.name ?? null;
  meta.cpus = machine.cpus;
  meta.run = { scheme: s.scheme.name, scenario: label, era: machine.era?.name ?? '', seed: String(options['seed']), cost_model: s.profile.name }; // biome-ignore format: one record
  const writer = writerOf(meta);
  const result = simulate(sys, {
    profile: s.profile,
    seed: String(options['seed']),
    sink: logSink(writer.log),
    cpus: machine.cpus,
    limits: boundsOf(options),
  });
  const end = endOf(result);
  if (end.cut_off || end.stuck.length > 0) meta.notes.push(endText(end).join(' '));
  const trace = writer.finish(meta);
  return { trace, events: meta.seen, meta, end };
}

/** The same, written to the file of --output. */
export function simulateTimed(
  machine: Machine,
  workers: readonly TimedWorker[],
  options: Options,
  label: string,
) {
  const out = String(options['output']);
  return runTimed(machine, workers, options, label, (m) => fileWriter(out, m), (vm) => startFrom(vm, options)); // biome-ignore format: one line
}
