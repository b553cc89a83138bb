import type { Scheme } from '../linux/scheme.js';
import { percpuRead, percpuReadEnd, percpuWriter } from './parts.js';

/** percpu_rw_semaphore around clear and free; ptdump is the writer, and pays a grace period. */
export const percpuClearFree: Scheme = {
  name: 'percpu-clear-free',
  title: 'percpu_rw_semaphore around clear and free',
  source: 'Ryan Roberts in the v3 thread, June 2025',
  era: 'never merged',
  claim:
    'correct; the reader blocks behind the dump, the dump behind a grace period (Uladzislau Rezki)',
  expect: {
    sc: { judge: 'SPIN', verdict: 'safe' },
    arm64: { judge: 'LKMM', verdict: 'safe' },
  },
  ...percpuWriter,
  beforeClear: percpuRead,
  afterFree: percpuReadEnd,
};
