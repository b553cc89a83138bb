import type { Kernel, Step } from '../linux/step.js';
import { perform, READY, ready } from '../linux/system/act.js';
import type { System, Task } from '../linux/system.js';

/** Told of every step after it was done. */
export type Observer = (task: Task, step: Step, result: number) => void;

/**
 * Run `kernel` as `task` to its end, alone, and give what it returns: the way to use modelled code as a plain function.
 * @throws Error if a step can't be done (nobody else runs who could let it), or goes wrong (use after free ...).
 */
export function runAlone<T>(sys: System, task: Task, kernel: Kernel<T>, seen?: Observer): T {
  let next = kernel.next(0);
  while (!next.done) {
    const step = next.value;
    if (ready(sys, task, step) !== READY)
      throw new Error(`${task.name} waits for ever at ${step.op} (${step.by ?? ''})`);
    const result = perform(sys, task, step);
    if (sys.fault) throw new Error(`${sys.fault.kind} by ${task.name} at ${step.op}`);
    seen?.(task, step, result);
    next = kernel.next(result);
  }
  return next.value;
}
