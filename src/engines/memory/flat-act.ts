// What moves do to memory, which is flat: each word has one value, and each CPU its view of patched text.
import type { Key, Lock, Place, Step, TryLock, Unlock } from '../../linux/step.js';
import { touch } from '../../linux/system/act.js';
import { fault, free } from '../../linux/system/tables.js';
import { FREED, regionOf, type System, type Task } from '../../linux/system.js';
import { type Known, learn, learnValue, learnWriter } from './flat-known.js';
import { SECTIONS } from './flat-local.js';

/** A system whose words change, and what is known of who does what. */
export interface Flat {
  readonly sys: System;
  readonly known: Known;
}

/** Store `value`, and learn that the word changes. */
export function set(f: Flat, at: Place, value: number): void {
  const { cells } = f.sys;
  if (cells[at] === value) return;
  learn(f.known.varying, at);
  cells[at] = value;
}

/** The word at `at`; poison is 0. What is wrong with the access is left in `sys.fault`. */
export function read(f: Flat, at: Place, step: Step): number {
  const { sys } = f;
  touch(sys, at, step);
  const state = sys.owner[at]!;
  return state !== 0 && sys.cells[state] === FREED ? 0 : sys.cells[at]!;
}

export function write(f: Flat, task: Task, at: Place, value: number, step: Step): void {
  touch(f.sys, at, step);
  learnWriter(f.known, at, task.id);
  learnValue(f.known, at, value);
  set(f, at, value);
}

export function freeTable(f: Flat, task: Task, step: Extract<Step, { op: 'free' }>): void {
  const state = f.sys.owner[step.on]!;
  if (state === 0) {
    fault(f.sys, 'double free', step.on, step);
    return;
  }
  learn(f.known.varying, state);
  const { base, size } = regionOf(f.sys, step.on)!;
  for (let at = base; at < base + size; at++) {
    learnWriter(f.known, at, task.id);
    learnValue(f.known, at, 0);
  }
  free(f.sys, step);
}

type LockAct = Lock | TryLock | Unlock;
const READERS = 1;

/** May the lock be taken? A waiting writer blocks nobody here. */
export function takable(f: Flat, { on, kind, mode }: LockAct): boolean {
  const { cells } = f.sys;
  if (cells[on] !== 0) return false;
  return kind !== 'rwsem' || mode === 'read' || cells[on + READERS] === 0;
}

export function take(f: Flat, task: Task, step: LockAct): void {
  if (step.mode === 'read') set(f, step.on + READERS, f.sys.cells[step.on + READERS]! + 1);
  else set(f, step.on, task.id + 1);
}

export function release(f: Flat, step: Unlock): void {
  if (step.mode === 'read') set(f, step.on + READERS, f.sys.cells[step.on + READERS]! - 1);
  else set(f, step.on, 0);
}

const TEXT = 1;
const VIEWS = 2;

/** `cpu` fetches anew. */
export function synchronise(f: Flat, cpu: number): void {
  if (!f.known.testers.has(cpu)) return;
  for (const key of f.sys.keys) set(f, key + VIEWS + cpu, 1 << f.sys.cells[key + TEXT]!);
}

/** Store an instruction: every CPU may execute the old or the new one, but the one that patched. */
export function patch(f: Flat, cpu: number, key: Place, value: number): void {
  set(f, key + TEXT, value);
  for (const c of f.known.testers)
    set(f, key + VIEWS + c, c === cpu ? 1 << value : f.sys.cells[key + VIEWS + c]! | (1 << value));
}

/** The count of a key after the step. */
export function counted(f: Flat, step: Key): number {
  const was = f.sys.cells[step.on]!;
  if (step.mode === 'enable') return was > 0 ? was : was + 1;
  if (step.mode === 'disable') return was === 1 ? 0 : was;
  return was + (step.mode === 'inc' ? 1 : -1);
}

/** Does the step turn the key on or off, and so interrupt every CPU that executes its text? */
export const flips = (f: Flat, step: Key): boolean =>
  counted(f, step) > 0 !== f.sys.cells[step.on]! > 0;

export function flip(f: Flat, task: Task, step: Key): number {
  const flipped = flips(f, step);
  learnWriter(f.known, step.on, task.id);
  set(f, step.on, counted(f, step));
  if (!flipped) return 0;
  const text = f.sys.cells[step.on]! > 0 ? 1 : 0;
  patch(f, task.cpu, step.on, text);
  for (const cpu of f.sys.textCpus) synchronise(f, cpu);
  return 1;
}

/** The instructions that `task` may find at key `on`: 1 a NOP, 2 a branch, 3 either. */
export function view(f: Flat, task: Task, on: Place, lags: boolean): number {
  return lags ? f.sys.cells[on + VIEWS + task.cpu]! : 1 << f.sys.cells[on + TEXT]!;
}

const bits = (task: Task, open: number): number => open << (task.id * SECTIONS);

/** A grace period of `task` begins: note the sections of others that are under way. */
export function graceBegins(f: Flat, task: Task, open: (id: number) => number): void {
  let noted = 0;
  for (const t of f.sys.tasks) if (t.id !== task.id) noted |= bits(t, open(t.id));
  set(f, task.gp, noted);
}

/** Section number `section` of `task` is over. */
export function sectionEnds(f: Flat, task: Task, section: number): void {
  for (const t of f.sys.tasks) set(f, t.gp, f.sys.cells[t.gp]! & ~bits(task, 1 << section));
}
