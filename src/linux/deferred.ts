// Freeing later: by an RCU callback, or by a work item. C: kernel/rcu/tree.c call_rcu(); mm/pgtable-generic.c
// pagetable_free_kernel() (6.19). Left out: batching of several tables into one callback or one flush.
import { atomic_fetch_add, smp_store_release } from './memory.js';
import { synchronize_rcu } from './rcu.js';
import { wait_event } from './sched.js';
import type { Kernel, Place } from './step.js';
import { place, region, type System, task } from './system.js';

/**
 * Lay out a list for each CPU that frees tables, with room for every table laid out before, and the daemon that empties it:
 * after a grace period ('rcu') or at once ('kworker').
 */
export function deferredFree(sys: System, daemon: 'rcu' | 'kworker'): void {
  const slots = sys.regions.filter((r) => r.kind === 'table').length;
  const waits = daemon === 'rcu' && !sys.variant.has('no-gp');
  for (const cpu of sys.textCpus) {
    const list = region(sys, `${daemon} list CPU${cpu}`, 1 + slots);
    task(sys, `${daemon} CPU${cpu}`, cpu, () => empties(waits, daemon, list, slots), true);
  }
}

function* empties(waits: boolean, daemon: string, list: Place, slots: number): Kernel {
  for (let i = 1; i <= slots; i++) {
    const table = yield* wait_event(list + i, 'ne', 0);
    if (waits) yield* synchronize_rcu();
    yield { op: 'free', on: table, addr: list + i, by: 'pte_free_kernel' };
    yield { op: 'forget', key: `${daemon} ${list + i}` };
  }
}

/** Put `table` on this CPU's list. */
export function* freeLater(
  sys: System,
  daemon: 'rcu' | 'kworker',
  cpu: number,
  table: Place,
): Kernel {
  const list = place(sys, `${daemon} list CPU${cpu}`);
  const i = yield* atomic_fetch_add(list, 1, 'relaxed');
  yield* smp_store_release(list + 1 + i, table);
}
