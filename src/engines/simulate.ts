// Modelled kernel code in time: a discrete-event engine over the same generators that the explorer takes apart. A step takes
// effect when its cost has passed, by the explorer's own rules (linux/system/act.ts); so every schedule it produces is one
// the explorer allows. Time is whole nanoseconds; the same seed gives the same run.
import type { Place, Step } from '../linux/step.js';
import { outcomes, perform, READY, ready } from '../linux/system/act.js';
import { place, type System } from '../linux/system.js';
import { add, newAgenda, take } from './clock.js';
import { type Profile, stepCost, timesOf } from './cost.js';
import { draw, stream, tablesOf } from './draw.js';
import { enqueue, exit, sleep, sliceOver, wakeAt } from './sched.js';
import { faulted, logAfter, logBefore, probeOf } from './sim-events.js';
import {
  DONE,
  GRANT,
  RETRY,
  RUNNING,
  type Sim,
  type Sink,
  SLICE,
  SPINNING,
  STEP_DONE,
  type Thread,
  WAKE,
  type Watch,
} from './sim-state.js';
import { changed, contentionOver, graceEnds, grant, ownerLeft, pick, stopWaiting, wait } from './waiting.js'; // biome-ignore format: one line

/** How to run. */
export interface SimulateOptions {
  readonly profile: Profile;
  readonly seed: string;
  readonly sink: Sink;
  readonly cpus: number;
  /** Process id of a task; default 100 + its number. */
  readonly pid?: (task: number) => number;
  /** Stop at this time, or after so many steps: `cut` says so. */
  readonly limit_ns?: number;
  readonly limit_steps?: number;
  readonly watch?: Watch;
}

/** How it went. */
export interface Simulated {
  readonly time_ns: number;
  readonly steps: number;
  /** Why it did not come to its end: a limit, or tasks that wait for ever. */
  readonly cut: 'time' | 'steps' | null;
  readonly stuck: readonly string[];
}

function threadsOf(sys: System, o: SimulateOptions): Thread[] {
  return sys.tasks.map((task, id) => ({
    id, task, pid: o.pid?.(id) ?? 100 + id, cpu: Math.max(0, task.cpu) % o.cpus,
    gen: task.run(sys) as Thread['gen'], step: undefined, state: 2, padding: false, version: 0,
    endsAt: 0, remaining: 0, vruntime: 0, onCpuAt: 0, probe: '', worked: 0, overlooked: 0, after: 0, flushed: false, complained: false,
    queuedAt: Number.NaN, granted: false, waking: false, contended: false, gpEnds: 0, spinUntil: 0,
  })); // biome-ignore format: a table
}

function newSim(sys: System, o: SimulateOptions): Sim {
  const threads = threadsOf(sys, o);
  return {
    sys,
    profile: o.profile,
    tables: tablesOf(o.profile),
    random: stream(o.seed),
    agenda: newAgenda(),
    threads,
    cpus: Array.from({ length: o.cpus }, (_, id) => ({ id, running: null, queue: [], last: null })),
    waiters: new Map(),
    sink: o.sink,
    watch: o.watch,
    initMm: sys.named.has('init_mm') ? place(sys, 'init_mm') : -1,
    jiffy_ns: 1e9 / o.profile.hz,
    owner: new Int16Array(sys.cells.length),
    lineFree: new Float64Array(sys.cells.length),
    now: 0,
    alive: threads.filter((t) => !t.task.daemon).length,
    steps: 0,
    gpEnds: 0,
    keyFree: 0,
  };
}

/** Words were laid out since: room for their lines. */
function growLines(sim: Sim): void {
  const owner = new Int16Array(sim.sys.cells.length);
  owner.set(sim.owner);
  sim.owner = owner;
  const free = new Float64Array(sim.sys.cells.length);
  free.set(sim.lineFree);
  sim.lineFree = free;
}

/** A store or atomic at `on`: its line must come here, and one CPU has it at a time. */
function lineCost(sim: Sim, t: Thread, on: Place, own: number): number {
  if (on >= sim.owner.length) growLines(sim);
  const last = sim.owner[on]! - 1;
  sim.owner[on] = t.cpu + 1;
  const starts = Math.max(sim.now, sim.lineFree[on]!);
  let cost = own;
  if (last >= 0 && last !== t.cpu) {
    const { socket } = sim.profile;
    const near = Math.floor(last / socket) === Math.floor(t.cpu / socket);
    cost += draw(sim.random, sim.tables.costs[near ? 'line transfer' : 'line remote']);
  }
  sim.lineFree[on] = starts + cost;
  return starts - sim.now + cost;
}

