// The one loop that runs modelled code outside a search, and the only engine file that appends events.
import { addRow, type Log, setDict, setInt, setText, setU64 } from '../events/log.js';
import { resume, running } from '../linux/step/flat.js';
import type { Kernel, Step } from '../linux/step.js';
import { BLOCKED, outcomes, perform, QUEUES, queue, READY, ready } from '../linux/system/act.js';
import type { System, Task } from '../linux/system.js';
import { type Done, describe, objectName, placeOf } from './describe.js';
import type { Choice } from './token.js';

/** Told of every step after it was done. */
export type Observer = (task: Task, step: Step, result: number, queued: boolean) => void;

/**
 * Run `kernel` as `task` to its end, alone, and give what it returns: the way to use modelled code as a plain function.
 * @throws Error if a step can't be done (nobody else runs who could let it), or goes wrong (use after free ...).
 */
export function runAlone<T>(sys: System, task: Task, kernel: Kernel<T>, seen?: Observer): T {
  const code = running(kernel);
  let next = resume(code, 0);
  while (!next.done) {
    const step = next.value;
    if (ready(sys, task, step) !== READY)
      throw new Error(`${task.name} waits for ever at ${step.op} (${step.by ?? ''})`);
    const result = perform(sys, task, step);
    if (sys.fault) throw new Error(`${sys.fault.kind} by ${task.name} at ${step.op}`);
    seen?.(task, step, result, false);
    next = resume(code, result);
  }
  return next.value as T;
}

/** How a schedule ended. */
export interface Ending {
  readonly kind: string | null;
  /** Tasks that must end, have not, and cannot go on. */
  readonly stuck: readonly string[];
}

/**
 * Follow `schedule` step by step from the start of `sys`.
 * @throws RangeError naming the step that cannot be done: the schedule is of another system.
 */
export function runSchedule(sys: System, schedule: readonly Choice[], seen: Observer): Ending {
  const generators = sys.tasks.map((t) => t.run(sys));
  const next = generators.map((g) => g.next(0));
  schedule.forEach((choice, i) => {
    const task = sys.tasks[choice.task];
    const step = task && !next[task.id]!.done ? (next[task.id]!.value as Step) : undefined;
    const is = task && step ? ready(sys, task, step) : BLOCKED;
    const can = choice.queues ? is === QUEUES : is === READY;
    if (!task || !step || !can || choice.outcome >= outcomes(sys, task, step))
      throw new RangeError(
        `step ${i + 1} of the schedule cannot be done: it was made with another version of the scheme or scenario`,
      );
    if (choice.queues) queue(sys, task, step);
    const result = choice.queues ? 0 : perform(sys, task, step, choice.outcome);
    seen(task, step, result, choice.queues);
    if (!choice.queues) next[task.id] = generators[task.id]!.next(result);
  });
  const left = sys.tasks.filter((t) => !next[t.id]!.done);
  const able = left.filter((t) => ready(sys, t, next[t.id]!.value as Step) === READY);
  const stuck = able.length > 0 ? [] : left.filter((t) => !t.daemon).map((t) => t.name);
  return { kind: sys.fault?.kind ?? (stuck.length > 0 ? 'deadlock' : null), stuck };
}

/** Takes each step done, with its number from 1. */
export type Recorder = (done: Done, n: number) => void;

/** Appends steps to `log` as events; the time is the step's number in ns, since a schedule has an order and no durations. */
export const recorder =
  (log: Log, sys: System): Recorder =>
  (done, n) =>
    appendStep(log, sys, done, n);

function appendStep(log: Log, sys: System, d: Done, n: number): void {
  const { step, task } = d;
  addRow(log, 0, n, log.dicts.event.intern(step.by ?? step.op));
  if (task.cpu >= 0) setInt(log, 'cpu', task.cpu);
  setInt(log, 'pid', task.id + 1);
  setDict(log, 'task', task.name);
  const at = placeOf(step);
  if ('kind' in step) {
    setU64(log, 'lock', 0, at);
    setDict(log, 'lock_mode', step.mode);
  } else if (at !== 0) setU64(log, 'object', 0, at);
  if (at !== 0) setDict(log, 'at', objectName(sys, at));
  setText(log, 'detail', describe(sys, d));
}
