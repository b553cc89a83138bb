// What a thread does that must wait: spin or sleep. Left out: the MCS queue of spinners (any of them may be first), and the
// spinning of a writer that was promised the lock.
// C: kernel/locking/{rwsem,mutex}.c, kernel/rcu/tree.c (6.12, !PREEMPT_RT); reference 5.1, 5.3.
import type { Lock, Place, Step } from '../linux/step.js';
import { QUEUES, queue } from '../linux/system/act.js';
import type { Readiness } from '../linux/system/readiness.js';
import { add } from './clock.js';
import { next } from './draw.js';
import { sleep, wakeAt } from './sched.js';
import { faulted, scheduled } from './sim-events.js';
import {
  emit,
  handoffAfter,
  RETRY,
  RUNNING,
  type Sim,
  SPINNING,
  type Thread,
} from './sim-state.js';

/** Off its CPU until it is woken, allowed or not. */
function goToSleep(sim: Sim, t: Thread, state?: string): void {
  scheduled(sim, t);
  sleep(sim, t, state);
}

/** Readers of a reader-owned rwsem that a writer counts for its spin limit. C: rwsem_rspin_threshold() */
const spinLimit = (readers: number): number => ((20 + Math.min(readers, 30)) / 2) * 1000;

const flagsOf = (step: Lock): string =>
  step.kind === 'mutex' ? 'MUTEX' : step.mode === 'read' ? 'READ' : 'WRITE';

const addressOf = (sim: Sim, on: Place): bigint =>
  on === sim.initMm ? 0xffff800080a14208n : 0xffff800080b00000n + BigInt(on) * 8n;

/** contention_begin, once a wait. */
function contended(sim: Sim, t: Thread, step: Lock, spins: boolean): void {
  if (t.contended) return;
  t.contended = true;
  const lock_mode = spins && step.kind !== 'rwsem' ? `SPIN|${flagsOf(step)}` : flagsOf(step);
  emit(sim, t, 'contention_begin', { lock: addressOf(sim, step.on), lock_mode });
}

/** contention_end, if it began. */
export function contentionOver(sim: Sim, t: Thread, on: Place): void {
  if (!t.contended) return;
  t.contended = false;
  emit(sim, t, 'contention_end', { lock: addressOf(sim, on), ret: 0n });
}

function listOf(sim: Sim, on: Place): Thread[] {
  let list = sim.waiters.get(on);
  if (!list) {
    list = [];
    sim.waiters.set(on, list);
  }
  return list;
}

/** No longer waits for the word at `on`. */
export function stopWaiting(sim: Sim, t: Thread, on: Place): void {
  const list = sim.waiters.get(on);
  const i = list?.indexOf(t) ?? -1;
  if (i < 0) return;
  list!.splice(i, 1);
  t.listed = false;
  sim.waiting--;
}

const waitFor = (sim: Sim, t: Thread, on: Place): void => {
  const list = listOf(sim, on);
  if (list.includes(t)) return;
  list.push(t);
  t.listed = true;
  sim.waiting++;
};

const readersOf = (sim: Sim, on: Place): number => sim.sys.cells[on + 1]!;

/** Is the task that holds the lock at `on` for write on a CPU? */
function ownerRuns(sim: Sim, on: Place): boolean {
  const id = sim.sys.cells[on]! - 1;
  const owner = sim.threads[id];
  return owner !== undefined && (owner.state === RUNNING || owner.state === SPINNING);
}

/** Optimistic spinning: while the owner runs; while readers own it, 10 to 25 us. */
function maySpin(sim: Sim, t: Thread, step: Lock): boolean {
  if (step.kind === 'spinlock') return true;
  if (!Number.isNaN(t.queuedAt)) return false;
  if (step.kind === 'rwsem' && step.mode === 'read') return false;
  if (sim.sys.cells[step.on] !== 0) {
    t.spinUntil = 0;
    return ownerRuns(sim, step.on);
  }
  if (step.kind === 'mutex' || readersOf(sim, step.on) === 0) return true;
  if (t.spinUntil === 0) {
    t.spinUntil = sim.now + spinLimit(readersOf(sim, step.on));
    add(sim.agenda, t.spinUntil, RETRY, t.id, t.version);
  }
  return sim.now < t.spinUntil;
}