/**
 * Patching goes under jump_label_mutex, one at a time; counting does not. The new text stands after the first part of it
 * (what follows is the IPI round, which the task waits for): the rest is left in `t.after`.
 */
function keyCost(sim: Sim, t: Thread, step: Step): number {
  if (step.op !== 'key') return 0;
  const on = sim.sys.cells[step.on]!;
  const flips = step.mode === 'enable' || step.mode === 'inc' ? on === 0 : on === 1;
  if (!flips) return draw(sim.random, sim.tables.costs['key count']);
  const starts = Math.max(sim.now, sim.keyFree);
  const flip = draw(sim.random, sim.tables.costs['key flip']);
  const patch = Math.round(flip * sim.profile.patch_share);
  sim.keyFree = starts + flip;
  // Where the time from off to the next on was measured, switching off lies in it.
  const measured = sim.tables.segments.has('key_dis>key_en');
  const off = step.mode === 'disable' || step.mode === 'dec';
  t.after = off && measured ? 0 : flip - patch;
  return starts - sim.now + (off && measured ? 0 : patch);
}

/** Time the step of `t` takes, from now on. */
function durationOf(sim: Sim, t: Thread, step: Step): number {
  if (step.op === 'key') return keyCost(sim, t, step);
  const name = stepCost(step);
  const own =
    name === 'free' ? 0 : Math.round(draw(sim.random, sim.tables.costs[name]) * timesOf(step));
  switch (step.op) {
    case 'write':
    case 'rmw':
    case 'lock':
    case 'trylock':
    case 'unlock':
      return lineCost(sim, t, step.on, own);
    default:
      return own;
  }
}

/** The step of `t` begins: log what is logged at its begin, and give its duration. */
function beginStep(sim: Sim, t: Thread, step: Step): number {
  logBefore(sim, t, step);
  const d = durationOf(sim, t, step);
  t.worked += d + t.after;
  return d;
}

const FREE = 'pmd_free_pte_page';
const LOCK = 'mmap_lock_start_locking.read';

/**
 * Time that measured neighbours of this event stand apart, beyond what the steps between have taken. From the free of a
 * table to the lock (or the block) nearly all is the flush (reference 5.6): there, before the key is looked at, it is put.
 */
function padding(sim: Sim, t: Thread, step: Step): number {
  const { segments } = sim.tables;
  if (segments.size === 0) return 0;
  const flush = step.op === 'tlbi' && t.probe === FREE;
  const probe = flush ? LOCK : probeOf(sim, step);
  if (probe === '' || (t.flushed && probe === LOCK)) return 0;
  let table = segments.get(`${t.probe}>${probe}`);
  if (flush) table ??= segments.get(`${FREE}>pmd_set_huge`);
  const gap = table ? Math.max(0, draw(sim.random, table) - t.worked) : 0;
  if (flush) {
    t.flushed = true;
    t.worked += gap;
  }
  return gap;
}

/** The step of `t` is over as to time: do it, or wait. False if `t` does not go on now. */
function complete(sim: Sim, t: Thread): boolean {
  const step = t.step!;
  if (step.op === 'gp' && step.mode === 'wait' && sim.now < t.gpEnds) {
    wakeAt(sim, t, t.gpEnds);
    sleep(sim, t);
    return false;
  }
  let result = 0;
  if (t.granted) t.granted = false;
  else {
    const is = ready(sim.sys, t.task, step);
    if (is !== READY) {
      wait(sim, t, step, is);
      if (t.state !== SPINNING) ownerLeft(sim, t);
      return false;
    }
    const n = outcomes(sim.sys, t.task, step);
    const outcome = n === 1 ? 0 : pick(sim, n);
    result = perform(sim.sys, t.task, step, outcome);
    sim.watch?.(t.task, step, outcome, false);
  }
  settle(sim, t, step, result);
  return advance(sim, t, result);
}

