// Breadth-first search over a machine's states: the first fault found is one of the shortest.
import type { Fault } from '../linux/system.js';
import { deadlock } from './deadlock.js';
import { type Effects, effects, enter, movesAt, NO_FAULT, QUEUES } from './effects.js';
import { begin, type Machine, refresh, unfinished } from './machine.js';
import type { PackedSet } from './packed.js';
import { scout } from './scout.js';
import { type Ints, intern, ints, load, push } from './states.js';

export const decodeMove = (code: number): { task: number; outcome: number; queues: boolean } => ({
  task: code % 32,
  outcome: (code >> 5) % 32768,
  queues: code >= QUEUES,
});

/** In `edges`: the run ends at a fault. */
export const FAULT = -1;

export interface Search {
  /** A state is the nodes of the tasks, then the words that vary. */
  readonly states: PackedSet;
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

const fresh = (states: PackedSet): Search => ({
  states,
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

/** Add the packed `state`, reached from state `from` by the move `code`. */
function arrive(s: Search, state: Int32Array, from: number, code: number): void {
  const id = intern(s.states.set, state);
  if (from >= 0) push(s.edges, id);
  if (id < s.from.length) return;
  push(s.from, from);
  push(s.by, code);
}

/** The moves listed at `at`, of state `id`; true if one of them is more than to join a queue. */
function expandTask(x: Effects, s: Search, id: number, at: number, past?: Fault['kind']): boolean {
  const { faults, here, view: next } = x;
  const { data } = x.moves;
  let moved = false;
  for (let n = data[at++]!; n > 0; n--) {
    const code = data[at++]!;
    const fault = data[at++]!;
    const end = at + 1 + 3 * data[at]!;
    s.transitions++;
    if (code < QUEUES) moved = true;
    if (fault !== NO_FAULT && faults[fault]!.kind !== past) {
      note(s, id, code, faults[fault]!);
      push(s.edges, FAULT);
    } else {
      for (let i = 0; i < here.length; i++) next[i] = here[i]!;
      for (let i = at + 1; i < end; i += 3)
        next[data[i]!] = (next[data[i]!]! & data[i + 1]!) | data[i + 2]!;
      arrive(s, next, id, code);
    }
    at = end;
  }
  return moved;
}

/** All moves from state `id`. */
function expand(x: Effects, s: Search, id: number, past?: Fault['kind']): void {
  load(s.states.set, id, x.here);
  let moved = false;
  const { length } = x.m.sys.tasks;
  for (let t = 0; t < length; t++) if (expandTask(x, s, id, movesAt(x, t), past)) moved = true;
  if (moved) return;
  // To queue frees nobody: if that is all anybody can do, nobody will ever get further.
  enter(x);
  if (unfinished(x.m).length === 0) s.finals.push(id);
  else {
    note(s, id, -1, deadlock(x.m));
    s.stuck.add(id);
  }
}

/** One search on what is known of who touches what; undefined if a step it met shows that wrong. */
function attempt(m: Machine, options: SearchOptions): Search | undefined {
  refresh(m);
  begin(m);
  if (m.version !== m.footprints.version) return undefined;
  const started = m.sys.fault;
  const x = effects(m);
  const s = fresh(x.states);
  if (started) note(s, -1, -1, started);
  arrive(s, x.here, -1, -1);
  for (let id = 0; id < s.states.set.count; id++) {
    if (s.found && !options.exhaust) return s;
    if (s.states.set.count > options.maxStates) return s;
    push(s.first, s.edges.length);
    expand(x, s, id, options.past);
    if (m.version !== m.footprints.version) return undefined;
    if ((id & 0x3fff) === 0x3fff) options.progress?.(s.states.set.count);
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
