import type { Scheme } from '../linux/scheme.js';
import { readLock, readUnlock } from './parts.js';

/** v2: v1's lock where CONFIG_PTDUMP_DEBUGFS is on only; isolates the PMD table, so that one lock serves 512 entries. */
export const v2: Scheme = {
  name: 'v2',
  title: 'v1 under CONFIG_PTDUMP_DEBUGFS',
  source: 'patch v2, June 2025',
  era: 'never merged',
  claim: 'the lock is needed only where kernel_page_tables can be read',
  expect: {
    sc: { judge: 'SPIN', verdict: 'safe' },
    arm64: { judge: 'herd7, LKMM', verdict: 'safe' },
  },
  *beforeClear(sys, frame) {
    if (!sys.variant.has('no-debugfs')) yield* readLock(sys, frame);
  },
  afterClear: readUnlock,
};
