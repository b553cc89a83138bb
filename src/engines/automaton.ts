// A task as an automaton: its local state is the tree of results its steps have returned. Generators cannot be copied,
// so a node is reached anew by running the task again over the results on its path; the generator that found a node
// waits there for the first result that leads on.
import type { Step } from '../linux/step.js';
import type { System, Task } from '../linux/system.js';

/** One task's nodes, by number from 0 (the start). Grows as results are tried. */
export interface Automaton {
  readonly task: Task;
  /** What each node announces; undefined where the task has ended. */
  readonly steps: (Step | undefined)[];
  readonly edges: Map<number, number>[];
  /** The first edge of each node, which most have alone: its result, and where it leads (-1: not known). */
  readonly result: number[];
  readonly next: number[];
  readonly parent: number[];
  readonly via: number[];
  readonly live: Map<number, Generator<Step, unknown, number>>;
  /** Nodes by the key of their `forget` step. */
  readonly known: Map<string, number>;
  /** Of each node: after how many steps the path to it repeats itself (0: it does not), and how many steps it has done so. */
  readonly period: number[];
  readonly repeated: number[];
}

/** Longest round of a loop that is looked for, in steps. */
const LONGEST_ROUND = 8;

const alike = (a: Step | undefined, b: Step | undefined): boolean =>
  a !== undefined && a.op === b?.op && a.by === b.by && ('on' in a ? a.on : 0) === ('on' in b ? b.on : 0); // biome-ignore format: one line

/** Note of a new node whether its step is that of a round before. */
function noteRound(a: Automaton, node: number, parent: number): void {
  const before = parent < 0 ? 0 : a.period[parent]!;
  let at = parent;
  let found = 0;
  for (let p = 1; p <= LONGEST_ROUND && at >= 0 && found === 0; p++) {
    if ((before === 0 || p === before) && alike(a.steps[node], a.steps[at])) found = p;
    at = a.parent[at]!;
  }
  a.period.push(found);
  a.repeated.push(found > 0 && found === before ? a.repeated[parent]! + 1 : 0);
}

function addNode(
  a: Automaton,
  generator: Generator<Step, unknown, number>,
  got: IteratorResult<Step, unknown>,
  parent: number,
  via: number,
): number {
  const step = got.done ? undefined : got.value;
  const key = step === undefined ? 'end' : step.op === 'forget' ? `forget ${step.key}` : undefined;
  const same = key === undefined ? undefined : a.known.get(key);
  if (same !== undefined) return same;
  const node = a.steps.push(step) - 1;
  if (key !== undefined) a.known.set(key, node);
  a.edges.push(new Map());
  a.result.push(0);
  a.next.push(-1);
  a.parent.push(parent);
  a.via.push(via);
  noteRound(a, node, parent);
  if (step) a.live.set(node, generator);
  return node;
}

/** The automaton of `task`, with its first node. */
export function automaton(sys: System, task: Task): Automaton {
  const a: Automaton = {
    task,
    steps: [],
    edges: [],
    result: [],
    next: [],
    parent: [],
    via: [],
    live: new Map(),
    known: new Map(),
    period: [],
    repeated: [],
  };
  const generator = task.run(sys);
  addNode(a, generator, generator.next(0), -1, 0);
  return a;
}

/** A generator that stands at `node`. */
function rerun(sys: System, a: Automaton, node: number): Generator<Step, unknown, number> {
  const path: number[] = [];
  for (let n = node; a.parent[n]! >= 0; n = a.parent[n]!) path.push(a.via[n]!);
  const generator = a.task.run(sys);
  generator.next(0);
  while (path.length > 0) generator.next(path.pop()!);
  return generator;
}

/** The node after `node` when its step returns `result`. */
export function follow(sys: System, a: Automaton, node: number, result: number): number {
  const first = a.next[node]!;
  if (first >= 0 && a.result[node] === result) return first;
  const known = a.edges[node]!.get(result);
  if (known !== undefined) return known;
  let generator = a.live.get(node);
  if (generator) a.live.delete(node);
  else generator = rerun(sys, a, node);
  const next = addNode(a, generator, generator.next(result), node, result);
  a.edges[node]!.set(result, next);
  if (first < 0) {
    a.result[node] = result;
    a.next[node] = next;
  }
  return next;
}
