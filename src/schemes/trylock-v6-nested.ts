import { mmap_read_trylock, mmap_read_unlock } from '../linux/lock.js';
import type { Scheme } from '../linux/scheme.js';
import { init_mm } from './parts.js';
import { v6 } from './v6.js';

/** trylock around the overwrite, and v6 inside: one task takes the lock for read twice, and a writer may queue in between. */
export const trylockV6Nested: Scheme = {
  ...v6,
  name: 'trylock-v6-nested',
  title: 'trylock around the overwrite, and v6 inside',
  source: 'Lorenzo Stoakes, July 2026: why v6 had to be reverted first',
  era: 'never merged',
  claim: 'deadlock: a queued writer blocks the second reader',
  expect: { sc: { judge: 'SPIN (fair rwsem; unfair: safe)', verdict: 'bug' } },
  *enterOverwrite(sys) {
    return (yield* mmap_read_trylock(init_mm(sys))) === 1;
  },
  *leaveOverwrite(sys) {
    yield* mmap_read_unlock(init_mm(sys));
  },
};
