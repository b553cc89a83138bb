import type { Scheme } from '../linux/scheme.js';
import { keyIsOn, keyPoints, keySetUp, readLock, readUnlock } from './parts.js';

/** v3: after clear and flush, if the static key says a dump is under way, take the lock and free under it. */
export const v3: Scheme = {
  name: 'v3',
  title: 'key tested after clear + flush; enable/disable',
  source: '20250616103310.17625-1-dev.jain@arm.com',
  era: 'never merged',
  claim:
    'key on: the lock orders the free after the walk; key off: the walk sees the cleared entry',
  expect: {
    sc: { judge: 'SPIN (one reader; two: bug)', verdict: 'safe' },
    arm64: { judge: 'herd7 (one reader)', verdict: 'safe' },
  },
  setUp: keySetUp,
  ...keyPoints(false),
  *beforeFree(sys, frame) {
    if (yield* keyIsOn(sys)) yield* readLock(sys, frame);
  },
  afterFree: readUnlock,
};
