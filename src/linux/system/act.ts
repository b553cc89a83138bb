// What each step does under sequential consistency: the engines' one reading of step.ts.
import { pmd_table, tableOf } from '../arm64/entry.js';
import type { HwWalk, Place, Rmw, Step } from '../step.js';
import { IRQS_OFF, LIVE, NULL_PAGE, type System, type Task } from '../system.js';
import { BLOCKED, READY, type Readiness } from './readiness.js';
import { enqueue, lockReady, release, take, tryTake } from './rwsem.js';
import { alloc, fault, free } from './tables.js';
import { execute, flip, instructions, patch, synchronise } from './text.js';

export { BLOCKED, QUEUES, READY, type Readiness } from './readiness.js';
export { enqueue } from './rwsem.js';

const depths = { atomic: 1, sleepable: -1, 'irqs-off': IRQS_OFF, 'irqs-on': -IRQS_OFF } as const;
const compares = { eq: (a: number, b: number) => a === b, ne: (a: number, b: number) => a !== b, gt: (a: number, b: number) => a > b }; // biome-ignore format: a table

/** Can the next step of `task` be done now? QUEUES: call `queue` instead of `perform`; the task stays where it is. */
export function ready(sys: System, task: Task, step: Step): Readiness {
  switch (step.op) {
    case 'lock':
      return lockReady(sys, task, step);
    case 'wait':
      return compares[step.is](sys.cells[step.on]!, step.value) ? READY : BLOCKED;
    case 'gp':
      return step.mode === 'begin' || sys.cells[task.gp] === 0 ? READY : BLOCKED;
    default:
      return READY;
  }
}

/** Announce that `task` waits: only for a step that QUEUES. */
export function queue(sys: System, task: Task, step: Step): void {
  if (step.op === 'lock') enqueue(sys, task, step);
}

/** How many outcomes a step that is READY may have; the engine picks one of 0 to n - 1. */
export function outcomes(sys: System, task: Task, step: Step): number {
  if (step.op === 'choose') return step.n;
  return step.op === 'text' && step.mode === 'test' ? instructions(sys, task.cpu, step) : 1;
}

/** An access to the word at `on`. */
export function touch(sys: System, on: Place, step: Step): void {
  const state = sys.owner[on]!;
  if (state !== 0) {
    if (sys.cells[state] !== LIVE) fault(sys, 'use after free', on, step);
  } else if (on < NULL_PAGE) fault(sys, 'wild access', on, step);
}

function mightSleep(sys: System, task: Task, on: Place, step: Step): void {
  if (sys.cells[task.atomic] !== 0 || sys.cells[task.rcu] !== 0)
    fault(sys, 'sleeping in atomic context', on, step);
}

function rmw(sys: System, step: Rmw): number {
  touch(sys, step.on, step);
  const { cells } = sys;
  const old = cells[step.on]!;
  if (step.fn === 'add') cells[step.on] = old + step.value;
  else if (step.fn === 'or') cells[step.on] = old | step.value;
  else if (step.fn === 'andnot') cells[step.on] = old & ~step.value;
  else if (step.fn === 'xchg' || old === step.expect) cells[step.on] = step.value;
  return old;
}

function hwWalk(sys: System, step: HwWalk): number {
  const { cells } = sys;
  const cached = cells[step.on]!;
  if (cached !== 0) {
    touch(sys, cached, step);
    return cells[cached]!;
  }
  touch(sys, step.entry, step);
  const entry = cells[step.entry]!;
  if (pmd_table(entry)) cells[step.on] = tableOf(entry);
  return entry;
}

function rcu(sys: System, task: Task, mode: 'lock' | 'unlock'): void {
  const { cells } = sys;
  cells[task.rcu]! += mode === 'lock' ? 1 : -1;
  if (cells[task.rcu] === 0) for (const t of sys.tasks) cells[t.gp]! &= ~(1 << task.id);
}

function graceBegins(sys: System, task: Task): void {
  let open = 0;
  for (const t of sys.tasks) if (t !== task && sys.cells[t.rcu] !== 0) open |= 1 << t.id;
  sys.cells[task.gp] = open;
}

/** Do `step`, which is READY, and give its result; what goes wrong is left in `sys.fault`. */
export function perform(sys: System, task: Task, step: Step, outcome = 0): number {
  const { cells } = sys;
  switch (step.op) {
    case 'read':
      touch(sys, step.on, step);
      return cells[step.on]!;
    case 'write':
      touch(sys, step.on, step);
      cells[step.on] = step.value;
      return 0;
    case 'rmw':
      return rmw(sys, step);
    case 'fence':
      if (step.mode === 'isb') synchronise(sys, task.cpu);
      return 0;
    case 'wait':
      mightSleep(sys, task, step.on, step);
      return cells[step.on]!;
    case 'lock':
      if (step.kind === 'spinlock') cells[task.atomic]!++;
      else mightSleep(sys, task, step.on, step);
      take(sys, task, step);
      return 0;
    case 'trylock': {
      const taken = tryTake(sys, task, step);
      if (taken && step.kind === 'spinlock') cells[task.atomic]!++;
      return taken;
    }
    case 'unlock':
      release(sys, task, step);
      if (step.kind === 'spinlock') cells[task.atomic]!--;
      return 0;
    case 'rcu':
      rcu(sys, task, step.mode);
      return 0;
    case 'gp':
      mightSleep(sys, task, 0, step);
      if (step.mode === 'begin') graceBegins(sys, task);
      return 0;
    case 'key':
      return flip(sys, step);
    case 'text':
      if (step.mode === 'test') return execute(sys, task.cpu, step, outcome);
      patch(sys, task.cpu, step);
      return 0;
    case 'ipi':
      synchronise(sys, step.cpu);
      return 0;
    case 'tlbi':
      for (const cache of sys.walkCaches) cells[cache] = 0;
      return 0;
    case 'hw-walk':
      return hwWalk(sys, step);
    case 'alloc':
      return alloc(sys, step);
    case 'free':
      free(sys, step);
      return 0;
    case 'might-sleep':
      mightSleep(sys, task, 0, step);
      return 0;
    case 'context':
      cells[task.atomic]! += depths[step.mode];
      return 0;
    case 'choose':
      return outcome;
    case 'branch':
    case 'forget':
    case 'work':
    case 'trace':
      return 0;
  }
}
