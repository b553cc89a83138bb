import type { Scheme } from '../linux/scheme.js';
import { keyIsOn, keyPoints, keySetUp, readLock, readUnlock } from './parts.js';

/** Ryan Roberts' variant: test the key before the clear, and hold the lock around the clear if it is on. */
export const sampleFirst: Scheme = {
  name: 'sample-first',
  title: 'key tested before the clear',
  source: 'Ryan Roberts in the v3 thread, June 2025',
  era: 'never merged',
  claim: 'broken, as he shows: the key may be read before it is turned on',
  expect: {
    sc: { judge: 'SPIN', verdict: 'bug' },
    arm64: { judge: 'herd7, LKMM', verdict: 'bug' },
  },
  setUp: keySetUp,
  ...keyPoints(false),
  *beforeClear(sys, frame) {
    if (yield* keyIsOn(sys)) yield* readLock(sys, frame);
  },
  afterClear: readUnlock,
};
