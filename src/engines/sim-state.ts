// The state of a timed run: threads, CPUs, what comes when.
import type { Running } from '../linux/step/flat.js';
import type { Place, Step } from '../linux/step.js';
import type { System, Task } from '../linux/system.js';
import type { Agenda } from './clock.js';
import type { Profile } from './cost.js';
import type { Stream, Tables } from './draw.js';
import type { Segments } from './sim-probe.js';

/** Where a thread is. */
export const READY_TO_RUN = 0;
export const RUNNING = 1;
export const ASLEEP = 2;
/** On its CPU, polling for a lock. */
export const SPINNING = 3;
export const DONE = 4;

/** A task of the system as it runs in time. */
export interface Thread {
  readonly id: number;
  readonly task: Task;
  readonly pid: number;
  readonly cpu: number;
  readonly run: Running;
  step: Step | undefined;
  /** What its step is (step-code.ts), and the place it is at, where it has one that matters in time. */
  code: number;
  on: Place;
  state: number;
  /** The step waits for time that stands between two events (see Profile.segments) to pass. */
  padding: boolean;
  /** Validity of its entry in the agenda, and when that is due. */
  version: number;
  endsAt: number;
  /** Time its step still needs, when it was preempted. */
  remaining: number;
  vruntime: number;
  /** Another should run: it goes off its CPU when it may be preempted. C: TIF_NEED_RESCHED */
  resched: boolean;
  onCpuAt: number;
  /** The number of the last event it logged (sim-probe.ts), and the time it has worked since. */
  probe: number;
  worked: number;
  /** Events since that no time was measured to. */
  overlooked: number;
  /** That it may not sleep here was reported for this step. */
  complained: boolean;
  /** The measured time of a flush has been spent since. */
  flushed: boolean;
  /** Time the step just done still takes, after it has taken effect. */
  after: number;
  /** In the queue of a lock since; NaN if in none. */
  queuedAt: number;
  /** A waker has given it the lock already. */
  granted: boolean;
  /** Told to wake up, not yet awake. */
  waking: boolean;
  /** contention_begin was logged and contention_end not. */
  contended: boolean;
  /** It stands in the list of those that wait for a word. */
  listed: boolean;
  /** When the grace period it waits for ends. */
  gpEnds: number;
  /** Until when it may spin for a lock that readers own. */
  spinUntil: number;
}

export interface Cpu {
  readonly id: number;
  running: Thread | null;
  readonly queue: Thread[];
  /** Whom it ran last, for sched_switch. */
  last: Thread | null;
}

/** Hears of every event of a run; fields by column name. */
export interface Sink {
  event(now: number, t: Thread, name: string, fields: Fields): void;
  lock(now: number, t: Thread, name: string, mode: 'read' | 'write', ok: boolean | null): void;
  /** No more events come. */
  end?(): void;
}
export type Fields = Readonly<Record<string, number | bigint | string>>;

/** Hears of every move, for replay by the explorer's rules. */
export type Watch = (task: Task, step: Step, outcome: number, queued: boolean) => void;

/** How far a run may go: simulated time, steps, events. */
export interface Limits {
  readonly time_ns: number;
  readonly steps: number;
  readonly events: number;
}

export interface Sim {
  readonly sys: System;
  readonly profile: Profile;
  readonly tables: Tables;
  /** Prices of a cache line from a core of the socket, from another socket. */
  readonly lineNear: Float64Array;
  readonly lineFar: Float64Array;
  readonly segments: Segments;
  /** The measured time from off to the next on has the switching off in it. */
  readonly offInSegments: boolean;
  readonly random: Stream;
  readonly agenda: Agenda;
  readonly threads: Thread[];
  readonly cpus: Cpu[];
  /** Threads that wait for something about a word. */
  readonly waiters: Map<Place, Thread[]>;
  /** How many do. */
  waiting: number;
  readonly sink: Sink;
  readonly watch: Watch | undefined;
  readonly initMm: Place;
  readonly jiffy_ns: number;
  /** Per word: the CPU that wrote it last + 1, and when its cache line is free again. */
  owner: Int16Array;
  lineFree: Float64Array;
  now: number;
  alive: number;
  steps: number;
  /** Events given to the sink. */
  events: number;
  /** The run is cut off behind these. */
  readonly limits: Limits;
  /** When the grace period in progress ends, and the one after it (0: not asked for). */
  readonly grace: { ends: number; next: number };
  /** When jump_label_mutex is free. */
  keyFree: number;
}

/** An event of `t`, now. */
export function emit(sim: Sim, t: Thread, name: string, fields: Fields): void {
  sim.events++;
  sim.sink.event(sim.now, t, name, fields);
}

/** The same of init_mm's lock; `ok`: whether it was got, where the event says so. */
export function emitLock(
  sim: Sim,
  t: Thread,
  name: string,
  mode: 'read' | 'write',
  ok: boolean | null,
): void {
  sim.events++;
  sim.sink.lock(sim.now, t, name, mode, ok);
}

/** What an agenda entry is. */
export const STEP_DONE = 0;
export const WAKE = 1;
export const GRANT = 2;
export const RETRY = 3;
export const SLICE = 4;

/** Nanoseconds a task may run while others wait. C: sysctl_sched_base_slice, 3 ms at most CPUs */
export const SLICE_NS = 3e6;
/** A waking task preempts one that is so far ahead. */
export const WAKEUP_NS = 1e6;
/** A queued waiter older than this asks for the handoff. C: RWSEM_WAIT_TIMEOUT */
export const handoffAfter = (hz: number): number => Math.ceil(hz / 250) * (1e9 / hz);
