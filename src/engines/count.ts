// Counting runs: paths through the graph of a complete search.
import { FAULT, type Search } from './search.js';

/** Runs, and those of them that go wrong. */
export interface Runs {
  readonly all: number;
  readonly bad: number;
}

/** How many runs a complete search covered; null if the graph has a loop, or they are past what a double counts. */
export function countRuns(s: Search): Runs | null {
  const n = s.states.set.count;
  const all = new Float64Array(n).fill(-1);
  const bad = new Float64Array(n);
  const at = s.first.data.slice(0, n);
  const open = new Uint8Array(n);
  const stack = [0];
  while (stack.length > 0) {
    const id = stack[stack.length - 1]!;
    open[id] = 1;
    if (at[id] === s.first.data[id + 1]) {
      sum(s, id, all, bad);
      open[id] = 0;
      stack.pop();
      continue;
    }
    const next = s.edges.data[at[id]!++]!;
    if (next === FAULT) continue;
    if (open[next] === 1) return null;
    if (all[next] === -1) stack.push(next);
  }
  return Number.isFinite(all[0]) ? { all: all[0]!, bad: bad[0]! } : null;
}

/** The runs from state `id`, those of its successors being known. */
function sum(s: Search, id: number, all: Float64Array, bad: Float64Array): void {
  const from = s.first.data[id]!;
  const to = s.first.data[id + 1]!;
  all[id] = from === to ? 1 : 0;
  if (from === to && s.stuck.has(id)) bad[id] = 1;
  for (let e = from; e < to; e++) {
    const next = s.edges.data[e]!;
    all[id]! += next === FAULT ? 1 : all[next]!;
    bad[id]! += next === FAULT ? 1 : bad[next]!;
  }
}
