import { deferredFree, freeLater } from '../linux/deferred.js';
import { rcu_read_lock, rcu_read_unlock } from '../linux/rcu.js';
import type { Scheme } from '../linux/scheme.js';

/** Tables are freed by call_rcu; the walker holds no lock but an RCU section. */
export const rcuFree: Scheme = {
  name: 'rcu-free',
  title: 'call_rcu frees; lockless walk inside RCU',
  source: 'Kiryl Shutsemau, July 2026 (proposed follow-up)',
  era: 'never merged',
  claim: 'nobody waits; dumps may be torn',
  setUp: (sys) => deferredFree(sys, 'rcu'),
  *free(sys, table, _entry, cpu) {
    yield* freeLater(sys, 'rcu', cpu, table);
  },
  *walkLock(sys) {
    if (!sys.variant.has('no-walk-lock')) yield* rcu_read_lock();
  },
  *walkUnlock(sys) {
    if (!sys.variant.has('no-walk-lock')) yield* rcu_read_unlock();
  },
};
