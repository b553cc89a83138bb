// What several schemes fill their points with: init_mm's lock and ptdump's static key.
import {
  DEFINE_STATIC_KEY_FALSE,
  static_branch_dec,
  static_branch_disable,
  static_branch_enable,
  static_branch_inc,
  static_branch_unlikely,
} from '../linux/jump-label.js';
import { mmap_read_lock, mmap_read_unlock } from '../linux/lock.js';
import { branch, READ_ONCE } from '../linux/memory.js';
import { percpu_down_read, percpu_down_write, percpu_up_read, percpu_up_write, percpuRwsem } from '../linux/percpu-rwsem.js'; // biome-ignore format: one line
import { synchronize_rcu } from '../linux/rcu.js';
import type { Frame, Point, Scheme } from '../linux/scheme.js';
import type { Kernel, Place } from '../linux/step.js';
import { place, region, type System } from '../linux/system.js';
import { flagOff, flagOn } from './flag-key.js';

/** init_mm.mmap_lock, which every scenario lays out. */
export const init_mm = (sys: System): Place => place(sys, 'init_mm');

/** The key that says a dump is under way. */
const KEY = 'ptdump_lock_key';
export const key = (sys: System): Place => place(sys, KEY);
export const keySetUp = (sys: System): void => {
  if (sys.variant.has('flag')) return void region(sys, KEY);
  const cpus = 1 + Math.max(...sys.tasks.map((t) => t.cpu));
  DEFINE_STATIC_KEY_FALSE(sys, KEY, cpus);
};

/** Does this run count readers (inc/dec)? The scheme's own way, unless the variant says the other. */
const counts = (sys: System, own: boolean): boolean =>
  own ? !sys.variant.has('enable-disable') : sys.variant.has('inc-dec');

/** The two points of ptdump that turn the key on and off; `counted`: with inc/dec. */
export const keyPoints = (counted: boolean): Pick<Scheme, 'walkBegin' | 'walkEnd'> => ({
  *walkBegin(sys) {
    if (sys.variant.has('flag')) yield* flagOn(sys, key(sys), counts(sys, counted));
    else if (counts(sys, counted)) yield* static_branch_inc(sys, key(sys));
    else yield* static_branch_enable(sys, key(sys));
  },
  *walkEnd(sys) {
    if (sys.variant.has('flag')) yield* flagOff(sys, key(sys), counts(sys, counted));
    else if (counts(sys, counted)) yield* static_branch_dec(sys, key(sys));
    else yield* static_branch_disable(sys, key(sys));
  },
});

/** Take init_mm's lock for read, and remember so; left out by the variant 'no-free-lock'. */
export function* readLock(sys: System, frame: Frame): Kernel {
  if (sys.variant.has('no-free-lock')) return;
  yield* mmap_read_lock(init_mm(sys));
  frame['locked'] = 1;
}

/** Let it go, if it was taken. */
export function* readUnlock(sys: System, frame: Frame): Kernel {
  if (!frame['locked']) return;
  yield* mmap_read_unlock(init_mm(sys));
  frame['locked'] = 0;
}

/** Test the key on this CPU; 1 if a dump is under way. */
export function* keyIsOn(sys: System): Kernel<number> {
  const flag = sys.variant.has('flag');
  const on = yield* flag ? READ_ONCE(key(sys)) : static_branch_unlikely(key(sys));
  if (!sys.variant.has('no-branch')) yield* branch(key(sys));
  return on;
}

/** `if (key) { read lock; read unlock; }`: wait for the dump that is under way. */
export const waitIfKeyOn: Point = function* (sys, frame) {
  if (!(yield* keyIsOn(sys))) return;
  yield* readLock(sys, frame);
  yield* readUnlock(sys, frame);
};

/** synchronize_rcu(), left out by the variant 'no-gp'. */
export function* gracePeriod(sys: System): Kernel {
  if (!sys.variant.has('no-gp')) yield* synchronize_rcu();
}

const waitingKey = keyPoints(false);

/** What the RCU schemes share: enable the key, wait a grace period; before the free, wait for a dump that was sampled. */
export const sampledUnderRcu: Pick<Scheme, 'setUp' | 'walkBegin' | 'walkEnd' | 'beforeFree'> = {
  setUp: keySetUp,
  ...waitingKey,
  *walkBegin(sys, frame) {
    if (waitingKey.walkBegin) yield* waitingKey.walkBegin(sys, frame);
    yield* gracePeriod(sys);
  },
  *beforeFree(sys, frame) {
    if (!frame['key']) return;
    yield* readLock(sys, frame);
    yield* readUnlock(sys, frame);
  },
};

const SEM = 'ptdump_sem';

/** What the percpu_rw_semaphore schemes share: ptdump is the writer. */
export const percpuWriter: Pick<Scheme, 'setUp' | 'walkLock' | 'walkUnlock'> = {
  setUp: (sys) => void percpuRwsem(sys, SEM),
  *walkLock(sys) {
    if (!sys.variant.has('no-walk-lock')) yield* percpu_down_write(sys, place(sys, SEM));
  },
  *walkUnlock(sys) {
    if (!sys.variant.has('no-walk-lock')) yield* percpu_up_write(sys, place(sys, SEM));
  },
};

/** The reader's two points; each scheme says where they stand. */
export const percpuRead: Point = function* (sys) {
  if (!sys.variant.has('no-free-lock')) yield* percpu_down_read(place(sys, SEM));
};
export const percpuReadEnd: Point = function* (sys) {
  if (!sys.variant.has('no-free-lock')) yield* percpu_up_read(place(sys, SEM));
};
