import { rcu_read_lock, rcu_read_unlock } from '../linux/rcu.js';
import type { Scheme } from '../linux/scheme.js';
import { gracePeriod, keyIsOn, keyPoints, keySetUp, readLock, readUnlock } from './parts.js';

const onOff = keyPoints(false);

/** Only the sample is in the RCU section: the clear may come after the grace period. */
export const rcuSample: Scheme = {
  name: 'rcu-sample',
  title: 'RCU section over the sample only; synchronize_rcu in ptdump',
  source: 'Ryan Roberts in the v3 thread, June 2025',
  era: 'never merged',
  claim: 'no lock inside the section: RCU orders the sample against the dump',
  expect: {
    sc: { judge: 'SPIN (one reader)', verdict: 'bug' },
    arm64: { judge: 'LKMM', verdict: 'bug' },
  },
  setUp: keySetUp,
  ...onOff,
  *walkBegin(sys, frame) {
    if (onOff.walkBegin) yield* onOff.walkBegin(sys, frame);
    yield* gracePeriod(sys);
  },
  *beforeClear(sys, frame) {
    yield* rcu_read_lock();
    frame['key'] = yield* keyIsOn(sys);
    yield* rcu_read_unlock();
  },
  *beforeFree(sys, frame) {
    if (!frame['key']) return;
    yield* readLock(sys, frame);
    yield* readUnlock(sys, frame);
  },
};
