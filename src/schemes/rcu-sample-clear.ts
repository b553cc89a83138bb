import { rcu_read_lock, rcu_read_unlock } from '../linux/rcu.js';
import type { Scheme } from '../linux/scheme.js';
import { keyIsOn, sampledUnderRcu } from './parts.js';

/**
 * The key is sampled and the entry cleared in one RCU section; ptdump waits a grace period after turning the key on. LKMM calls
 * it safe only with a full barrier before the free. On AArch64 the DSB of the flush is one, and the branch on the sample would do
 * alone: `--variant flag,no-flush` and `flag,no-branch` are safe, `flag,no-flush,no-branch` is a use after free.
 */
export const rcuSampleClear: Scheme = {
  name: 'rcu-sample-clear',
  title: 'RCU section over sample and clear; synchronize_rcu in ptdump',
  source: 'Ryan Roberts in the v3 thread, June 2025',
  era: 'never merged',
  claim: 'no lock inside the section: RCU orders the sample against the dump',
  expect: {
    sc: { judge: 'SPIN (one reader; two with enable/disable: bug)', verdict: 'safe' },
    arm64: { judge: 'LKMM, with a full barrier before the free', verdict: 'safe' },
  },
  ...sampledUnderRcu,
  *beforeClear(sys, frame) {
    yield* rcu_read_lock();
    frame['key'] = yield* keyIsOn(sys);
  },
  *afterClear() {
    yield* rcu_read_unlock();
  },
};
