import type { Scheme } from '../linux/scheme.js';
import { readLock, readUnlock } from './parts.js';

/** The lock of v1 held until the table is freed. */
export const lockClearFree: Scheme = {
  name: 'lock-clear-free',
  title: 'read lock around clear and free',
  source: 'variant of v1',
  era: 'never merged',
  claim: 'correct',
  expect: {
    sc: { judge: 'SPIN', verdict: 'safe' },
    arm64: { judge: 'herd7, LKMM', verdict: 'safe' },
  },
  beforeClear: readLock,
  afterFree: readUnlock,
};
