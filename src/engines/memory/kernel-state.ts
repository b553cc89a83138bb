// One task in the promising model, as arm64-state.ts has it for litmus threads: views are timestamps.
import type { Step } from '../../linux/step.js';

/** One step of a run, for counterexamples: with the time of its message, or of the message it read. */
export interface Trace {
  readonly step: Step;
  readonly result: number;
  readonly time: number | undefined;
  readonly reads: number | undefined;
  readonly before: Trace | undefined;
}

/** What went wrong in a run. */
export interface WeakFault {
  readonly kind: 'use after free' | 'double free' | 'wild access';
  readonly on: number;
  /** Time of the message that freed the table. */
  readonly freed: number;
}

export interface TaskState {
  node: number;
  /** Message numbers by timestamp (index 0 unused); grows with what the run appends. */
  mem: number[];
  /** Own messages not yet performed, and interrupts of this CPU not yet taken, by timestamp. */
  left: number[];
  pending: number[];
  /** Messages appended by this run, with the view each needs. */
  fresh: { readonly id: number; readonly needs: number }[];
  /** View of what this task last read at each place. */
  seen: Map<number, number>;
  coh: Map<number, number>;
  forward: Map<number, { readonly time: number; readonly view: number; readonly atomic: boolean }>;
  /** Values of words no other task touches. */
  own: Map<number, number>;
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
export const firstState = (mem: number[], left: number[], pending: number[]): TaskState => ({
  node: 0,
  mem,
  left,
  pending,
  fresh: [],
  seen: new Map(),
  coh: new Map(),
  forward: new Map(),
  own: new Map(),
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
export const fork = (s: TaskState): TaskState => ({
  ...s,
  mem: s.mem.slice(),
  left: s.left.slice(),
  pending: s.pending.slice(),
  fresh: s.fresh.slice(),
  seen: new Map(s.seen),
  coh: new Map(s.coh),
  forward: new Map(s.forward),
  own: new Map(s.own),
});

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
  const t = s.pending.shift()!;
  order(s, t);
  s.fetch = max(s.fetch, t);
  s.dsb = max(s.dsb, t);
  s.interrupted = t;
}
