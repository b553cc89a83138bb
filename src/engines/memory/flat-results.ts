// What each move needs of memory and of the other tasks, and so what it may give now.
import { flips, takable, view } from './flat-act.js';
import { tableAt } from './flat-entry.js';
import { lags } from './flat-local.js';
import { type FlatMachine, localOf } from './flat-machine.js';
import type { Move } from './flat-moves.js';

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
