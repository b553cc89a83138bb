// Work items: queued by whoever may not or will not do the work, done by the worker of the CPU that queued it.
// C: kernel/workqueue.c, system_wq. Left out: other work on the same worker, rescuers, flush and cancel.
import { WRITE_ONCE, xchg } from './memory.js';
import { flat } from './step/flat.js';
import type { Kernel, Place } from './step.js';
import { region, type System, task } from './system.js';

/** A work item: is it queued, and on which CPU. C: struct work_struct */
export interface WorkItem {
  readonly pending: Place;
  readonly queued: ReadonlyMap<number, Place>;
}

/** Lay out the item `name` and a worker (a daemon) on each of `cpus` that does `work` when it is queued there. */
export function workItem(
  sys: System,
  name: string,
  cpus: Iterable<number>,
  work: () => Kernel<unknown>,
): WorkItem {
  const pending = region(sys, `${name} pending`);
  const queued = new Map<number, Place>();
  for (const cpu of cpus) {
    const word = region(sys, `${name} queued on CPU${cpu}`);
    queued.set(cpu, word);
    task(sys, `kworker/${cpu}:1`, cpu, () => worker_thread(pending, word, work), true);
  }
  return { pending, queued };
}

function* worker_thread(pending: Place, word: Place, work: () => Kernel<unknown>): Kernel {
  for (;;) {
    yield { op: 'wait', on: word, is: 'ne', value: 0, by: 'worker_thread' };
    yield* WRITE_ONCE(word, 0);
    yield* WRITE_ONCE(pending, 0);
    yield* work();
  }
}

/** Queue the item on `cpu` (where that has no worker: on any), unless it is queued already. C: schedule_work() */
export function* schedule_work(item: WorkItem, cpu: number): Kernel {
  if ((yield* xchg(item.pending, 1)) === 1) return;
  const [any] = item.queued.values();
  yield* WRITE_ONCE(item.queued.get(cpu) ?? any!, 1);
}

flat(worker_thread, schedule_work);
