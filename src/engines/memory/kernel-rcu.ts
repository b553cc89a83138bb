// RCU in the promising model: a section may not hold a whole grace period.
import type { GracePeriod, Rcu } from '../../linux/step.js';
import { make, type Outcome, type World } from './kernel-access.js';
import { fork, fully, order, settled, type TaskState } from './kernel-state.js';

const { max } = Math;

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
