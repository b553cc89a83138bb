import type { Scheme } from '../linux/scheme.js';
import { keyPoints, keySetUp, waitIfKeyOn } from './parts.js';

/** v5: v4 with a proof. */
export const v5: Scheme = {
  name: 'v5',
  title: 'v4 with a proof; enable/disable',
  source: 'patch v5 (RESEND), 23 July 2025',
  era: 'never merged',
  claim: 'acquire on the lock makes the key visible; enable and disable may stay',
  expect: {
    sc: { judge: 'SPIN (one reader; two: bug)', verdict: 'safe' },
    arm64: { judge: 'herd7 (one reader)', verdict: 'safe' },
  },
  setUp: keySetUp,
  ...keyPoints(false),
  beforeFree: waitIfKeyOn,
};
