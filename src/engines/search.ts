// Breadth-first search over a machine's states: the first fault found is one of the shortest.
import type { Fault } from '../linux/system.js';
import { deadlock } from './deadlock.js';
import { begin, type Machine, move, movesOf, refresh, restore, save, scout, unfinished, width } from './machine.js'; // biome-ignore format: one line
import { type Ints, intern, ints, load, push, type StateSet, stateSet } from './states.js';

/** A move in a list: task + 32 * outcome + 1024 if it only queues. */
export const moveCode = (task: number, outcome: number, queues: boolean): number =>
  task + 32 * outcome + (queues ? 1024 * 1024 : 0);
export const decodeMove = (code: number): { task: number; outcome: number; queues: boolean } => ({
  task: code % 32,
  outcome: (code >> 5) % 32768,
  queues: code >= 1024 * 1024,
});

/** In `edges`: the run ends at a fault. */
export const FAULT = -1;

export interface Search {
  readonly states: StateSet;
  transitions: number;
  /** Of each state: the state it was first reached from, and the move. */
  readonly from: Ints;
  readonly by: Ints;
  /** Targets of all transitions, state by state; `first[s]` is where those of s begin. */
  readonly edges: Ints;
  readonly first: Ints;
  /** The first fault: the state before it, the move, what went wrong. */
  found: { state: number; code: number; fault: Fault } | undefined;
  /** Kinds of all faults met, when the search goes on after the first. */
  readonly kinds: Set<string>;
  /** States where nothing can move and all that must end has ended. */
  readonly finals: number[];
  /** States of deadlock. */
  readonly stuck: Set<number>;
  complete: boolean;
}

export interface SearchOptions {
  readonly maxStates: number;
  /** Go on after the first fault (a run ends at its fault). */
  readonly exhaust?: boolean;
  /** Faults of this kind do not end a run. */
  readonly past?: Fault['kind'];
  readonly progress?: (states: number) => void;
}

const fresh = (w: number): Search => ({
  states: stateSet(w),
  transitions: 0,
  from: ints(),
  by: ints(),
  edges: ints(),
  first: ints(),
  found: undefined,
  kinds: new Set(),
  finals: [],
  stuck: new Set(),
  complete: false,
});

function note(s: Search, state: number, code: number, fault: Fault): void {
  s.found ??= { state, code, fault };
  s.kinds.add(fault.kind);
}

/** Add the current state; true if it is new. */
function arrive(m: Machine, s: Search, scratch: Int32Array, from: number, code: number): void {
  save(m, scratch);
  const id = intern(s.states, scratch);
  if (from >= 0) push(s.edges, id);
  if (id < s.from.length) return;
  push(s.from, from);
  push(s.by, code);
}

/** All moves from state `id`. */
function expand(
  m: Machine,
  s: Search,
  id: number,
  here: Int32Array,
  scratch: Int32Array,
  past?: Fault['kind'],
): void {
  load(s.states, id, here);
  restore(m, here);
  let moved = false;
  let dirty = false;
  for (const task of m.sys.tasks) {
    if (dirty) restore(m, here);
    dirty = false;
    const { n, queues } = movesOf(m, task);
    if (!queues && n > 0) moved = true;
    for (let outcome = 0; outcome < n; outcome++) {
      if (dirty) restore(m, here);
      dirty = true;
      move(m, task, outcome, queues);
      s.transitions++;
      const code = moveCode(task.id, outcome, queues);
      if (m.sys.fault && m.sys.fault.kind !== past) {
        note(s, id, code, m.sys.fault);
        push(s.edges, FAULT);
      } else arrive(m, s, scratch, id, code);
    }
  }
  if (moved) return;
  if (dirty) restore(m, here);
  // To queue frees nobody: if that is all anybody can do, nobody will ever get further.
  if (unfinished(m).length === 0) s.finals.push(id);
  else {
    note(s, id, -1, deadlock(m));
    s.stuck.add(id);
  }
}

/** One search on what is known of who touches what; undefined if a step it met shows that wrong. */
function attempt(m: Machine, options: SearchOptions): Search | undefined {
  refresh(m);
  const s = fresh(width(m));
  const here = new Int32Array(s.states.width);
  const scratch = new Int32Array(s.states.width);
  begin(m);
  if (m.version !== m.footprints.version) return undefined;
  if (m.sys.fault) note(s, -1, -1, m.sys.fault);
  arrive(m, s, scratch, -1, -1);
  for (let id = 0; id < s.states.count; id++) {
    if (s.found && !options.exhaust) return s;
    if (s.states.count > options.maxStates) return s;
    push(s.first, s.edges.length);
    expand(m, s, id, here, scratch, options.past);
    if (m.version !== m.footprints.version) return undefined;
    if ((id & 0x3fff) === 0x3fff) options.progress?.(s.states.count);
  }
  push(s.first, s.edges.length);
  s.complete = !s.found || options.exhaust === true;
  return s;
}

/** Search until nothing is left, a fault is found, or `maxStates` is passed. */
export function search(m: Machine, options: SearchOptions): Search {
  scout(m);
  for (;;) {
    const s = attempt(m, options);
    if (s) return s;
  }
}

/** The moves from the start to state `id`. */
export function pathTo(s: Search, id: number): number[] {
  const codes: number[] = [];
  for (let at = id; at > 0; at = s.from.data[at]!) codes.push(s.by.data[at]!);
  return codes.reverse();
}
