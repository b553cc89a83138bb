// Tasks under out-of-order execution over one flat memory: what each move needs of the others, and what it does.
import type { Step } from '../../linux/step.js';
import type { System } from '../../linux/system.js';
import { type Automaton, automaton } from '../automaton.js';
import { type Flat, flip, flips, freeTable, graceBegins, patch, read, release, sectionEnds, synchronise, takable, take, view, write } from './flat-act.js'; // biome-ignore format: one line
import { type Strength, tableAt } from './flat-entry.js';
import { known } from './flat-known.js';
import { type Effect, intern, type Local, lags, type Seat, seat, settle } from './flat-local.js';
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
    at: new Int32Array(sys.tasks.length),
  };
}

/** The start, with nothing remembered of what was searched before. */
export function restart(m: FlatMachine): void {
  const { sys, options } = m;
  sys.cells.set(m.known.start);
  sys.fault = undefined;
  m.seats = sys.tasks.map((task, i) => seat({ sys, task, automaton: m.automata[i]!, known: m.known, ...options })); // biome-ignore format: one line
  m.seats.forEach((s, i) => {
    const { draft, effects } = settle(s, { node: 0, depth: 0, window: [] });
    m.at[i] = intern(s, draft);
    for (const e of effects) effect(m, i, e, undefined);
  });
}

export const localOf = (m: FlatMachine, task: number): Local => m.seats[task]!.locals[m.at[task]!]!;

/** Does another task keep the words that a store to `at` (or a free of `table`) changes? */
function kept(m: FlatMachine, task: number, at: number, table: number): boolean {
  for (let t = 0; t < m.at.length; t++) {
    if (t === task) continue;
    for (const word of localOf(m, t).reserved)
      if (word === at || (table !== 0 && tableAt(m.sys, word) === table)) return true;
  }
  return false;
}

const compares = {
  eq: (a: number, b: number) => a === b,
  ne: (a: number, b: number) => a !== b,
  gt: (a: number, b: number) => a > b,
};

const NONE: readonly number[] = [];
const ONE: readonly number[] = [0];

/** Does a task of CPU `cpu` (or, without, of any CPU that executes text) but `task` have steps under way? */
function busyCpu(m: FlatMachine, task: number, cpu?: number): boolean {
  return m.sys.tasks.some(
    (t) =>
      t.id !== task &&
      (cpu === undefined ? m.sys.textCpus.includes(t.cpu) : t.cpu === cpu) &&
      localOf(m, t.id).busy,
  );
}

function readResults(m: FlatMachine, task: number, move: Move): readonly number[] {
  const { step, entry, forward, fresh } = move;
  if (step.op === 'lock' || step.op === 'trylock') {
    const won = entry!.kind === 'lock';
    if (won === takable(m, step)) return won && kept(m, task, step.on, 0) ? NONE : step.op === 'trylock' && won ? [1] : ONE; // biome-ignore format: one line
    return NONE;
  }
  const at = entry!.at;
  const { sys } = m;
  const state = sys.owner[at] ?? 0;
  const value = forward ?? (state !== 0 && sys.cells[state] !== 1 ? 0 : sys.cells[at]!);
  if (!fresh && value !== entry!.value) return NONE;
  if (step.op === 'wait' && !compares[step.is](value, step.value)) return NONE;
  return [value];
}

function wholeResults(m: FlatMachine, task: number, move: Move): readonly number[] {
  const { step } = move;
  if (step.op === 'key') {
    const turns = flips(m, step);
    return turns && busyCpu(m, task) ? NONE : [turns ? 1 : 0];
  }
  if (step.op === 'ipi') return busyCpu(m, task, step.cpu) ? NONE : ONE;
  if (step.op === 'gp' && step.mode === 'wait') return m.sys.cells[m.sys.tasks[task]!.gp] === 0 ? ONE : NONE; // biome-ignore format: one line
  return ONE;
}

/** The results that `move` may have now; none if it cannot be made. */
export function results(m: FlatMachine, task: number, move: Move): readonly number[] {
  const { step, entry } = move;
  switch (move.part) {
    case 'read':
      return readResults(m, task, move);
    case 'store':
      return entry!.kind !== 'lock' && entry!.kind !== 'unlock' && kept(m, task, entry!.at, entry!.kind === 'free' ? entry!.table : 0) ? NONE : ONE; // biome-ignore format: one line
    case 'isb':
      return ONE;
    case 'whole':
      return wholeResults(m, task, move);
    case 'fetch': {
      if (step.op === 'choose') return Array.from({ length: step.n }, (_, i) => i);
      if (step.op !== 'text') return NONE;
      const mask = view(m, m.sys.tasks[task]!, step.on, lags(m.seats[task]!));
      return [0, 1].filter((v) => (mask >> v) & 1);
    }
  }
}

/** What a store of `step`, which had read `value` if it is an atomic, does to memory. */
function store(m: FlatMachine, task: number, step: Step, value: number): void {
  const t = m.sys.tasks[task]!;
  switch (step.op) {
    case 'write':
      write(m, step.on, step.value, step);
      return;
    case 'rmw':
      write(m, step.on, stored(step, value)!, step);
      return;
    case 'free':
      freeTable(m, step);
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
