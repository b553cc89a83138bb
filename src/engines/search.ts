// Breadth-first search over a machine's states: the first fault found is one of the shortest.
import type { Fault } from '../linux/system.js';
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
  complete: boolean;
}

export interface SearchOptions {
  readonly maxStates: number;
  /** Go on after the first fault (a run ends at its fault). */
  readonly exhaust?: boolean;
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
  complete: false,
});

const deadlock = (m: Machine): Fault => {
  const [task] = unfinished(m);
  const step = m.automata[task!.id]!.steps[m.nodes[task!.id]!]!;
  return { kind: 'deadlock', on: 'on' in step ? (step.on ?? 0) : 0, step };
};

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
function expand(m: Machine, s: Search, id: number, here: Int32Array, scratch: Int32Array): void {
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
      if (m.sys.fault) note(s, id, code, m.sys.fault);
      else arrive(m, s, scratch, id, code);
    }
  }
  if (moved) return;
  if (dirty) restore(m, here);
  // To queue frees nobody: if that is all anybody can do, nobody will ever get further.
  if (unfinished(m).length > 0) note(s, id, -1, deadlock(m));
  else s.finals.push(id);
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
    expand(m, s, id, here, scratch);
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

/** How many runs the graph of a complete search has (paths to its ends); null if it has a loop or they are past counting. */
export function countRuns(s: Search): number | null {
  const n = s.states.count;
  const runs = new Float64Array(n).fill(-1);
  const at = s.first.data.slice(0, n);
  const open = new Uint8Array(n);
  const stack = [0];
  while (stack.length > 0) {
    const id = stack[stack.length - 1]!;
    open[id] = 1;
    if (at[id] === s.first.data[id + 1]) {
      runs[id] = ends(s, id, runs);
      open[id] = 0;
      stack.pop();
      continue;
    }
    const next = s.edges.data[at[id]!++]!;
    if (open[next] === 1) return null;
    if (runs[next] === -1) stack.push(next);
  }
  return Number.isFinite(runs[0]) ? runs[0]! : null;
}

function ends(s: Search, id: number, runs: Float64Array): number {
  const from = s.first.data[id]!;
  const to = s.first.data[id + 1]!;
  if (from === to) return 1;
  let sum = 0;
  for (let e = from; e < to; e++) sum += runs[s.edges.data[e]!]!;
  return sum;
}
