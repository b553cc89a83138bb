// RCU. C: kernel/rcu/tree.c. A section forbids sleeping.
import type { Kernel } from './step.js';

export function* rcu_read_lock(): Kernel {
  yield { op: 'rcu', mode: 'lock', by: 'rcu_read_lock' };
}
export function* rcu_read_unlock(): Kernel {
  yield { op: 'rcu', mode: 'unlock', by: 'rcu_read_unlock' };
}

/**
 * synchronize_rcu: wait until every section open at the call has ended. Two steps; the first only notes which are open
 * (it need not be told from the task's step before it: a later note would wait for more sections, so for less).
 */
export function* synchronize_rcu(): Kernel {
  yield { op: 'gp', mode: 'begin', by: 'synchronize_rcu' };
  yield { op: 'gp', mode: 'wait', by: 'synchronize_rcu' };
}
