import type { Scheme } from '../linux/scheme.js';

/** What mainline had up to 6.17: nothing, since block mappings were off where a dump could run. */
export const none: Scheme = {
  name: 'none',
  title: 'no lock; huge mappings off with PTDUMP_DEBUGFS',
  source: 'commit 121e6f3258fe (5.13)',
  era: 'A',
  claim: 'safe only because huge mappings are off while ptdump can run',
  expect: {
    sc: { judge: 'SPIN', verdict: 'bug' },
    arm64: { judge: 'herd7, LKMM', verdict: 'bug' },
  },
};
