// What the moves of a task do to a packed state, each learnt once. A move depends on the task's node and on the words its
// steps touch: the state under the mask of those is what the task sees, and states that look alike to it change alike.
// So a task's code runs once for each thing it can see, and all other states follow by bit operations.
import type { Step } from '../linux/step.js';
import { type Fault, type Region, regionOf, type Task } from '../linux/system.js';
import { words } from './footprint.js';
import { type Machine, move, movesOf, restore, save, width } from './machine.js';
import { bitsOf, elementOf, makeRoom, type PackedSet, pack, packedSet, unpack } from './packed.js';
import { find, type Ints, intern, ints, push, type StateSet, stateSet } from './states.js';

/** A move in a list: task + 32 * outcome + 1024 * 1024 if it only queues. */
export const moveCode = (task: number, outcome: number, queues: boolean): number =>
  task + 32 * outcome + (queues ? QUEUES : 0);
export const QUEUES = 1024 * 1024;

/** Where a list of moves has no fault. */
export const NO_FAULT = -1;

export interface Effects {
  readonly m: Machine;
  /** All states met. */
  readonly states: PackedSet;
  /** The state whose moves are asked for, packed; and as a vector. */
  here: Int32Array;
  readonly vector: Int32Array;
  /** Of each word: its element of the vector; -1 if it never varies. */
  readonly element: Int32Array;
  /** Of each task and node: the elements its moves depend on, and their bits. */
  readonly seen: Set<number>[][];
  masks: (Int32Array | undefined)[][];
  /** Of each task: what it has seen, and where in `moves` the moves begin that it then had. */
  views: StateSet[];
  starts: Ints[];
  view: Int32Array;
  /** Lists of moves: how many; of each its code, its fault, how many words change, and of these: which, bits kept, bits set. */
  moves: Ints;
  readonly faults: Fault[];
}

function forget(x: Effects): void {
  const { width: w } = x.states.layout;
  const each = <T>(make: () => T): T[] => x.m.sys.tasks.map(make);
  x.masks = each(() => []);
  x.views = each(() => stateSet(w));
  x.starts = each(ints);
  x.moves = ints();
  x.view = new Int32Array(w);
  x.here = new Int32Array(w);
}

/** The states of `m`: none yet, but room for values as scouted; of a lock all words alike, as queues can be longer. */
function statesOf(m: Machine): PackedSet {
  const locks = new Map<Region, { low: number; high: number; unit: number }>();
  const words = m.varying.map((word) => {
    const [low, high, unit] = [m.least[word]!, m.most[word]!, m.unit[word]!];
    const region = regionOf(m.sys, word);
    if (region?.kind !== 'lock') return { low, high, unit };
    const range = locks.get(region) ?? { low: 0, high: 0, unit: 1 };
    range.low = Math.min(range.low, low);
    range.high = Math.max(range.high, high);
    locks.set(region, range);
    return range;
  });
  const nodes = m.automata.map((a) => ({ low: 0, high: 3 * a.steps.length, unit: 1 }));
  return packedSet([...nodes, ...words]);
}

/** Nothing learnt yet; `m` stands at its start, which is `here`. */
export function effects(m: Machine): Effects {
  const vector = new Int32Array(width(m));
  save(m, vector);
  const element = new Int32Array(m.sys.used).fill(-1);
  for (const [i, word] of m.varying.entries()) element[word] = m.nodes.length + i;
  const seen = m.sys.tasks.map(() => []);
  const states = statesOf(m);
  makeRoom(states, vector);
  const x: Effects = { m, states, vector, element, seen, faults: [], masks: [], views: [], starts: [], moves: ints(), view: vector, here: vector }; // biome-ignore format: one line
  forget(x);
  pack(states.layout, vector, x.here);
  return x;
}

/** Put the machine into the state `x.here`. */
export function enter(x: Effects): void {
  unpack(x.states.layout, x.here, x.vector);
  restore(x.m, x.vector);
}

/** Where in `x.moves` the moves that task number `t` has in the state `x.here` begin. */
export function movesAt(x: Effects, t: number): number {
  const mask = x.masks[t]![elementOf(x.states.layout, x.here, t)];
  if (mask === undefined) return learnMoves(x, t);
  for (let i = 0; i < mask.length; i++) x.view[i] = x.here[i]! & mask[i]!;
  const known = find(x.views[t]!, x.view);
  return known < 0 ? learnMoves(x, t) : x.starts[t]!.data[known]!;
}

/** A move that was made: what it is, how it went, and the state after it. */
interface Made {
  readonly code: number;
  readonly fault: Fault | undefined;
  readonly after: Int32Array;
}

/** Make all moves of `task`, and note what they depend on. */
function makeMoves(x: Effects, task: Task, touched: Set<number>): Made[] {
  const { m } = x;
  const note = (word: number) => {
    if (x.element[word]! >= 0) touched.add(x.element[word]!);
  };
  m.asked = (who: Task, step: Step) => {
    words(m.sys, who, step, note);
    note(who.atomic);
    note(who.rcu);
  };
  const { n, queues } = movesOf(m, task);
  const made: Made[] = [];
  for (let outcome = 0; outcome < n; outcome++) {
    if (outcome > 0) restore(m, x.vector);
    move(m, task, outcome, queues);
    const after = new Int32Array(x.vector.length);
    save(m, after);
    made.push({ code: moveCode(task.id, outcome, queues), fault: m.sys.fault, after });
  }
  delete m.asked;
  return made;
}

function learnMoves(x: Effects, t: number): number {
  enter(x);
  const touched = (x.seen[t]![x.vector[t]!] ??= new Set([t]));
  const made = makeMoves(x, x.m.sys.tasks[t]!, touched);
  let packedAnew = false;
  for (const { after } of made) packedAnew = makeRoom(x.states, after) || packedAnew;
  if (packedAnew) {
    forget(x);
    pack(x.states.layout, x.vector, x.here);
  }
  const { layout } = x.states;
  const mask = new Int32Array(layout.width);
  for (const i of touched) mask[layout.word[i]!]! |= layout.mask[i]!;
  x.masks[t]![x.vector[t]!] = mask;
  for (let i = 0; i < mask.length; i++) x.view[i] = x.here[i]! & mask[i]!;
  const start = x.moves.length;
  if (intern(x.views[t]!, x.view) === x.starts[t]!.length) push(x.starts[t]!, start);
  push(x.moves, made.length);
  for (const one of made) writeMove(x, one);
  return start;
}

/** Append a move to the list. */
function writeMove(x: Effects, { code, fault, after }: Made): void {
  const { layout } = x.states;
  const change = new Map<number, { keep: number; set: number }>();
  for (let i = 0; i < after.length; i++) {
    if (after[i] === x.vector[i]) continue;
    const word = change.get(layout.word[i]!) ?? { keep: -1, set: 0 };
    word.keep &= ~layout.mask[i]!;
    word.set |= bitsOf(layout, i, after[i]!);
    change.set(layout.word[i]!, word);
  }
  push(x.moves, code);
  push(x.moves, fault ? x.faults.push(fault) - 1 : NO_FAULT);
  push(x.moves, change.size);
  for (const [word, { keep, set }] of change) for (const v of [word, keep, set]) push(x.moves, v);
}