function spin(sim: Sim, t: Thread, step: Lock): void {
  t.state = SPINNING;
  if (step.kind !== 'rwsem') contended(sim, t, step, true);
  waitFor(sim, t, step.on);
}

function waitForLock(sim: Sim, t: Thread, step: Lock, is: Readiness): void {
  if (maySpin(sim, t, step)) {
    spin(sim, t, step);
    return;
  }
  const first = Number.isNaN(t.queuedAt);
  if (is === QUEUES && (first || late(sim, t))) {
    queue(sim.sys, t.task, step);
    sim.watch?.(t.task, step, 0, true);
  }
  if (first) {
    t.queuedAt = sim.now;
    stopWaiting(sim, t, step.on); // who spun before goes to the end all the same
  }
  contended(sim, t, step, false);
  waitFor(sim, t, step.on);
  goToSleep(sim, t);
}

/** End of a grace period that starts at `from`: the first tick after `fqs` jiffies. C: rcu_gp_fqs_loop() */
function periodEnds(sim: Sim, from: number): number {
  const { hz } = sim.profile;
  const fqs = 1 + (hz > 250 ? 1 : 0) + (hz > 500 ? 1 : 0) + Math.floor(sim.cpus.length / 256);
  return (Math.floor(from / sim.jiffy_ns) + fqs + 1) * sim.jiffy_ns;
}

/**
 * When the grace period ends that is asked for now. The one in progress does not count: whoever asks meanwhile waits for
 * the next, all of them for the same one; without one in progress it starts at once. C: rcu_start_this_gp()
 */
export function graceEnds(sim: Sim): number {
  const { grace } = sim;
  if (sim.now >= grace.ends && grace.next > 0) {
    grace.ends = grace.next;
    grace.next = 0;
  }
  if (sim.now >= grace.ends) {
    grace.ends = periodEnds(sim, sim.now);
    return grace.ends;
  }
  if (grace.next === 0) grace.next = periodEnds(sim, grace.ends);
  return grace.next;
}

/** might_sleep() at the begin of what may sleep: complains whether or not it does, once. */
function complain(sim: Sim, t: Thread, step: Step): void {
  const { cells } = sim.sys;
  if (t.complained || (step.op === 'lock' && step.kind === 'spinlock')) return;
  if (cells[t.task.atomic] === 0 && cells[t.task.rcu] === 0) return;
  const on = 'on' in step ? (step.on ?? 0) : 0;
  sim.sys.fault = { kind: 'sleeping in atomic context', on, step };
  faulted(sim, t);
  t.complained = true;
}

/** The step of `t` cannot be done now. */
export function wait(sim: Sim, t: Thread, step: Step, is: Readiness): void {
  complain(sim, t, step);
  if (step.op === 'lock') waitForLock(sim, t, step, is);
  else if (step.op === 'gp') {
    // Sections are still open: the next scan is a jiffy away.
    wakeAt(sim, t, Math.max(t.gpEnds, sim.now + sim.jiffy_ns));
    goToSleep(sim, t);
  } else if (step.op === 'wait') {
    waitFor(sim, t, step.on);
    goToSleep(sim, t, 'S');
  } else throw new Error(`${t.task.name} cannot wait at ${step.op}`);
}

/** It has waited too long for writers to leave the lock alone. C: RWSEM_WAIT_TIMEOUT */
export const late = (sim: Sim, t: Thread): boolean =>
  sim.now - t.queuedAt >= handoffAfter(sim.profile.hz);

/** One of `n` outcomes. */
export const pick = (sim: Sim, n: number): number => next(sim.random) % n;
