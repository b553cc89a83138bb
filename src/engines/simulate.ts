// Modelled kernel code in time: a discrete-event engine over the same generators that the explorer takes apart. A step takes
// effect when its cost has passed, by the explorer's own rules (linux/system/act.ts); so every schedule it produces is one
// the explorer allows. Time is whole nanoseconds; the same seed gives the same run.
import { resume } from '../linux/step/flat.js';
import type { Step } from '../linux/step.js';
import { outcomes, perform, READY, ready } from '../linux/system/act.js';
import type { System } from '../linux/system.js';
import { add, take } from './clock.js';
import { draw } from './draw.js';
import { enqueue, exit, preempt, preemptible, sleep, sliceOver, wakeAt } from './sched.js';
import { durationOf } from './sim-cost.js';
import { faulted, logAfter, logBefore } from './sim-events.js';
import { NO_PROBE, padding, probed } from './sim-probe.js';
import { newSim, type SimulateOptions } from './sim-start.js';
import {
  DONE,
  GRANT,
  type Limits,
  RETRY,
  RUNNING,
  type Sim,
  SLICE,
  SPINNING,
  STEP_DONE,
  type Thread,
  WAKE,
} from './sim-state.js';
import {
  CHOOSE,
  codeOf,
  GP,
  LOCK,
  RMW,
  TEXT,
  TRACE,
  UNLOCK,
  WAIT,
  WORK,
  WRITE,
} from './step-code.js';
import { contentionOver, graceEnds, pick, stopWaiting, wait } from './waiting.js';
import { changed, grant, ownerLeft } from './waking.js';

/** How it went. */
export interface Simulated {
  readonly time_ns: number;
  readonly steps: number;
  readonly events: number;
  /** The limit that was hit before its end. */
  readonly cut: keyof Limits | null;
  /** Tasks that wait for ever. */
  readonly stuck: readonly string[];
}

/** The step of `t` begins: log what is logged at its begin, and give its duration. */
function beginStep(sim: Sim, t: Thread, step: Step): number {
  if (sim.segments.any) probed(sim, t, step);
  logBefore(sim, t, step);
  const d = durationOf(sim, t, step);
  t.worked += d + t.after;
  return d;
}

/** The step of `t` is over as to time: do it, or wait. False if `t` does not go on now. */
function complete(sim: Sim, t: Thread): boolean {
  const step = t.step!;
  const { code } = t;
  let result = 0;
  if (code < TRACE) {
    if (t.granted) t.granted = false;
    else {
      if ((code === LOCK || code === WAIT || code === GP) && mustWait(sim, t, step)) return false;
      const several = code === TEXT || code === CHOOSE;
      const n = several ? outcomes(sim.sys, t.task, step) : 1;
      const outcome = n === 1 ? 0 : pick(sim, n);
      result = perform(sim.sys, t.task, step, outcome);
      sim.watch?.(t.task, step, outcome, false);
    }
    settle(sim, t, step, result);
  } else {
    sim.steps++;
    t.complained = false;
    sim.watch?.(t.task, step, 0, false);
  }
  return advance(sim, t, result);
}

/** True, and `t` is off or spins, if what its step asks for is not to be had now. */
function mustWait(sim: Sim, t: Thread, step: Step): boolean {
  if (step.op === 'gp' && step.mode === 'wait' && sim.now < t.gpEnds) {
    wakeAt(sim, t, t.gpEnds);
    sleep(sim, t);
    return true;
  }
  const is = ready(sim.sys, t.task, step);
  if (is === READY) return false;
  wait(sim, t, step, is);
  if (t.state !== SPINNING) ownerLeft(sim, t);
  return true;
}

/** A step went wrong: what was complained of already is not reported again. */
function goneWrong(sim: Sim, t: Thread): void {
  if (sim.sys.fault?.kind === 'sleeping in atomic context' && t.complained)
    sim.sys.fault = undefined;
  if (sim.sys.fault) faulted(sim, t);
}

/** What follows from a step that was done. */
function settle(sim: Sim, t: Thread, step: Step, result: number): void {
  sim.steps++;
  if (sim.sys.fault !== undefined) goneWrong(sim, t);
  t.complained = false;
  switch (t.code) {
    case LOCK:
      gotLock(sim, t, step as Extract<Step, { op: 'lock' }>);
      break;
    case WAIT:
      stopWaiting(sim, t, t.on);
      break;
    case UNLOCK:
    case WRITE:
    case RMW:
      if (sim.waiting > 0) changed(sim, t.on);
      break;
    case GP:
      if ((step as Extract<Step, { op: 'gp' }>).mode === 'begin') t.gpEnds = graceEnds(sim);
      break;
  }
  logAfter(sim, t, step, result);
}

