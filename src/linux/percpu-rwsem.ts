// percpu_rw_semaphore over rcu_sync. C: kernel/locking/percpu-rwsem.c, kernel/rcu/sync.c (6.12).
// Left out: the counters are one word, not one a CPU (the writer reads their sum); waiters come in any order.
import { atomic_fetch_add, branch, READ_ONCE, smp_mb, smp_store_release, WRITE_ONCE } from './memory.js'; // biome-ignore format: one line
import { synchronize_rcu } from './rcu.js';
import { might_sleep, wait_event } from './sched.js';
import type { Kernel, Place, Step } from './step.js';
import { lock, place, region, type System, task } from './system.js';

/** rcu_sync's states; readers take the fast path in IDLE only. */
const IDLE = 0;
const ENTER = 1;
const PASSED = 2;
const EXIT = 3;
const REPLAY = 4;

/** Words of the semaphore: rcu_sync's state, its count of writers, its callback; the readers' count; the writer's block. */
const STATE = 0;
const COUNT = 1;
const CALLBACK = 2;
const READERS = 3;
const BLOCK = 4;

/** Lay out a percpu_rw_semaphore called `name`, and the softirq that runs its RCU callback. */
export function percpuRwsem(sys: System, name: string): Place {
  const sem = region(sys, name, 5);
  lock(sys, `${name}.rss_lock`);
  task(sys, `rcu_sync of ${name}`, -1, (s) => rcuSyncCallbacks(s, sem, name), true);
  return sem;
}

const rss = (sys: System, sem: Place): Place =>
  place(sys, `${sys.regions.find((r) => r.base === sem)!.name}.rss_lock`);

/*
 * The sections under rss_lock are joined: the lock moves right, what is under it is touched under it only, but for one
 * store to STATE that readers see, and the unlock moves left.
 */
const held = (step: Step): Step => ({ ...step, joined: true });
function* enterSection(sys: System, sem: Place): Kernel<number> {
  yield held({ op: 'lock', on: rss(sys, sem), kind: 'spinlock', mode: 'write', by: 'rss_lock' });
  return yield held({ op: 'read', on: sem + STATE, mode: 'once' });
}
function* leaveSection(sys: System, sem: Place): Kernel {
  yield { op: 'unlock', on: rss(sys, sem), kind: 'spinlock', mode: 'write', by: 'rss_lock' };
}
function* setState(sem: Place, state: number): Kernel {
  yield held({ op: 'write', on: sem + STATE, value: state, mode: 'once', by: 'rcu_sync' });
}
function* addCount(sem: Place, n: number): Kernel<number> {
  return yield held({ op: 'rmw', on: sem + COUNT, fn: 'add', value: n, mode: 'relaxed' });
}

/** rcu_sync_func: a grace period has passed. True if it must be called again after another. */
function* rcu_sync_func(sys: System, sem: Place): Kernel<boolean> {
  const state = yield* enterSection(sys, sem);
  const writers = yield held({ op: 'read', on: sem + COUNT, mode: 'once' });
  const again = writers === 0 && state === REPLAY;
  yield* setState(sem, writers > 0 ? PASSED : again ? EXIT : IDLE);
  yield* leaveSection(sys, sem);
  return again;
}

/** The softirq: callbacks of call_rcu_hurry. */
function* rcuSyncCallbacks(sys: System, sem: Place, name: string): Kernel {
  for (;;) {
    yield* wait_event(sem + CALLBACK, 'ne', 0);
    yield* synchronize_rcu();
    yield* WRITE_ONCE(sem + CALLBACK, 0);
    if (yield* rcu_sync_func(sys, sem)) yield* WRITE_ONCE(sem + CALLBACK, 1);
    yield { op: 'forget', key: name };
  }
}

function* rcu_sync_enter(sys: System, sem: Place): Kernel {
  const state = yield* enterSection(sys, sem);
  if (state === IDLE) yield* setState(sem, ENTER);
  yield* addCount(sem, 1);
  yield* leaveSection(sys, sem);
  if (state !== IDLE) {
    yield* wait_event(sem + STATE, 'gt', ENTER);
    return;
  }
  yield* synchronize_rcu();
  yield* rcu_sync_func(sys, sem);
}

function* rcu_sync_exit(sys: System, sem: Place): Kernel {
  const state = yield* enterSection(sys, sem);
  const last = (yield* addCount(sem, -1)) === 1;
  if (last && state === PASSED) {
    yield* setState(sem, EXIT);
    yield held({ op: 'write', on: sem + CALLBACK, value: 1, mode: 'once', by: 'call_rcu_hurry' });
  } else if (last && state === EXIT) yield* setState(sem, REPLAY);
  yield* leaveSection(sys, sem);
}

/** Mark of a loop's later turns (step.ts): each reads anew all it decides by. */
const AGAIN = { again: true } as const;

/** percpu_down_read: fast (a plain increment) while no writer is near. Sleeps. */
export function* percpu_down_read(sem: Place): Kernel {
  yield* might_sleep('percpu_down_read');
  yield { op: 'rcu', mode: 'lock', by: 'preempt_disable' };
  const fast = (yield* READ_ONCE(sem + STATE)) === IDLE;
  yield* branch(sem + STATE);
  yield* atomic_fetch_add(sem + READERS, 1, 'relaxed');
  if (!fast) {
    yield* smp_mb();
    for (let again = {}; (yield* READ_ONCE(sem + BLOCK, again)) !== 0; again = AGAIN) {
      yield* atomic_fetch_add(sem + READERS, -1, 'relaxed');
      yield { op: 'rcu', mode: 'unlock', by: 'preempt_enable' };
      yield* wait_event(sem + BLOCK, 'eq', 0);
      yield { op: 'rcu', mode: 'lock', by: 'preempt_disable' };
      yield* atomic_fetch_add(sem + READERS, 1, 'relaxed');
      yield* smp_mb();
    }
    yield* branch(sem + BLOCK);
  }
  yield { op: 'rcu', mode: 'unlock', by: 'preempt_enable' };
}

/** percpu_up_read. */
export function* percpu_up_read(sem: Place): Kernel {
  yield { op: 'rcu', mode: 'lock', by: 'preempt_disable' };
  const alone = (yield* READ_ONCE(sem + STATE)) === IDLE;
  yield* branch(sem + STATE);
  if (!alone) yield* smp_mb();
  yield* atomic_fetch_add(sem + READERS, -1, 'relaxed');
  yield { op: 'rcu', mode: 'unlock', by: 'preempt_enable' };
}

/** percpu_down_write: a grace period if no writer was near lately; then waits for all readers. Sleeps. */
export function* percpu_down_write(sys: System, sem: Place): Kernel {
  yield* might_sleep('percpu_down_write');
  yield* rcu_sync_enter(sys, sem);
  const claim = {
    op: 'rmw',
    on: sem + BLOCK,
    fn: 'cas',
    value: 1,
    expect: 0,
    mode: 'full',
  } as const;
  for (let again = {}; (yield { ...claim, ...again }) !== 0; again = AGAIN)
    yield* wait_event(sem + BLOCK, 'eq', 0);
  yield* wait_event(sem + READERS, 'eq', 0);
}

/** percpu_up_write. */
export function* percpu_up_write(sys: System, sem: Place): Kernel {
  yield* smp_store_release(sem + BLOCK, 0);
  yield* rcu_sync_exit(sys, sem);
}
