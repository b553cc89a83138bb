import { expect } from 'vitest';
import type { FreeAreas } from '../../src/linux/mm/free-areas.js';
import type { VmapSpace } from '../../src/linux/mm/vmap-area.js';
import { pooled } from '../../src/linux/mm/vmap-nodes.js';

/** The free ranges in the order of the list. */
export function freeRanges(f: FreeAreas): [number, number][] {
  const out: [number, number][] = [];
  for (let n = f.head; n !== 0; n = f.areas.next[n]!)
    out.push([f.areas.start[n]!, f.areas.end[n]!]);
  return out;
}

/** Black height of the subtree of `n`; everything that must hold of it is expected. */
function blackHeight(f: FreeAreas, n: number, inOrder: number[]): number {
  if (n === 0) return 1;
  const a = f.areas;
  const [l, r] = [a.left[n]!, a.right[n]!];
  for (const child of [l, r]) {
    if (child === 0) continue;
    expect(a.parent[child]).toBe(n);
    if (a.red[n] === 1) expect(a.red[child]).toBe(0);
  }
  const left = blackHeight(f, l, inOrder);
  inOrder.push(n);
  const right = blackHeight(f, r, inOrder);
  expect(left).toBe(right);
  const sizes = [a.end[n]! - a.start[n]!, l ? a.max[l]! : 0, r ? a.max[r]! : 0];
  expect(a.max[n]).toBe(Math.max(...sizes));
  return left + (a.red[n] === 1 ? 0 : 1);
}

/** Red-black rules, true maxima, list and tree in the same order, ranges apart and not touching. */
export function checkTree(f: FreeAreas): void {
  const inOrder: number[] = [];
  if (f.node !== 0) expect(f.areas.red[f.node]).toBe(0);
  blackHeight(f, f.node, inOrder);
  const ranges = inOrder.map((n) => [f.areas.start[n]!, f.areas.end[n]!]);
  expect(freeRanges(f)).toEqual(ranges);
  expect(f.count).toBe(ranges.length);
  for (let i = 1; i < ranges.length; i++) expect(ranges[i]![0]).toBeGreaterThan(ranges[i - 1]![1]!);
}

/** Free, busy, pooled and lazy areas tile the whole space, with `early` ranges: no gap, no overlap. */
export function checkTiling(v: VmapSpace, early: readonly [number, number][]): void {
  const all: [number, number][] = [...early.filter(([s, e]) => e > s), ...freeRanges(v.free)];
  const add = (id: number) => all.push([v.areas.start[id]!, v.areas.end[id]!]);
  for (const id of v.busy.values()) add(id);
  for (const id of pooled(v)) add(id);
  let lazy = 0;
  for (const node of v.nodes)
    for (const id of [...node.lazy, ...node.purging]) {
      add(id);
      lazy += v.areas.end[id]! - v.areas.start[id]!;
    }
  expect(v.lazy_nr).toBe(lazy);
  all.sort((x, y) => x[0] - y[0]);
  let at = 0.5;
  for (const [start, end] of all) {
    expect(start).toBe(at);
    at = end;
  }
  expect(at % 1).toBe(0.5);
  expect(v.areas.live).toBe(all.length - early.filter(([s, e]) => e > s).length);
}
