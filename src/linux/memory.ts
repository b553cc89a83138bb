// Accesses and barriers, spelt as in the kernel. Each is one step. C: include/asm-generic/rwonce.h, barrier.h, atomic.h.
import type { AtomicMode, Common, Deps, FenceMode, Kernel, Place } from './step.js';

/** A plain C load. */
export function* load(on: Place, deps?: Deps): Kernel<number> {
  return yield { op: 'read', on, mode: 'plain', ...deps };
}

/** READ_ONCE: the value at `on`. */
export function* READ_ONCE(on: Place, deps?: Deps & Pick<Common, 'again'>): Kernel<number> {
  return yield { op: 'read', on, mode: 'once', ...deps };
}

/** WRITE_ONCE. */
export function* WRITE_ONCE(on: Place, value: number, deps?: Deps): Kernel {
  yield { op: 'write', on, value, mode: 'once', ...deps };
}

/** smp_load_acquire. */
export function* smp_load_acquire(on: Place, deps?: Deps): Kernel<number> {
  return yield { op: 'read', on, mode: 'acquire', ...deps };
}

/** smp_store_release. */
export function* smp_store_release(on: Place, value: number, deps?: Deps): Kernel {
  yield { op: 'write', on, value, mode: 'release', ...deps };
}

/** atomic_fetch_add (and _relaxed, _acquire, _release by `mode`): the old value. */
export function* atomic_fetch_add(
  on: Place,
  value: number,
  mode: AtomicMode = 'full',
): Kernel<number> {
  return yield { op: 'rmw', on, fn: 'add', value, mode };
}

/** xchg: the old value. */
export function* xchg(on: Place, value: number, mode: AtomicMode = 'full'): Kernel<number> {
  return yield { op: 'rmw', on, fn: 'xchg', value, mode };
}

/** cmpxchg: the old value; `value` was stored if that is `expect`. */
export function* cmpxchg(
  on: Place,
  expect: number,
  value: number,
  mode: AtomicMode = 'full',
): Kernel<number> {
  return yield { op: 'rmw', on, fn: 'cas', value, expect, mode };
}

/** A barrier by its instruction. */
export function* fence(mode: FenceMode, by?: string): Kernel {
  yield by === undefined ? { op: 'fence', mode } : { op: 'fence', mode, by };
}

/** smp_mb: DMB ISH. */
export const smp_mb = (): Kernel => fence('dmb ish', 'smp_mb');
/** smp_rmb: DMB ISHLD. */
export const smp_rmb = (): Kernel => fence('dmb ishld', 'smp_rmb');
/** smp_wmb: DMB ISHST. */
export const smp_wmb = (): Kernel => fence('dmb ishst', 'smp_wmb');

/**
 * The branch of an `if` on what was last read at `on`. Only weak-memory engines need it; put it before the first step of
 * the arm where the order matters.
 */
export function* branch(on: Place): Kernel {
  yield { op: 'branch', on };
}
