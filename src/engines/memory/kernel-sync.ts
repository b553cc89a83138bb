// Locks, static keys, patched text, interrupts and RCU as primitives of the promising model.
import type { GracePeriod, Ipi, Key, Lock, Rcu, Text, TryLock, Unlock } from '../../linux/step.js';
import { actsOn, flips, holders, keyCount, type Message } from './kernel-messages.js';
import { fork, get, order, put, settled, type TaskState } from './kernel-state.js';
import { make, type Outcome, viewAt, type World } from './kernel-step.js';

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

/** All that a barrier on both sides of the message does; the CPU fetches anew. */
function fully(n: TaskState, time: number): void {
  n.wOld = max(n.wOld, time);
  order(n, time);
  n.dsb = max(n.dsb, time);
  n.fetch = max(n.fetch, time);
}

/** A whole flip of a key, fully ordered; every CPU that executes the text is interrupted where the text changes. */
export function flipKey(w: World, s: TaskState, step: Key): Outcome[] {
  const { on } = step;
  w.touch(on);
  const next = (was: number): number => {
    if (step.mode === 'enable') return was > 0 ? was : was + 1;
    if (step.mode === 'disable') return was === 1 ? 0 : was;
    return was + (step.mode === 'inc' ? 1 : -1);
  };
  const times = [...s.left.filter((t) => w.all.list[s.mem[t]!]!.on === on), s.mem.length];
  const out: Outcome[] = [];
  for (const time of times) {
    const was = keyCount(w.sys, w.all, s.mem, on, actsOn(w.all, s.mem, on, ['key'], time));
    const message: Message = { who: w.task.id, kind: 'key', on, value: next(was), step };
    const made = make(w, fork(s), {
      message,
      needs: max(settled(s), get(s.coh, on)),
      perform(n, t) {
        n.coh = put(n.coh, on, t);
        n.seen = put(n.seen, on, t);
        fully(n, t);
        n.interrupted = t;
      },
      result: (n, t) => (flips(w.sys, w.all, n.mem, t) ? 1 : 0),
    });
    out.push(...made.filter((o) => o.time === time));
  }
  return out;
}

/** The text of a whole key, as of the last interrupt this CPU took. */
function wholeText(w: World, s: TaskState, key: number): number {
  const times = actsOn(w.all, s.mem, key, ['key']).filter((t) => t <= s.interrupted);
  return keyCount(w.sys, w.all, s.mem, key, times) > 0 ? 1 : 0;
}

/** Execute patched text: what an ISB or interrupt has made sure of, or anything newer. */
export function fetchText(w: World, s: TaskState, step: Text): Outcome[] {
  const whole = !w.sys.variant.has('jump-label');
  const on = whole ? step.on : step.on + 1;
  w.touch(on);
  if (whole && w.sys.textCpus.includes(w.task.cpu)) return [{ s, result: wholeText(w, s, on) }];
  const times = actsOn(w.all, s.mem, on, [whole ? 'key' : 'text']);
  const old = times.filter((t) => t <= s.fetch);
  return [old[old.length - 1] ?? 0, ...times.filter((t) => t > s.fetch)].map((time) => {
    const n = fork(s);
    const view = max(s.fetch, time);
    order(n, view);
    n.rOld = max(n.rOld, view);
    n.seen = put(n.seen, step.on, view);
    const value = time === 0 ? w.sys.cells[on]! : w.all.list[n.mem[time]!]!.value;
    return { s: n, result: value > 0 ? 1 : 0, reads: time };
  });
}

/** The text of a key is the word behind its count. Store an instruction: an ordinary store, then caches cleaned with DSB and ISB. */
export function patchText(w: World, s: TaskState, step: Text): Outcome[] {
  const on = step.on + 1;
  w.touch(on);
  const strong = w.strength === 'arm64' ? 0 : settled(s);
  return make(w, s, {
    message: { who: w.task.id, kind: 'text', on, value: step.value ?? 0, step },
    needs: max(s.wNew, s.cap, get(s.coh, on), strong),
    perform(n, time) {
      n.coh = put(n.coh, on, time);
      fully(n, max(time, n.rOld, n.wOld));
    },
  });
}

/** Interrupt a CPU and wait until it has taken it. */
export function sendIpi(w: World, s: TaskState, step: Ipi): Outcome[] {
  if (step.cpu === w.task.cpu) {
    s.fetch = max(s.fetch, s.cap, s.dsb);
    return [{ s, result: 0 }];
  }
  return make(w, s, {
    message: { who: w.task.id, kind: 'ipi', on: step.cpu, value: 0, step },
    needs: settled(s),
    perform: fully,
  });
}

/** Begin or end of a grace period, each a full barrier. */
export function gracePeriod(w: World, s: TaskState, step: GracePeriod): Outcome[] {
  const { id } = w.task;
  return make(w, s, {
    message: { who: id, kind: 'gp', on: id, value: step.mode === 'begin' ? 0 : 1, step },
    needs: settled(s),
    perform: fully,
  });
}

/** Grace periods of other tasks: [begin, end], end infinite while it lasts. */
function gracePeriods(w: World, s: TaskState): [number, number][] {
  const out: [number, number][] = [];
  const open = new Map<number, [number, number]>();
  for (let t = 1; t < s.mem.length; t++) {
    const m = w.all.list[s.mem[t]!]!;
    if (m.kind !== 'gp' || m.who === w.task.id) continue;
    if (m.value === 0) {
      const gp: [number, number] = [t, Number.POSITIVE_INFINITY];
      open.set(m.who, gp);
      out.push(gp);
    } else open.get(m.who)![1] = t;
  }
  return out;
}

/**
 * RCU sections: against every grace period, either what follows the section's begin is after the period's begin, or what
 * precedes its end is before the period's end. The choice is made at the section's begin.
 */
export function rcuSection(w: World, s: TaskState, step: Rcu): Outcome[] {
  if (step.mode === 'lock') {
    if (s.depth++ > 0) return [{ s, result: 0 }];
    return [0, ...gracePeriods(w, s).map(([begin]) => begin)].map((floor) => {
      const n = fork(s);
      order(n, floor);
      n.rOld = max(n.rOld, floor); // an interrupt taken later can't be older
      n.floor = floor;
      return { s: n, result: 0 };
    });
  }
  if (--s.depth > 0) return [{ s, result: 0 }];
  const before = max(s.rOld, s.wOld);
  const ok = gracePeriods(w, s).every(([begin, end]) => begin <= s.floor || before < end);
  return ok ? [{ s, result: 0 }] : [];
}

/** The branch on what was last read, tried, or tested at `on`. */
export function branchOn(s: TaskState, on: number): void {
  s.cap = max(s.cap, viewAt(s, on));
}
