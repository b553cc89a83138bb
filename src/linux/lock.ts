// Locks, each call one step (their rules: system/rwsem.ts). C: kernel/locking/{rwsem,mutex}.c, include/linux/spinlock.h.
import type { Kernel, Lock, Place } from './step.js';

const take = (on: Place, kind: Lock['kind'], mode: Lock['mode'], by: string): Lock => ({ op: 'lock', on, kind, mode, by }); // biome-ignore format: one line

/** mmap_read_lock: the init_mm lock at `on`, for read. Sleeps. */
export function* mmap_read_lock(on: Place): Kernel {
  yield take(on, 'rwsem', 'read', 'mmap_read_lock');
}
/** mmap_read_trylock: 1 if taken. Fails while a writer holds it or anybody waits for it. Never sleeps. */
export function* mmap_read_trylock(on: Place): Kernel<number> {
  return yield { op: 'trylock', on, kind: 'rwsem', mode: 'read', by: 'mmap_read_trylock' };
}
export function* mmap_read_unlock(on: Place): Kernel {
  yield { op: 'unlock', on, kind: 'rwsem', mode: 'read', by: 'mmap_read_unlock' };
}
/** mmap_write_lock. Sleeps. */
export function* mmap_write_lock(on: Place): Kernel {
  yield take(on, 'rwsem', 'write', 'mmap_write_lock');
}
export function* mmap_write_unlock(on: Place): Kernel {
  yield { op: 'unlock', on, kind: 'rwsem', mode: 'write', by: 'mmap_write_unlock' };
}

/** mutex_lock. Sleeps. */
export function* mutex_lock(on: Place): Kernel {
  yield take(on, 'mutex', 'write', 'mutex_lock');
}
/** mutex_trylock: 1 if taken. */
export function* mutex_trylock(on: Place): Kernel<number> {
  return yield { op: 'trylock', on, kind: 'mutex', mode: 'write', by: 'mutex_trylock' };
}
export function* mutex_unlock(on: Place): Kernel {
  yield { op: 'unlock', on, kind: 'mutex', mode: 'write', by: 'mutex_unlock' };
}

/** spin_lock: also forbids sleeping until the unlock. */
export function* spin_lock(on: Place): Kernel {
  yield take(on, 'spinlock', 'write', 'spin_lock');
}
/** spin_trylock: 1 if taken. */
export function* spin_trylock(on: Place): Kernel<number> {
  return yield { op: 'trylock', on, kind: 'spinlock', mode: 'write', by: 'spin_trylock' };
}
export function* spin_unlock(on: Place): Kernel {
  yield { op: 'unlock', on, kind: 'spinlock', mode: 'write', by: 'spin_unlock' };
}
