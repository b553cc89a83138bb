import type { Step } from '../../linux/step.js';
import { type Automaton, follow } from '../automaton.js';
import { type Outcome, type World, writeWord } from './kernel-access.js';
import { releaseLock, takeLock, tryLock } from './kernel-lock.js';
import { flips } from './kernel-messages.js';
import { gracePeriod, rcuSection } from './kernel-rcu.js';
import { firstState, fork, hopeful, interrupt, type TaskState } from './kernel-state.js';
import { barrier, branchOn, freeTable, readStep, rmwWord, waitFor } from './kernel-step.js';
import { fetchText, flipKey, patchText, sendIpi } from './kernel-text.js';

/** A step the weak-memory engines have no rules for. */
export class Unsupported extends Error {}

/** What a task can do alone against a memory, all its promises kept. */
export interface TaskRuns {
  /** Some run kept every promise (to its end, or to where it must wait). */
  readonly certified: boolean;
  /** Some run came to the end and wrote nothing beside what was promised. */
  readonly complete: boolean;
  /** At the ends of those runs, the words that no other task touches: [place, value, ...] as text. */
  readonly ends: ReadonlySet<string>;
  /** Messages it may promise next, by number. */
  readonly next: ReadonlySet<number>;
  /** A run in which something went wrong, and one in which nothing did. */
  readonly faulty: TaskState | undefined;
  readonly sample: TaskState | undefined;
}

const plain = (s: TaskState): Outcome[] => [{ s, result: 0 }];

/** Every outcome of a step; none where the task must wait, or where the run can't be. */
function act(w: World, s: TaskState, step: Step): Outcome[] {
  switch (step.op) {
    case 'read':
      return readStep(w, s, step);
    case 'write':
      return writeWord(w, s, step, { value: step.value, release: step.mode === 'release' });
    case 'rmw':
      return rmwWord(w, s, step);
    case 'fence':
      barrier(s, step.mode);
      return plain(s);
    case 'branch':
      branchOn(s, step.on);
      return plain(s);
    case 'wait':
      return waitFor(w, s, step);
    case 'lock':
      return takeLock(w, s, step);
    case 'trylock':
      return tryLock(w, s, step);
    case 'unlock':
      return releaseLock(w, s, step);
    case 'rcu':
      return rcuSection(w, s, step);
    case 'gp':
      return gracePeriod(w, s, step);
    case 'key':
      return flipKey(w, s, step);
    case 'text':
      return step.mode === 'test' ? fetchText(w, s, step) : patchText(w, s, step);
    case 'ipi':
      return sendIpi(w, s, step);
    case 'free':
      return freeTable(w, s, step);
    case 'choose':
      return Array.from({ length: step.n }, (_, result) => ({ s: fork(s), result }));
    case 'alloc':
    case 'hw-walk':
      throw new Unsupported(`step '${step.op}' (${step.by ?? ''}) has no rules in this engine`);
    default:
      return plain(s); // tlbi, contexts, work and traces: nothing another task's walk could see
  }
}

/** Steps at which it matters whether an interrupt came before: all that read, write or synchronise. */
const quiet = new Set<Step['op']>([
  'fence', 'branch', 'tlbi', 'might-sleep', 'context', 'work', 'trace', 'choose',
]); // biome-ignore format: a list

/** Interrupts of this task's CPU in a memory: IPIs to it, and flips of keys by others. */
function interrupts(w: World, mem: readonly number[]): number[] {
  const { cpu, id } = w.task;
  if (!w.sys.textCpus.includes(cpu)) return [];
  const times: number[] = [];
  for (let t = 1; t < mem.length; t++) {
    const m = w.all.list[mem[t]!]!;
    if (m.who === id) continue;
    if (m.kind === 'ipi' ? m.on === cpu : flips(w.sys, w.all, mem, t)) times.push(t);
  }
  return times;
}

/**
 * Everything task `w.task` can do alone against `mem` (message numbers from index 1). With `keep` one run is kept as a
 * sample.
 */
export function runTask(w: World, a: Automaton, mem: number[], keep = false): TaskRuns {
  const left: number[] = [];
  for (let t = 1; t < mem.length; t++) if (w.all.list[mem[t]!]!.who === w.task.id) left.push(t);
  const next = new Set<number>();
  const ends = new Set<string>();
  let [certified, complete] = [false, false];
  let faulty: TaskState | undefined;
  let sample: TaskState | undefined;
  const offer = (s: TaskState): void => {
    if (s.left.length > 0) return;
    certified = true;
    if (s.fault && !s.dirty) faulty ??= s;
    if (keep) sample ??= s;
    for (const f of s.fresh) if (f.needs < mem.length) next.add(f.id);
  };
  const stack = [firstState(mem, left, interrupts(w, mem))];
  while (stack.length > 0) {
    const s = stack.pop()!;
    if (!hopeful(s)) continue;
    const step = a.steps[s.node];
    if (step === undefined) {
      offer(s);
      if (s.left.length === 0 && s.fresh.length === 0) {
        complete = true;
        ends.add(s.own.join());
        if (keep) sample = s;
      }
      continue;
    }
    if (s.pending.length > 0 && !quiet.has(step.op) && !s.left.some((t) => t < s.pending[0]!)) {
      const taken = fork(s);
      interrupt(taken);
      stack.push(taken);
    }
    const waiting = step.op === 'lock' || step.op === 'wait';
    const wasFaulty = s.fault !== undefined;
    const outcomes =
      step.by && w.omit.has(step.by) ? plain(s) : act(w, waiting ? fork(s) : s, step);
    if (waiting) offer(s);
    for (const o of outcomes) {
      // A fault counts where nothing was appended before it: then the other tasks' promises still hold.
      if (o.s.fault && !wasFaulty && o.s.fresh.length > (o.time === undefined ? 0 : 1))
        o.s.dirty = true;
      if (keep)
        o.s.trace = {
          step,
          result: o.result,
          time: o.time,
          reads: o.reads,
          faulty: o.s.fault !== undefined && !wasFaulty,
          before: o.s.trace,
        };
      o.s.node = follow(w.sys, a, s.node, o.result);
      stack.push(o.s);
    }
  }
  return { certified, complete, ends, next, faulty, sample };
}
