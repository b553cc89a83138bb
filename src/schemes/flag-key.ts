// ptdump's key as a plain flag, as the judges' AArch64 tests have it and the first proofs of the thread: what store, load and
// barriers do alone, with no patched text, no IPI and no lock inside the key.
import { atomic_fetch_add, fence, smp_store_release, WRITE_ONCE } from '../linux/memory.js';
import type { Kernel, Place } from '../linux/step.js';
import type { System } from '../linux/system.js';

/** Before the walk: set (or count up) the flag; DSB ISH. */
export function* flagOn(sys: System, key: Place, counted: boolean): Kernel {
  if (counted) yield* atomic_fetch_add(key, 1, 'relaxed');
  else yield* WRITE_ONCE(key, 1);
  if (!sys.variant.has('no-enable-barrier')) yield* fence('dsb ish', 'flag on');
}

/** After the walk: DSB ISH; clear (or count down) the flag. */
export function* flagOff(sys: System, key: Place, counted: boolean): Kernel {
  const release = sys.variant.has('release-disable');
  if (sys.variant.has('dmb-disable')) yield* fence('dmb ish', 'flag off');
  else if (sys.variant.has('dmb-ld-disable')) yield* fence('dmb ishld', 'flag off');
  else if (!release && !sys.variant.has('bare-disable')) yield* fence('dsb ish', 'flag off');
  if (counted) yield* atomic_fetch_add(key, -1, release ? 'release' : 'relaxed');
  else if (release) yield* smp_store_release(key, 0);
  else yield* WRITE_ONCE(key, 0);
}
