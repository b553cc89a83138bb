import { runAlone } from '../engines/run.js';
import { appendEvent, type Cell } from '../events/append.js';
import { fileWriter } from '../events/file.js';
import { newMeta, type TraceMeta } from '../events/meta.js';
import { asKernel, type Call, type Workload } from '../linux/lib/workload.js';
import type { Machine } from '../linux/mm/machine.js';
import { type VmallocState, vmallocOn } from '../linux/mm/vmalloc-state.js';
import type { Kernel } from '../linux/step.js';
import { newSystem, type System, task } from '../linux/system.js';
import { schemes } from '../schemes/index.js';
import type { Options } from './command.js';
import { simulateTimed } from './simulate-timed.js';
import { boundsOf, type Ended, endOf, endText } from './simulated-end.js';
import { startFrom } from './start-from.js';

/** Time between two events: there is no cost model here, only an order. */
const TICK_NS = 1000n;

/** One task of a simulated run. */
export interface Worker {
  readonly name: string;
  readonly cpu: number;
  readonly work: Workload<unknown>;
}

/** What a simulated run left. */
export interface Ran {
  readonly events: number;
  readonly meta: TraceMeta;
  readonly end: Ended;
}

/** Run `workers` one call after another in turn, each alone, and write what they log to `out`. */
export function simulate(
  machine: Machine,
  workers: readonly Worker[],
  options: Options,
  label: string,
): Ran {
  if (options['scheme'] !== undefined) return simulateTimed(machine, workers, options, label);
  const out = String(options['output']);
  const sys = newSystem(schemes.none, [], { grows: true });
  const vm = vmallocOn(sys, machine);
  startFrom(vm, options);
  const meta = newMeta(label, 'run');
  meta.kernel = machine.era?.name ?? null;
  meta.cpus = machine.cpus;
  meta.notes.push('simulated in order, without a cost model: stamps are 1 us apart');
  meta.run = { scheme: 'none', scenario: label, era: machine.era?.name ?? '', seed: String(options['seed']), cost_model: 'none' }; // biome-ignore format: one record
  const writer = fileWriter(out, meta);
  let now = 0n;
  const log = (w: Worker, pid: number, what: string, fields: Readonly<Record<string, Cell>>) => {
    now += TICK_NS;
    appendEvent(writer.log, what, { ts_ns: now, cpu: w.cpu, pid, task: w.name }, fields);
  };
  const boot = { name: 'init', cpu: 0, work: workers[0]!.work };
  log(boot, 1, 'tracing_mark_write', { detail: 'MARK wl_begin' });
  const { events } = boundsOf(options);
  const cut = takeTurns(sys, vm, workers, log, () => writer.log.total >= events);
  log(boot, 1, 'tracing_mark_write', { detail: 'MARK wl_end' });
  const end = endOf({ cut: cut ? 'events' : null, events: writer.log.total, time_ns: Number(now), stuck: [] }); // biome-ignore format: one line
  if (cut) meta.notes.push(endText(end).join(' '));
  writer.finish(meta);
  return { events: meta.seen, meta, end };
}

type Logger = (
  w: Worker,
  pid: number,
  what: string,
  fields: Readonly<Record<string, Cell>>,
) => void;

/** A call each in turn, until all have ended; true if `full` said that the log may not grow. */
function takeTurns(
  sys: System,
  vm: VmallocState,
  workers: readonly Worker[],
  log: Logger,
  full: () => boolean,
): boolean {
  const running = workers.map((w, i) => {
    const one = task(sys, w.name, w.cpu, function* () {});
    return { w, one, pid: 100 + i, answer: 0, done: false };
  });
  const alone = function* (r: (typeof running)[number]): Kernel {
    const next = r.w.work.next(r.answer);
    r.done = next.done === true;
    if (next.done) return;
    r.answer = yield* asKernel(vm, once(next.value), r.w.cpu);
  };
  while (running.some((r) => !r.done))
    for (const r of running) {
      if (full()) return true;
      if (r.done) continue;
      runAlone(sys, r.one, alone(r), (_, step) => {
        if (step.op === 'trace') log(r.w, r.pid, step.what, step.fields);
      });
    }
  return false;
}

function* once(call: Call): Workload<number> {
  return yield call;
}
