// How a timed run begins: its options, its threads, its state.
import { running } from '../linux/step/flat.js';
import { place, type System } from '../linux/system.js';
import { newAgenda } from './clock.js';
import type { Profile } from './cost.js';
import { stream, tablesOf } from './draw.js';
import { NO_PROBE, segmentTables } from './sim-probe.js';
import type { Limits, Sim, Sink, Thread, Watch } from './sim-state.js';

/** How to run. */
export interface SimulateOptions {
  readonly profile: Profile;
  readonly seed: string;
  readonly sink: Sink;
  readonly cpus: number;
  /** Process id of a task; default 100 + its number. */
  readonly pid?: (task: number) => number;
  /** Stop behind any of these: `cut` says which. None: no bound. */
  readonly limits?: Partial<Limits>;
  readonly watch?: Watch;
}

function threadsOf(sys: System, o: SimulateOptions): Thread[] {
  return sys.tasks.map((task, id) => ({
    id, task, pid: o.pid?.(id) ?? 100 + id, cpu: Math.max(0, task.cpu) % o.cpus,
    code: 0, run: running(task.run(sys)), step: undefined, on: -1, state: 2, padding: false, version: 0,
    endsAt: 0, remaining: 0, vruntime: 0, resched: false, onCpuAt: 0, probe: NO_PROBE, worked: 0, overlooked: 0, after: 0, flushed: false, complained: false,
    queuedAt: Number.NaN, granted: false, waking: false, contended: false, listed: false, gpEnds: 0, spinUntil: 0,
  })); // biome-ignore format: a table
}

const NO_LIMITS: Limits = {
  time_ns: Number.POSITIVE_INFINITY,
  steps: Number.POSITIVE_INFINITY,
  events: Number.POSITIVE_INFINITY,
};

/** The state of a run of `sys`, before its first moment. */
export function newSim(sys: System, o: SimulateOptions): Sim {
  const threads = threadsOf(sys, o);
  const tables = tablesOf(o.profile);
  return {
    sys,
    profile: o.profile,
    tables,
    lineNear: tables.costs['line transfer'],
    lineFar: tables.costs['line remote'],
    segments: segmentTables(o.profile),
    offInSegments: Object.hasOwn(o.profile.segments, 'key_dis>key_en'),
    random: stream(o.seed),
    agenda: newAgenda(),
    threads,
    cpus: Array.from({ length: o.cpus }, (_, id) => ({ id, running: null, queue: [], last: null })),
    waiters: new Map(),
    waiting: 0,
    sink: o.sink,
    watch: o.watch,
    initMm: sys.named.has('init_mm') ? place(sys, 'init_mm') : -1,
    jiffy_ns: 1e9 / o.profile.hz,
    owner: new Int16Array(sys.cells.length),
    lineFree: new Float64Array(sys.cells.length),
    now: 0,
    alive: threads.filter((t) => !t.task.daemon).length,
    steps: 0,
    events: 0,
    limits: { ...NO_LIMITS, ...o.limits },
    grace: { ends: 0, next: 0 },
    keyFree: 0,
  };
}
