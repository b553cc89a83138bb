// Locks as primitives of the promising model: one message an act, each an acquire of the act before it.
import type { Lock, TryLock, Unlock } from '../../linux/step.js';
import { make, type Outcome, type World } from './kernel-access.js';
import { actsOn, holders, type Message } from './kernel-messages.js';
import { fork, get, order, put, settled, type TaskState } from './kernel-state.js';

const { max } = Math;

const LOCK_ACTS = ['lock', 'unlock'] as const;

/** Time of the lock's last act before `time`: what an acquire at `time` reads from. */
function previous(w: World, s: TaskState, on: number, time: number): number {
  const times = actsOn(w.all, s.mem, on, LOCK_ACTS, time);
  return times[times.length - 1] ?? 0;
}

const takable = (h: { readers: number; writer: boolean }, write: boolean): boolean =>
  !h.writer && (!write || h.readers === 0);

/** Every way to take a lock; none where it is held: the task waits. An acquire of the act before it. */
export function takeLock(w: World, s: TaskState, step: Lock | TryLock): Outcome[] {
  const { on } = step;
  w.touch(on);
  const result = step.op === 'trylock' ? 1 : 0;
  if (w.isPrivate(on)) return [{ s, result }];
  const write = step.mode === 'write';
  const acts = actsOn(w.all, s.mem, on, LOCK_ACTS);
  const message: Message = { who: w.task.id, kind: 'lock', on, value: write ? 1 : 0, step };
  return make(w, s, {
    message,
    needs: max(s.wNew, s.cap, get(s.coh, on), w.strength === 'arm64' ? 0 : settled(s)),
    legal: takable(holders(w.all, s.mem, acts), write),
    result: () => result,
    perform(n, time) {
      const from = previous(w, n, on, time);
      order(n, from);
      n.rOld = max(n.rOld, from);
      n.seen = put(n.seen, on, max(n.rNew, from));
      n.coh = put(n.coh, on, time);
      n.wOld = max(n.wOld, time);
      if (w.strength !== 'arm64') order(n, time);
    },
  });
}

/** Trylock: taken, or not where a moment it may look at shows the lock held. */
export function tryLock(w: World, s: TaskState, step: TryLock): Outcome[] {
  const { on } = step;
  w.touch(on);
  const out = takeLock(w, fork(s), step);
  if (w.isPrivate(on)) return out;
  const floor = max(s.rNew, get(s.coh, on), w.strength === 'sc' ? s.wOld : 0);
  const acts = actsOn(w.all, s.mem, on, LOCK_ACTS);
  const open = acts.filter((t) => !s.left.includes(t));
  const busy = open.find((t, i) => {
    if (t <= floor && (open[i + 1] ?? Number.POSITIVE_INFINITY) <= floor) return false;
    const h = holders(w.all, s.mem, acts.slice(0, acts.indexOf(t) + 1));
    return !takable(h, step.mode === 'write');
  });
  if (busy === undefined) return out;
  const view = max(s.rNew, busy);
  s.rOld = max(s.rOld, view);
  if (w.strength !== 'arm64') order(s, view);
  s.coh = put(s.coh, on, max(get(s.coh, on), view));
  s.seen = put(s.seen, on, view);
  return [...out, { s, result: 0, reads: busy }];
}

export function releaseLock(w: World, s: TaskState, step: Unlock): Outcome[] {
  const { on } = step;
  w.touch(on);
  if (w.isPrivate(on)) return [{ s, result: 0 }];
  const value = step.mode === 'write' ? 1 : 0;
  const message: Message = { who: w.task.id, kind: 'unlock', on, value, step };
  return make(w, s, {
    message,
    needs: max(settled(s), get(s.coh, on)),
    perform(n, time) {
      n.coh = put(n.coh, on, time);
      n.wOld = max(n.wOld, time);
      n.rel = max(n.rel, time);
    },
  });
}
