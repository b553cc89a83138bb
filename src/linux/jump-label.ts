// Static keys. C: kernel/jump_label.c, arch/arm64/kernel/{jump_label,patching}.c (6.12). Left out: cpus_read_lock (no
// CPU is ever plugged here), more than one site a key.
import {
  atomic_fetch_add,
  branch,
  cmpxchg,
  fence,
  READ_ONCE,
  smp_mb,
  WRITE_ONCE,
} from './memory.js';
import type { Kernel, Place } from './step.js';
import { lock, place, type System, staticKey } from './system.js';

/** Lay out a key that is off. */
export function DEFINE_STATIC_KEY_FALSE(sys: System, name: string, cpus: number): Place {
  if (!sys.named.has('jump_label_mutex')) lock(sys, 'jump_label_mutex');
  return staticKey(sys, name, cpus);
}

/** The patched branch, as this CPU executes it. */
export function* static_branch_unlikely(key: Place): Kernel<number> {
  return yield { op: 'text', on: key, mode: 'test', by: 'static_branch_unlikely' };
}

/** kick_all_cpus_sync: a full barrier, then each other CPU takes an IPI. */
function* kick_all_cpus_sync(sys: System): Kernel {
  if (sys.variant.has('no-ipi')) return;
  yield* smp_mb();
  for (const cpu of sys.textCpus) yield { op: 'ipi', cpu, by: 'kick_all_cpus_sync' };
}

/** Patch every site of `key`, and make all CPUs see it. */
function* jump_label_update(sys: System, key: Place, value: 0 | 1): Kernel {
  yield { op: 'text', on: key, mode: 'patch', value, by: 'jump_label_update' };
  yield* kick_all_cpus_sync(sys);
}

/*
 * jump_label_mutex, and the counter's change under it, are joined to the patching that follows: only the holder of the
 * mutex writes the counter, nobody else tries the mutex without waiting, and who reads the counter outside it does the
 * same on -1 as on 0 (goes for the mutex). The last store is joined to the unlock, which moves left past everything.
 */
function* jump_label_lock(sys: System): Kernel {
  const on = place(sys, 'jump_label_mutex');
  yield { op: 'lock', on, kind: 'mutex', mode: 'write', by: 'jump_label_lock', joined: true };
}
function* jump_label_unlock(sys: System): Kernel {
  const on = place(sys, 'jump_label_mutex');
  yield { op: 'unlock', on, kind: 'mutex', mode: 'write', by: 'jump_label_unlock' };
}
/** Mark of a loop's later turns (step.ts): each reads anew all it decides by. */
const AGAIN = { again: true } as const;

const whole = (sys: System): boolean => !sys.variant.has('jump-label');

/**
 * The variants 'bare-disable', 'dmb-disable' and 'dmb-ld-disable': `enabled` was 1, and the branch is patched back by its store
 * alone, with that barrier before it (none, DMB ISH, DMB ISHLD); no mutex, no IPI. The kernel's atomics are full barriers.
 */
function* patchedBack(sys: System, key: Place): Kernel<boolean> {
  const { variant } = sys;
  if (variant.has('dmb-disable')) yield* fence('dmb ish');
  else if (variant.has('dmb-ld-disable')) yield* fence('dmb ishld');
  else if (!variant.has('bare-disable')) return false;
  if ((yield* enabled(key)) !== 1) return false;
  yield { op: 'text', on: key, mode: 'patch', value: 0, by: 'jump_label_update' };
  yield* WRITE_ONCE(key, 0);
  return true;
}

/** enabled, and the branch on it; `again`: in a later turn of a loop. */
function* enabled(key: Place, again: { again?: boolean } = {}): Kernel<number> {
  const count = yield* READ_ONCE(key, again);
  yield* branch(key);
  return count;
}

/** enabled, read under jump_label_mutex. */
function* enabledLocked(key: Place): Kernel<number> {
  const count = yield { op: 'read', on: key, mode: 'once', joined: true };
  yield { op: 'branch', on: key, joined: true };
  return count;
}

/** Under jump_label_mutex, the key being off: -1 while patching, 1 when every CPU has it. */
function* turnOn(sys: System, key: Place): Kernel {
  yield { op: 'write', on: key, value: -1, mode: 'once', by: 'atomic_set', joined: true };
  yield* jump_label_update(sys, key, 1);
  yield { op: 'write', on: key, value: 1, mode: 'release', by: 'atomic_set_release', joined: true };
}

/** Off to on; a no-op if it is on already, whoever turned it on. */
export function* static_branch_enable(sys: System, key: Place): Kernel {
  if (whole(sys)) {
    yield { op: 'key', on: key, mode: 'enable', by: 'static_branch_enable' };
    return;
  }
  if ((yield* enabled(key)) > 0) return;
  yield* jump_label_lock(sys);
  if ((yield* enabledLocked(key)) === 0) yield* turnOn(sys, key);
  yield* jump_label_unlock(sys);
}

/** On to off; a no-op (with a warning in the kernel) unless `enabled` is 1. */
export function* static_branch_disable(sys: System, key: Place): Kernel {
  if (whole(sys)) {
    yield { op: 'key', on: key, mode: 'disable', by: 'static_branch_disable' };
    return;
  }
  if (yield* patchedBack(sys, key)) return;
  if ((yield* enabled(key)) !== 1) return;
  yield* jump_label_lock(sys);
  const was = yield { op: 'rmw', on: key, fn: 'cas', value: 0, expect: 1, mode: 'full', joined: true }; // biome-ignore format: one line
  if (was === 1) yield* jump_label_update(sys, key, 0);
  yield* jump_label_unlock(sys);
}

/** One user more; the first one turns the key on, and nobody returns before it is on. */
export function* static_branch_inc(sys: System, key: Place): Kernel {
  if (whole(sys)) {
    yield { op: 'key', on: key, mode: 'inc', by: 'static_branch_inc' };
    return;
  }
  for (let v = yield* enabled(key); v > 0; v = yield* enabled(key, AGAIN))
    if ((yield* cmpxchg(key, v, v + 1)) === v) return;
  yield* jump_label_lock(sys);
  if ((yield* enabledLocked(key)) === 0) yield* turnOn(sys, key);
  else yield* atomic_fetch_add(key, 1);
  yield* jump_label_unlock(sys);
}

/** One user less; the last one turns the key off. */
export function* static_branch_dec(sys: System, key: Place): Kernel {
  if (whole(sys)) {
    yield { op: 'key', on: key, mode: 'dec', by: 'static_branch_dec' };
    return;
  }
  if (yield* patchedBack(sys, key)) return;
  for (let v = yield* enabled(key); v > 1; v = yield* enabled(key, AGAIN))
    if ((yield* cmpxchg(key, v, v - 1)) === v) return;
  yield* jump_label_lock(sys);
  const was = yield { op: 'rmw', on: key, fn: 'add', value: -1, mode: 'full', joined: true };
  if (was === 1) yield* jump_label_update(sys, key, 0);
  yield* jump_label_unlock(sys);
}