/** What follows from a step that was done. */
function settle(sim: Sim, t: Thread, step: Step, result: number): void {
  sim.steps++;
  if (sim.sys.fault?.kind === 'sleeping in atomic context' && t.complained)
    sim.sys.fault = undefined;
  if (sim.sys.fault) faulted(sim, t);
  t.complained = false;
  switch (step.op) {
    case 'lock':
      stopWaiting(sim, t, step.on);
      contentionOver(sim, t, step.on);
      t.queuedAt = Number.NaN;
      t.spinUntil = 0;
      if (step.mode === 'read') changed(sim, step.on);
      break;
    case 'wait':
      stopWaiting(sim, t, step.on);
      break;
    case 'unlock':
    case 'write':
    case 'rmw':
      if (sim.waiters.size > 0) changed(sim, step.on);
      break;
    case 'gp':
      if (step.mode === 'begin') t.gpEnds = graceEnds(sim);
      break;
  }
  logAfter(sim, t, step, result);
}

/** Let the code of `t` go on to its next step; false if it has ended, or sleeps. */
function advance(sim: Sim, t: Thread, result: number): boolean {
  const next = t.gen.next(result);
  if (next.done) {
    exit(sim, t);
    return false;
  }
  t.step = next.value;
  if (t.step.op === 'work' && (t.step.what === 'sleep' || t.step.what === 'next read')) {
    const table = sim.tables.costs['next read'];
    const length = t.step.what === 'sleep' ? t.step.n : draw(sim.random, table) * t.step.n;
    t.probe = '';
    wakeAt(sim, t, sim.now + Math.round(length));
    sleep(sim, t, 'S');
    ownerLeft(sim, t);
    return false;
  }
  return true;
}

/** `t` is on its CPU, and what it did last has just ended. */
function proceed(sim: Sim, t: Thread, limit_ns: number): void {
  t.state = RUNNING;
  for (;;) {
    let d: number;
    if (t.padding) {
      t.padding = false;
      d = beginStep(sim, t, t.step!);
    } else {
      if (t.step === undefined ? !advance(sim, t, 0) : !complete(sim, t)) return;
      const step = t.step!;
      const gap = padding(sim, t, step) + t.after;
      t.after = 0;
      t.padding = gap > 0;
      d = t.padding ? gap : beginStep(sim, t, step);
    }
    const at = sim.now + d;
    if (at > limit_ns || (sim.agenda.size > 0 && at >= sim.agenda.time[0]!)) {
      t.endsAt = at;
      add(sim.agenda, at, STEP_DONE, t.id, ++t.version);
      return;
    }
    sim.now = at;
  }
}

/** A sleeper of 'sleep' and 'next read' comes back: its step was to sleep, which is done. */
function retry(sim: Sim, t: Thread, limit_ns: number): void {
  if (t.state === SPINNING) proceed(sim, t, limit_ns);
}

function happen(sim: Sim, i: number, limit_ns: number): void {
  const { agenda, threads } = sim;
  const who = agenda.who[i]!;
  const version = agenda.version[i]!;
  const t = threads[who];
  switch (agenda.code[i]) {
    case STEP_DONE:
      if (t!.version === version) proceed(sim, t!, limit_ns);
      return;
    case WAKE:
      enqueue(sim, t!);
      return;
    case GRANT:
      grant(sim, who);
      return;
    case RETRY:
      if (t!.version === version) retry(sim, t!, limit_ns);
      return;
    case SLICE:
      if (t!.state !== DONE) sliceOver(sim, t!);
  }
}

/** Run the tasks of `sys` in time, until all but daemons have ended. */
export function simulate(sys: System, o: SimulateOptions): Simulated {
  const sim = newSim(sys, o);
  const limit_ns = o.limit_ns ?? Number.POSITIVE_INFINITY;
  const limit_steps = o.limit_steps ?? Number.POSITIVE_INFINITY;
  for (const t of sim.threads) wakeAt(sim, t, 0);
  let cut: Simulated['cut'] = null;
  while (sim.alive > 0 && sim.agenda.size > 0 && cut === null) {
    const i = take(sim.agenda);
    if (sim.agenda.time[i]! > limit_ns) cut = 'time';
    else if (sim.steps > limit_steps) cut = 'steps';
    else {
      sim.now = sim.agenda.time[i]!;
      happen(sim, i, limit_ns);
    }
  }
  const waiting = cut === null && sim.alive > 0;
  const stuck = waiting
    ? sim.threads.filter((t) => t.state !== DONE && !t.task.daemon).map((t) => t.task.name)
    : [];
  return { time_ns: sim.now, steps: sim.steps, cut, stuck };
}
