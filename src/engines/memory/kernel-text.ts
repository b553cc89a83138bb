// Static keys, patched text and interrupts in the promising model.
import type { Ipi, Key, Text } from '../../linux/step.js';
import { make, type Outcome, type World } from './kernel-access.js';
import { actsOn, flips, keyCount, type Message } from './kernel-messages.js';
import { fork, fully, get, order, put, settled, type TaskState } from './kernel-state.js';

const { max } = Math;

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
