// Tasks under out-of-order execution over one flat memory, and what each move does.
import type { Step } from '../../linux/step.js';
import type { System } from '../../linux/system.js';
import { type Automaton, automaton } from '../automaton.js';
import { type Flat, flip, freeTable, graceBegins, patch, read, release, sectionEnds, synchronise, take, write } from './flat-act.js'; // biome-ignore format: one line
import type { Strength } from './flat-entry.js';
import { futures } from './flat-futures.js';
import { known } from './flat-known.js';
import { type Effect, intern, type Local, type Seat, seat, settle } from './flat-local.js';
import { type After, after, type Move } from './flat-moves.js';
import { stored } from './rmw.js';

export interface FlatOptions {
  readonly strength: Strength;
  /** Steps left out, by the name of the kernel function that does them. */
  readonly omit: ReadonlySet<string>;
  /** Do at once what may be done at once. */
  readonly eager: boolean;
}

/** All tasks, where each stands, and memory (`sys.cells`). */
export interface FlatMachine extends Flat {
  readonly options: FlatOptions;
  readonly automata: readonly Automaton[];
  seats: Seat[];
  /** Of each task, the nodes that others stand for; empty where none do. */
  futures: readonly Seat['futures'][];
  readonly entries: Seat['entries'];
  /** Of each task, the number of its local. */
  readonly at: Int32Array;
}

/** Told of every step performed: the task, the step, its result, the move it belongs to (undefined: done besides). */
export type FlatWatch = (task: number, step: Step, part: Move['part'], result: number, move: Move | undefined) => void; // biome-ignore format: one line

export function flatMachine(
  sys: System,
  options: FlatOptions,
  automata: readonly Automaton[] = sys.tasks.map((t) => automaton(sys, t)),
): FlatMachine {
  return {
    sys,
    options,
    known: known(sys.cells.slice(0, sys.used)),
    automata,
    seats: [],
    futures: [],
    entries: new Map(),
    at: new Int32Array(sys.tasks.length),
  };
}

const NO_FUTURES: Seat['futures'] = new Map();

/** From the next start on, let one position stand for all of the same future, as far as results are known. */
export function mergeFutures(m: FlatMachine): void {
  m.futures = m.automata.map((a) => futures(m.sys, a, m.known));
}

/** The start, with nothing remembered of what was searched before. */
export function restart(m: FlatMachine): void {
  const { sys, options } = m;
  sys.cells.set(m.known.start);
  sys.fault = undefined;
  const { known, entries } = m;
  m.seats = sys.tasks.map((task, i) => seat({ sys, task, automaton: m.automata[i]!, known, entries, futures: m.futures[i] ?? NO_FUTURES, ...options })); // biome-ignore format: one line
  m.seats.forEach((s, i) => {
    const { draft, effects } = settle(s, { node: 0, depth: 0, window: [] });
    m.at[i] = intern(s, draft);
    for (const e of effects) effect(m, i, e, undefined);
  });
}

export const localOf = (m: FlatMachine, task: number): Local => m.seats[task]!.locals[m.at[task]!]!;

/** What a store of `step`, which had read `value` if it is an atomic, does to memory. */
function store(m: FlatMachine, task: number, step: Step, value: number): void {
  const t = m.sys.tasks[task]!;
  switch (step.op) {
    case 'write':
      write(m, t, step.on, step.value, step);
      return;
    case 'rmw':
      write(m, t, step.on, stored(step, value)!, step);
      return;
    case 'free':
      freeTable(m, t, step);
      return;
    case 'text':
      patch(m, t.cpu, step.on, step.value ?? 0);
      return;
    case 'lock':
    case 'trylock':
      take(m, t, step);
      return;
    case 'unlock':
      release(m, step);
      return;
  }
}

function whole(m: FlatMachine, task: number, move: Move): void {
  const { step } = move;
  const t = m.sys.tasks[task]!;
  if (step.op === 'key') flip(m, t, step);
  else if (step.op === 'ipi') synchronise(m, step.cpu);
  else if (step.op === 'gp' && step.mode === 'begin')
    graceBegins(m, t, (id) => localOf(m, id).open);
}

function effect(m: FlatMachine, task: number, e: Effect, watch: FlatWatch | undefined): void {
  const t = m.sys.tasks[task]!;
  if (e.section >= 0) sectionEnds(m, t, e.section);
  else if (e.step.op === 'fence') synchronise(m, t.cpu);
  else store(m, task, e.step, 0);
  if (e.section < 0) watch?.(task, e.step, e.step.op === 'fence' ? 'isb' : 'store', 0, undefined);
}

/** Make `move` of `task` with `result`; what goes wrong is left in `sys.fault`. */
export function make(
  m: FlatMachine,
  task: number,
  move: Move,
  result: number,
  watch?: FlatWatch,
): After {
  const { step, entry, part, forward } = move;
  const { sys } = m;
  if (part === 'read' && entry!.kind !== 'lock' && step.op !== 'trylock') {
    if (forward === undefined) read(m, entry!.at, step);
  } else if (part === 'store') store(m, task, step, entry!.value);
  else if (part === 'isb') synchronise(m, sys.tasks[task]!.cpu);
  else if (part === 'whole') whole(m, task, move);
  watch?.(task, step, part, result, move);
  const next = after(m.seats[task]!, move, result);
  m.at[task] = next.to;
  for (const e of next.effects) effect(m, task, e, watch);
  return next;
}
