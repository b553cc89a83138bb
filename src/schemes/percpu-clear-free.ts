import { percpu_down_read, percpu_down_write, percpu_up_read, percpu_up_write, percpuRwsem } from '../linux/percpu-rwsem.js'; // biome-ignore format: one line
import type { Scheme } from '../linux/scheme.js';
import { place } from '../linux/system.js';

const SEM = 'ptdump_sem';

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
  setUp: (sys) => void percpuRwsem(sys, SEM),
  *beforeClear(sys) {
    if (!sys.variant.has('no-free-lock')) yield* percpu_down_read(place(sys, SEM));
  },
  *afterFree(sys) {
    if (!sys.variant.has('no-free-lock')) yield* percpu_up_read(place(sys, SEM));
  },
  *walkLock(sys) {
    if (!sys.variant.has('no-walk-lock')) yield* percpu_down_write(sys, place(sys, SEM));
  },
  *walkUnlock(sys) {
    if (!sys.variant.has('no-walk-lock')) yield* percpu_up_write(sys, place(sys, SEM));
  },
};
