import { deferredFree, freeLater } from '../linux/deferred.js';
import type { Scheme } from '../linux/scheme.js';

/** CONFIG_ASYNC_KERNEL_PGTABLE_FREE: a work item frees the table, after no grace period. */
export const asyncFree: Scheme = {
  name: 'async-free',
  title: 'a work item frees; write lock in the walk',
  source: 'commit 5ba2f0a15564 (6.19)',
  era: 'x86 only',
  claim: 'not meant for this race: it only moves the free',
  setUp: (sys) => deferredFree(sys, 'kworker'),
  *free(sys, table, _entry, cpu) {
    yield* freeLater(sys, 'kworker', cpu, table);
  },
};
