import type { Scheme } from '../linux/scheme.js';
import { keyPoints, keySetUp, waitIfKeyOn } from './parts.js';

/** v4: v3, the lock dropped at once. */
export const v4: Scheme = {
  name: 'v4',
  title: 'v3, the lock dropped at once; enable/disable',
  source: '20250626052524.332-1-dev.jain@arm.com',
  era: 'never merged',
  claim: 'an empty critical section is enough: the table is already unreachable',
  expect: {
    sc: { judge: 'SPIN (one reader; two: bug)', verdict: 'safe' },
    arm64: { judge: 'herd7 (one reader)', verdict: 'safe' },
  },
  setUp: keySetUp,
  ...keyPoints(false),
  beforeFree: waitIfKeyOn,
};
