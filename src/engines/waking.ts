// Who goes on when a lock was let go or a word has changed.
// C: kernel/locking/{rwsem,mutex}.c (6.12, !PREEMPT_RT); reference 5.1.
import type { Lock, Place } from '../linux/step.js';
import { perform, QUEUES, queue, READY, ready } from '../linux/system/act.js';
import { add } from './clock.js';
import { draw } from './draw.js';
import { wake } from './sched.js';
import { ASLEEP, GRANT, RETRY, type Sim, SPINNING, type Thread } from './sim-state.js';
import { late } from './waiting.js';

/** A writer was faster than the waker of the first reader: if that has waited too long, no writer may be again. */
function askHandoff(sim: Sim, head: Thread, step: Lock): void {
  if (!late(sim, head) || ready(sim.sys, head.task, step) !== QUEUES) return;
  queue(sim.sys, head.task, step);
  sim.watch?.(head.task, step, 0, true);
}

/** The queue of a lock may be served: C: rwsem_wake(), __mutex_unlock_slowpath() */
export function grant(sim: Sim, on: Place): void {
  const queued = (sim.waiters.get(on) ?? []).filter((w) => w.state === ASLEEP && !w.granted);
  const head = queued[0];
  if (head?.step?.op !== 'lock') return;
  if (head.step.kind !== 'rwsem' || head.step.mode === 'write') {
    wake(sim, head); // though somebody may be faster: then it asks for the handoff, or sleeps again
    return;
  }
  askHandoff(sim, head, head.step);
  for (const t of queued) {
    const { step } = t;
    if (step?.op !== 'lock' || step.mode !== 'read') continue;
    if (ready(sim.sys, t.task, step) !== READY) continue;
    perform(sim.sys, t.task, step);
    sim.sys.fault = undefined; // a sleep that is forbidden was reported when it began
    sim.watch?.(t.task, step, 0, false);
    t.granted = true;
    wake(sim, t);
  }
}

/** The word at `on` has changed. */
export function changed(sim: Sim, on: Place): void {
  const list = sim.waiters.get(on);
  if (!list || list.length === 0) return;
  let spinner = false;
  let sleeper = false;
  for (const t of list) {
    if (t.state === SPINNING && !spinner) {
      spinner = t.step?.op === 'lock' && t.step.kind === 'spinlock';
      const delay = draw(sim.random, sim.tables.costs['line transfer']);
      add(sim.agenda, sim.now + delay, RETRY, t.id, t.version);
    } else if (t.state === ASLEEP && t.step?.op === 'wait') {
      if (ready(sim.sys, t.task, t.step) === READY) wake(sim, t);
    } else if (t.state === ASLEEP) sleeper = true;
  }
  if (!sleeper) return;
  const delay = draw(sim.random, sim.tables.costs['rwsem wake']);
  add(sim.agenda, sim.now + delay, GRANT, on, 0);
}

/** Spinners whose owner has gone off its CPU look again. */
export function ownerLeft(sim: Sim, owner: Thread): void {
  for (const t of sim.threads) {
    if (t.state !== SPINNING || t.step?.op !== 'lock' || t.step.kind === 'spinlock') continue;
    if (sim.sys.cells[t.step.on] === owner.id + 1) add(sim.agenda, sim.now, RETRY, t.id, t.version);
  }
}
