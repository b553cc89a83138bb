import { mmap_write_lock, mmap_write_unlock } from '../linux/lock.js';
import type { Scheme } from '../linux/scheme.js';
import { lock, place } from '../linux/system.js';
import { v6 } from './v6.js';

/** v6 while the dump is of another mm (efi_page_tables) that shares kernel tables: it holds that mm's lock, not init_mm's. */
export const otherMm: Scheme = {
  ...v6,
  name: 'other-mm',
  title: 'v6, walker holds the lock of efi_mm',
  source: 'mm/ptdump.c before 8ae4641e6cce: ptdump_walk_pgd() locks the mm it is given',
  era: 'B',
  claim: 'fixed in 7.2: init_mm is locked as well',
  expect: { sc: { judge: 'SPIN', verdict: 'bug' } },
  setUp(sys) {
    v6.setUp?.(sys);
    lock(sys, 'efi_mm');
  },
  *walkLock(sys) {
    yield* mmap_write_lock(place(sys, 'efi_mm'));
  },
  *walkUnlock(sys) {
    yield* mmap_write_unlock(place(sys, 'efi_mm'));
  },
};
