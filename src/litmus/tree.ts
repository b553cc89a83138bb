// A task as a tree of steps: what it does next for each result it has seen, from the automata of a finished search.
import { machine } from '../engines/machine.js';
import { search } from '../engines/search.js';
import type { Step } from '../linux/step.js';
import { regionOf, type System, type Task } from '../linux/system.js';

/** One step, and what follows each of its results; `same` if all results lead to the same steps. */
export interface Tree {
  readonly step: Step | undefined;
  readonly next: readonly { readonly result: number; readonly tree: Tree }[];
  readonly same: boolean;
  /** Somewhere here something is freed, locked, stored to a flag, or read of a table: without it the rest shows nothing. */
  readonly matters: boolean;
  /** The steps below, as text: equal for trees that do the same. */
  readonly signature: string;
}

const telling = new Set(['free', 'lock', 'unlock', 'trylock', 'key', 'text']);

function isTelling(sys: System, step: Step | undefined): boolean {
  if (!step) return false;
  if (step.op === 'write' && regionOf(sys, step.on)?.kind === 'word') return true;
  return telling.has(step.op) || (step.op === 'read' && sys.owner[step.on] !== 0);
}

/** Results that lead to the same steps as most others do come last, as one: the `else`. */
function elseLast(next: Tree['next'][number][]): Tree['next'][number][] {
  const like = (n: Tree['next'][number]) =>
    next.filter((o) => o.tree.signature === n.tree.signature);
  const most = next.reduce((a, b) => (like(b).length > like(a).length ? b : a), next[0]!);
  return next.length === 0
    ? next
    : [...next.filter((n) => n.tree.signature !== most.tree.signature), most];
}

/** Steps deeper than that are more than a litmus test can hold. */
const DEEPEST = 200;

/** The tree of each task of `sys`, as far as runs under sequential consistency go; `sys` is left as it was. */
export function trees(sys: System): { task: Task; tree: Tree }[] {
  const m = machine(sys, 'steps');
  search(m, { maxStates: 200_000, exhaust: true, past: 'sleeping in atomic context' });
  sys.cells.set(m.start);
  return m.automata.map((a) => {
    const build = (node: number, depth: number): Tree => {
      if (depth > DEEPEST) throw new RangeError(`${a.task.name} does too much for a litmus test`);
      const step = a.steps[node];
      const next = elseLast([...a.edges[node]!].map(([result, to]) => ({ result, tree: build(to, depth + 1) }))); // biome-ignore format: one line
      const same = next.every((n) => n.tree.signature === next[0]!.tree.signature);
      const below = same ? (next[0]?.tree.signature ?? '') : next.map((n) => `${n.result}{${n.tree.signature}}`).join(); // biome-ignore format: one line
      const matters = isTelling(sys, step) || next.some((n) => n.tree.matters);
      return { step, next, same, matters, signature: JSON.stringify(step ?? null) + below };
    };
    return { task: a.task, tree: build(0, 0) };
  });
}
