import { rcu_read_lock, rcu_read_unlock } from '../linux/rcu.js';
import type { Scheme } from '../linux/scheme.js';
import { keyIsOn, sampledUnderRcu } from './parts.js';

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
  ...sampledUnderRcu,
  *beforeClear(sys, frame) {
    yield* rcu_read_lock();
    frame['key'] = yield* keyIsOn(sys);
    yield* rcu_read_unlock();
  },
};
