import type { Scheme } from '../linux/scheme.js';
import { keyPoints, keySetUp, waitIfKeyOn } from './parts.js';

/** v6, as merged: the key counts readers, so the first to finish does not turn it off under the others. */
export const v6: Scheme = {
  name: 'v6',
  title: 'key tested after clear + flush; inc/dec',
  source: '20250922064126.63016-1-dev.jain@arm.com, commit fa93b45fd397',
  era: 'B',
  claim: 'safe with any number of readers',
  expect: {
    sc: { judge: 'SPIN', verdict: 'safe' },
    arm64: { judge: 'herd7 Ifetch (one reader)', verdict: 'safe' },
  },
  setUp: keySetUp,
  ...keyPoints(true),
  beforeFree: waitIfKeyOn,
};
