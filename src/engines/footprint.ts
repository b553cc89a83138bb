// Which words a step may read or write, and so which steps no other task can notice. A step whose words no other task
// writes (nor, where it writes, reads) commutes with all of the others' steps: the explorer does it at once, without a
// scheduling point. Who touches what is learnt while exploring; when a new step shows an assumption wrong, the
// exploration starts again, so that the last one ran on assumptions nothing it reached contradicts.
import type { Lock, Step, TryLock, Unlock } from '../linux/step.js';
import { LOCK_WORDS, MAX_WAITERS, regionOf, type System, type Task } from '../linux/system.js';

/** Per word: bit per task that may read it, write it. */
export interface Footprints {
  readonly readers: Int32Array;
  readonly writers: Int32Array;
  /** Words by which some step was taken for local: 1 it reads them (nobody else writes), 2 it writes them. */
  readonly assumed: Uint8Array;
  /** Rises when something new contradicts what was assumed: a word varies after all, or is another task's business too. */
  version: number;
}

export const footprints = (sys: System): Footprints => ({
  readers: new Int32Array(sys.used),
  writers: new Int32Array(sys.used),
  assumed: new Uint8Array(sys.used),
  version: 0,
});

type Note = (word: number, writes: boolean) => void;

/** An access to a word: it, and the state of the table it lies in. */
function access(sys: System, on: number, writes: boolean, note: Note): void {
  note(on, writes);
  if (sys.owner[on] !== 0) note(sys.owner[on]!, false);
}

function whole(sys: System, on: number, note: Note): void {
  const r = regionOf(sys, on)!;
  for (let i = 0; i < r.size; i++) note(r.base + i, true);
}

/** A mutex or spinlock is one word; of a rwsem's queue no more is used than there are tasks. */
function lockWords(sys: System, step: Lock | TryLock | Unlock, note: Note): void {
  const n = step.kind === 'rwsem' ? LOCK_WORDS + Math.min(MAX_WAITERS, sys.tasks.length) : 1;
  for (let i = 0; i < n; i++) note(step.on + i, true);
}

/** What a walk may read of the table it comes to: is it live, and its entry. */
function tables(sys: System, note: Note): void {
  for (const r of sys.regions)
    if (r.kind === 'table') for (const word of [r.base - 1, r.base]) note(word, false);
}

/** Words of jump labels: [first word of the key, text, view of CPU]. */
function views(sys: System, cpu: number, note: Note): void {
  if (!sys.variant.has('jump-label')) return; // else every view always is the text
  if (!sys.textCpus.includes(cpu)) return;
  for (const key of sys.keys) {
    note(key + 1, false);
    note(key + 2 + cpu, true);
  }
}

/** Tell `note` every word `step` of `task` may touch. */
export function words(sys: System, task: Task, step: Step, note: Note): void {
  switch (step.op) {
    case 'read':
      access(sys, step.on, false, note);
      return;
    case 'write':
    case 'rmw':
      access(sys, step.on, true, note);
      return;
    case 'wait':
      note(step.on, false);
      return;
    case 'lock':
    case 'trylock':
    case 'unlock':
      lockWords(sys, step, note);
      if (step.kind === 'spinlock') note(task.atomic, true);
      return;
    case 'fence':
      if (step.mode === 'isb') views(sys, task.cpu, note);
      return;
    case 'rcu':
      note(task.rcu, true);
      for (const t of sys.tasks) note(t.gp, true);
      return;
    case 'gp':
      note(task.gp, true);
      for (const t of sys.tasks) note(t.rcu, false);
      return;
    case 'key':
      whole(sys, step.on, note);
      return;
    case 'text':
      if (step.mode === 'patch') {
        note(step.on + 1, true);
        for (const cpu of sys.textCpus) note(step.on + 2 + cpu, true);
        views(sys, task.cpu, note);
      } else {
        note(step.on + 1, false);
        if (sys.textCpus.includes(task.cpu)) note(step.on + 2 + task.cpu, false);
      }
      return;
    case 'ipi':
      views(sys, step.cpu, note);
      return;
    case 'tlbi':
      for (const cache of sys.walkCaches) note(cache, true);
      return;
    case 'hw-walk':
      note(step.on, true);
      access(sys, step.entry, false, note);
      tables(sys, note);
      return;
    case 'alloc':
      for (const r of sys.regions)
        if (r.kind === 'table' && r.size === step.n)
          for (let i = -1; i < r.size; i++) note(r.base + i, true);
      return;
    case 'free':
      note(sys.owner[step.on]!, true);
      return;
    case 'context':
      note(task.atomic, true);
      return;
    default:
      return;
  }
}

/** Learn the words of a new step. */
export function learn(f: Footprints, sys: System, task: Task, step: Step): void {
  const bit = 1 << task.id;
  words(sys, task, step, (word, writes) => {
    const mask = writes ? f.writers : f.readers;
    if (mask[word]! & bit) return;
    const assumed = writes ? f.assumed[word]! : f.assumed[word]! & 2;
    if (assumed !== 0 || (writes && f.writers[word] === 0)) f.version++;
    mask[word]! |= bit;
  });
}

/** May `step` be done at once, as far as is known: no other task can notice it or be noticed by it. */
export function isLocal(f: Footprints, sys: System, task: Task, step: Step): boolean {
  // Locks are always told apart: a reader of a counterexample looks for them, and deadlocks are made of them.
  if (step.op === 'choose' || /lock$/.test(step.op)) return false;
  // An earlier note of open sections waits for fewer of them: it has every behaviour a later one has.
  if (step.op === 'gp' && step.mode === 'begin') return true;
  const others = ~(1 << task.id);
  let local = true;
  words(sys, task, step, (word, writes) => {
    const who = writes ? f.readers[word]! | f.writers[word]! : f.writers[word]!;
    if (who & others) local = false;
  });
  if (local) words(sys, task, step, (word, writes) => (f.assumed[word]! |= writes ? 2 : 1));
  return local;
}
