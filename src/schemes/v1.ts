import type { Scheme } from '../linux/scheme.js';
import { readLock, readUnlock } from './parts.js';

/** v1: mmap_read_lock(&init_mm) around pmd_clear() and pud_clear(), whoever dumps or not. */
export const v1: Scheme = {
  name: 'v1',
  title: 'read lock around the clear, always',
  source: 'patch v1, 30 May 2025',
  era: 'never merged',
  claim: 'correct; objected to because every caller pays',
  expect: {
    sc: { judge: 'SPIN', verdict: 'safe' },
    arm64: { judge: 'herd7, LKMM', verdict: 'safe' },
  },
  pudOrder: 'children-first',
  beforeClear: readLock,
  afterClear: readUnlock,
};
