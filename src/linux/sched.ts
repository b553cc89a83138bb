// Sleeping, waiting and the contexts that forbid it. C: include/linux/kernel.h, wait.h, preempt.h.
import type { Kernel, Place } from './step.js';

/** might_sleep in the function `where`: a bug where the context forbids sleeping, whether or not anything sleeps. */
export function* might_sleep(where: string): Kernel {
  yield { op: 'might-sleep', by: where };
}

/** preempt_disable: sleeping is forbidden until preempt_enable. */
export function* preempt_disable(): Kernel {
  yield { op: 'context', mode: 'atomic', by: 'preempt_disable' };
}
export function* preempt_enable(): Kernel {
  yield { op: 'context', mode: 'sleepable', by: 'preempt_enable' };
}

/** local_irq_save: interrupts off on this CPU; sleeping is forbidden until local_irq_restore. */
export function* local_irq_save(): Kernel {
  yield { op: 'context', mode: 'irqs-off', by: 'local_irq_save' };
}
export function* local_irq_restore(): Kernel {
  yield { op: 'context', mode: 'irqs-on', by: 'local_irq_restore' };
}

/** wait_event: sleep until the word at `on` is (eq), is not (ne) or is above (gt) `value`; gives the word. */
export function* wait_event(on: Place, is: 'eq' | 'ne' | 'gt', value: number): Kernel<number> {
  return yield { op: 'wait', on, is, value, by: 'wait_event' };
}

/** What the model does not decide: one of 0 to n - 1. The runner takes 0. */
export function* choose(what: string, n: number): Kernel<number> {
  return yield { op: 'choose', what, n };
}

/** Work nobody can see half done; `n` counts its units for the cost model. */
export function* work(what: string, n: number): Kernel {
  yield { op: 'work', what, n };
}

/** A tracepoint or probe: an event in the log, no act. */
export function* trace(
  what: string,
  fields: Readonly<Record<string, number | bigint | string>>,
): Kernel {
  yield { op: 'trace', what, fields };
}

/** A zeroed page table of `n` entries: the place of its first; 0 when there is no memory. */
export function* alloc_table(n: number): Kernel<Place> {
  return yield { op: 'alloc', n, by: 'pagetable_alloc' };
}
