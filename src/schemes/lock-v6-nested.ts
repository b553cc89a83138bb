import { mmap_read_lock, mmap_read_unlock } from '../linux/lock.js';
import type { Scheme } from '../linux/scheme.js';
import { init_mm } from './parts.js';
import { v6 } from './v6.js';

/** read lock around the overwrite, and v6 inside: one task takes the lock for read twice, and a writer may queue in between. */
export const lockV6Nested: Scheme = {
  ...v6,
  name: 'lock-v6-nested',
  title: 'read lock around the overwrite, and v6 inside',
  source: 'Lorenzo Stoakes, July 2026: why v6 had to be reverted first',
  era: 'never merged',
  claim: 'deadlock: a queued writer blocks the second reader',
  expect: { sc: { judge: 'SPIN (fair rwsem; unfair: safe)', verdict: 'bug' } },
  *enterOverwrite(sys) {
    yield* mmap_read_lock(init_mm(sys));
    return true;
  },
  *leaveOverwrite(sys) {
    yield* mmap_read_unlock(init_mm(sys));
  },
};
