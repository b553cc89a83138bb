// Positions of a task's generator that do the same from here on, whatever they remember: one of them stands for all. Found by
// running the generators, not by asking their author.
import type { Step } from '../../linux/step.js';
import type { System } from '../../linux/system.js';
import { type Automaton, follow } from '../automaton.js';
import { type Known, valuesOf } from './flat-known.js';

/** Nodes looked at: beyond these each is its own future. */
export const MAX_NODES = 4096;

/** Of a node at which a loop comes back to its head: the node at which it was entered; else `node`. */
export function head(a: Automaton, node: number): number {
  const { again, ...step } = a.steps[node] ?? {};
  if (!again) return node;
  const text = JSON.stringify(step);
  let n = a.parent[node]!;
  while (JSON.stringify(a.steps[n]) !== text) n = a.parent[n]!;
  return n;
}

/** Results that `step` may have, as far as is known. */
function resultsOf(sys: System, k: Known, step: Step): readonly number[] {
  switch (step.op) {
    case 'read':
    case 'wait':
    case 'rmw':
      return sys.owner[step.on] ? [...new Set([0, ...valuesOf(k, step.on)])] : valuesOf(k, step.on);
    case 'trylock':
    case 'key':
      return [0, 1];
    case 'text':
      return step.mode === 'test' ? [0, 1] : [0];
    case 'choose':
      return Array.from({ length: step.n }, (_, i) => i);
    default:
      return [0];
  }
}

/** The nodes that can be reached, nearest first, and of each where its results lead. */
function reach(sys: System, a: Automaton, k: Known): Map<number, readonly [number, number][]> {
  const out = new Map<number, readonly [number, number][]>();
  const queue = [0];
  for (let i = 0; i < queue.length && out.size < MAX_NODES; i++) {
    const node = queue[i]!;
    if (out.has(node)) continue;
    const step = a.steps[node];
    const edges = step ? resultsOf(sys, k, step).map((r): [number, number] => [r, head(a, follow(sys, a, node, r))]) : []; // biome-ignore format: one line
    out.set(node, edges);
    for (const [, next] of edges) queue.push(next);
  }
  return out;
}

/** Gives equal numbers to equal things, from 0 up. */
function numbering<T>(): (thing: T) => number {
  const known = new Map<T, number>();
  return (thing) => {
    const n = known.get(thing) ?? known.size;
    known.set(thing, n);
    return n;
  };
}

/** Numbers of lists start here, those of their members stay below: no list is taken for a member. */
const LISTS = 2 ** 25;

/**
 * Of each node of `a` that was looked at: the first node with the same future. Two have the same if they announce the same step
 * and each result leads to the same future again (Moore's partition refinement: classes are split until none need be).
 */
export function futures(sys: System, a: Automaton, k: Known): Map<number, number> {
  const edges = reach(sys, a, k);
  const nodes = [...edges.keys()];
  const index = new Map(nodes.map((node, i) => [node, i]));
  // Beyond those looked at, each node is a class of its own.
  const to = nodes.map((node) => edges.get(node)!.map(([, next]) => index.get(next) ?? nodes.length + next)); // biome-ignore format: one line
  const sign = numbering<string>();
  let classes = nodes.map((node) => sign(JSON.stringify([a.steps[node] ?? null, edges.get(node)!.map(([r]) => r)]))); // biome-ignore format: one line
  for (let count = 0; count !== (count = new Set(classes).size); ) {
    const before = classes;
    const pair = numbering<number>();
    const dense = numbering<number>();
    const longer = (list: number, j: number): number => LISTS + pair(list * 2 * LISTS + (before[j] ?? j)); // biome-ignore format: one line
    classes = to.map((next, i) => dense(next.reduce(longer, before[i]!)));
  }
  const first = new Map<number, number>();
  return new Map(
    nodes.map((node, i) => {
      const same = first.get(classes[i]!) ?? node;
      first.set(classes[i]!, same);
      return [node, same];
    }),
  );
}