function gotLock(sim: Sim, t: Thread, step: Extract<Step, { op: 'lock' }>): void {
  if (t.listed) stopWaiting(sim, t, t.on);
  contentionOver(sim, t, t.on);
  t.queuedAt = Number.NaN;
  t.spinUntil = 0;
  if (sim.waiting > 0 && step.mode === 'read') changed(sim, t.on);
}

/** Let the code of `t` go on to its next step; false if it has ended, or sleeps. */
function advance(sim: Sim, t: Thread, result: number): boolean {
  const next = resume(t.run, result);
  if (next.done) {
    exit(sim, t);
    return false;
  }
  const step = next.value;
  t.step = step;
  t.code = codeOf(step.op);
  if (t.code <= WAIT) t.on = (step as Extract<Step, { op: 'read' }>).on;
  return t.code !== WORK || !rests(sim, t, step as Extract<Step, { op: 'work' }>);
}

/** True, and `t` is off, if its next step is to rest for a while. */
function rests(sim: Sim, t: Thread, step: Extract<Step, { op: 'work' }>): boolean {
  if (step.what !== 'sleep' && step.what !== 'next read') return false;
  const table = sim.tables.costs['next read'];
  const length = step.what === 'sleep' ? step.n : draw(sim.random, table) * step.n;
  t.probe = NO_PROBE;
  wakeAt(sim, t, sim.now + Math.round(length));
  sleep(sim, t, 'S');
  ownerLeft(sim, t);
  return true;
}

/** `t` is on its CPU, and what it did last has just ended. */
function proceed(sim: Sim, t: Thread): void {
  t.state = RUNNING;
  const { agenda, limits } = sim;
  for (;;) {
    let d: number;
    if (t.padding) {
      t.padding = false;
      d = beginStep(sim, t, t.step!);
    } else {
      if (t.step === undefined ? !advance(sim, t, 0) : !complete(sim, t)) return;
      const step = t.step!;
      const gap = t.after + (sim.segments.any ? padding(sim, t, step, sim.random) : 0);
      t.after = 0;
      t.padding = gap > 0;
      d = t.padding ? gap : beginStep(sim, t, step);
    }
    const at = sim.now + d;
    if (t.resched && preemptible(sim, t)) {
      t.endsAt = at;
      preempt(sim, t);
      return;
    }
    const others = agenda.size > 0 && at >= agenda.time[0]!;
    if (others || at > limits.time_ns || sim.events > limits.events || sim.steps > limits.steps) {
      t.endsAt = at;
      add(agenda, at, STEP_DONE, t.id, ++t.version);
      return;
    }
    sim.now = at;
  }
}

/** A sleeper of 'sleep' and 'next read' comes back: its step was to sleep, which is done. */
function retry(sim: Sim, t: Thread): void {
  if (t.state === SPINNING) proceed(sim, t);
}

function happen(sim: Sim, i: number): void {
  const { agenda, threads } = sim;
  const who = agenda.who[i]!;
  const version = agenda.version[i]!;
  const t = threads[who];
  switch (agenda.code[i]) {
    case STEP_DONE:
      if (t!.version === version) proceed(sim, t!);
      return;
    case WAKE:
      enqueue(sim, t!);
      return;
    case GRANT:
      grant(sim, who);
      return;
    case RETRY:
      if (t!.version === version) retry(sim, t!);
      return;
    case SLICE:
      if (t!.state !== DONE) sliceOver(sim, t!);
  }
}

/** The limit behind which something at `time` lies. */
function limitHit(sim: Sim, time: number): Simulated['cut'] {
  const { limits } = sim;
  if (sim.events > limits.events) return 'events';
  if (sim.steps > limits.steps) return 'steps';
  return time > limits.time_ns ? 'time_ns' : null;
}

/** Run the tasks of `sys` in time, until all but daemons have ended, or a limit is hit. */
export function simulate(sys: System, o: SimulateOptions): Simulated {
  const sim = newSim(sys, o);
  for (const t of sim.threads) wakeAt(sim, t, 0);
  let cut: Simulated['cut'] = null;
  while (sim.alive > 0 && sim.agenda.size > 0) {
    const i = take(sim.agenda);
    const time = sim.agenda.time[i]!;
    cut = limitHit(sim, time);
    if (cut !== null) break;
    sim.now = time;
    happen(sim, i);
  }
  o.sink.end?.();
  const waiting = cut === null && sim.alive > 0;
  const stuck = waiting
    ? sim.threads.filter((t) => t.state !== DONE && !t.task.daemon).map((t) => t.task.name)
    : [];
  return { time_ns: sim.now, steps: sim.steps, events: sim.events, cut, stuck };
}
