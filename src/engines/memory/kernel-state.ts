// One task in the promising model, as arm64-state.ts has it for litmus threads: views are timestamps.
import type { Step } from '../../linux/step.js';

/** One step of a run, for counterexamples: with the time of its message, or of the message it read. */
export interface Trace {
  readonly step: Step;
  readonly result: number;
  readonly time: number | undefined;
  readonly reads: number | undefined;
  /** Here something went wrong. */
  readonly faulty: boolean;
  readonly before: Trace | undefined;
}

/** What went wrong in a run. */
export interface WeakFault {
  readonly kind: 'use after free' | 'double free' | 'wild access';
  readonly on: number;
  /** Time of the message that freed the table. */
  readonly freed: number;
}

/** Numbers by place, as a short list [place, number, ...] that is never changed, so that copies of a state share it. */
export type Table = readonly number[];

/** The number kept for `place`, or `otherwise`. */
export function get(table: Table, place: number, otherwise = 0): number {
  for (let i = 0; i < table.length; i += 2) if (table[i] === place) return table[i + 1]!;
  return otherwise;
}

/** `table` with `value` for `place`. */
export function put(table: Table, place: number, value: number): Table {
  const copy = table.slice();
  let i = 0;
  while (i < copy.length && copy[i] !== place) i += 2;
  copy[i] = place;
  copy[i + 1] = value;
  return copy;
}

/** Lists in a state are never changed, only replaced: a copy of a state is a copy of its fields. */
export interface TaskState {
  node: number;
  /** Message numbers by timestamp (index 0 unused); grows with what the run appends. */
  mem: readonly number[];
  /** Own messages not yet performed, and interrupts of this CPU not yet taken, by timestamp. */
  left: readonly number[];
  pending: readonly number[];
  /** Messages appended by this run, with the view each needs. */
  fresh: readonly { readonly id: number; readonly needs: number }[];
  /** View of what this task last read at each place. */
  seen: Table;
  coh: Table;
  /** Own last store to each place: its time (negative if part of an atomic), the views of its parts and of its read. */
  storeTime: Table;
  storeView: Table;
  storeRead: Table;
  /** Values of words no other task touches. */
  own: Table;
  rOld: number;
  wOld: number;
  rNew: number;
  wNew: number;
  cap: number;
  rel: number;
  /** What a DSB has completed; what instruction fetch must see; the last interrupt taken. */
  dsb: number;
  fetch: number;
  interrupted: number;
  depth: number;
  /** Grace periods that began at or before this time are seen by the section that is open. */
  floor: number;
  fault: WeakFault | undefined;
  /** The fault came after messages of this run alone. */
  dirty: boolean;
  trace: Trace | undefined;
}

/** A task before its first step. */
export const firstState = (
  mem: readonly number[],
  left: readonly number[],
  pending: readonly number[],
): TaskState => ({
  node: 0,
  mem,
  left,
  pending,
  fresh: [],
  seen: [],
  coh: [],
  storeTime: [],
  storeView: [],
  storeRead: [],
  own: [],
  rOld: 0,
  wOld: 0,
  rNew: 0,
  wNew: 0,
  cap: 0,
  rel: 0,
  dsb: 0,
  fetch: 0,
  interrupted: 0,
  depth: 0,
  floor: 0,
  fault: undefined,
  dirty: false,
  trace: undefined,
});

/** A copy that can go its own way. */
export const fork = (s: TaskState): TaskState => ({ ...s });

const { max } = Math;

/** Everything before in program order, all of what a full barrier waits for. */
export const settled = (s: TaskState): number => max(s.rOld, s.wOld, s.wNew, s.cap);

/** What comes later in program order is ordered after `time`. */
export function order(s: TaskState, time: number): void {
  s.rNew = max(s.rNew, time);
  s.wNew = max(s.wNew, time);
}

/** Can the open promises still be kept, and the open interrupts still be taken? */
export function hopeful(s: TaskState): boolean {
  const floor = max(s.wNew, s.cap);
  for (const t of s.left) if (t <= floor) return false;
  const done = max(s.rOld, s.wOld);
  for (const t of s.pending) if (t <= done) return false;
  return true;
}

/** Take the oldest open interrupt: an ordering point in both directions, and a context synchronisation. */
export function interrupt(s: TaskState): void {
  const t = s.pending[0]!;
  s.pending = s.pending.slice(1);
  order(s, t);
  s.fetch = max(s.fetch, t);
  s.dsb = max(s.dsb, t);
  s.interrupted = t;
}

/** All that a barrier on both sides of the message does; the CPU fetches anew. */
export function fully(n: TaskState, time: number): void {
  n.wOld = max(n.wOld, time);
  order(n, time);
  n.dsb = max(n.dsb, time);
  n.fetch = max(n.fetch, time);
}
