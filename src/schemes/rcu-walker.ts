import { mmap_write_lock, mmap_write_unlock } from '../linux/lock.js';
import { rcu_read_lock, rcu_read_unlock } from '../linux/rcu.js';
import type { Scheme } from '../linux/scheme.js';
import { gracePeriod, init_mm } from './parts.js';

/** The walk is one RCU section; who frees a table waits a grace period first. */
export const rcuWalker: Scheme = {
  name: 'rcu-walker',
  title: 'walk inside RCU; synchronize_rcu before the free',
  source: 'Will Deacon, 20250530123527.GA30463@willie-the-truck',
  era: 'never merged',
  claim: 'as fast GUP does it; the price is a grace period for each overwrite',
  expect: {
    sc: { judge: 'SPIN', verdict: 'safe' },
    arm64: { judge: 'LKMM', verdict: 'safe' },
  },
  *beforeFree(sys) {
    yield* gracePeriod(sys);
  },
  *walkLock(sys) {
    if (sys.variant.has('no-walk-lock')) return;
    yield* mmap_write_lock(init_mm(sys));
    yield* rcu_read_lock();
  },
  *walkUnlock(sys) {
    if (sys.variant.has('no-walk-lock')) return;
    yield* rcu_read_unlock();
    yield* mmap_write_unlock(init_mm(sys));
  },
};
