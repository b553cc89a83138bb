// The search with everything reduced (steps done at once, positions of the same future merged, turns of loops folded) against
// the search with nothing reduced: same kinds of faults, same words of memory at the ends of all runs.
import { expect, test } from 'vitest';
import { automaton, follow } from '../../../src/engines/automaton.js';
import { futures } from '../../../src/engines/memory/flat-futures.js';
import { known, learnValue } from '../../../src/engines/memory/flat-known.js';
import { searchFlat, wordAt } from '../../../src/engines/memory/flat-search.js';
import { sizesOf } from '../../../src/linux/scenario.js';
import type { Kernel } from '../../../src/linux/step.js';
import { newSystem, region, type System, task } from '../../../src/linux/system.js';
import { scenarios } from '../../../src/scenarios/index.js';
import { type Row, rows } from '../../../src/scenarios/rows.js';
import { schemes } from '../../../src/schemes/index.js';

const MAX_STATES = 20_000;

/** Kinds and final words of all runs, but for the notes of grace periods: those are the engine's. */
function outcomes({ scenario, scheme, sizes, variant }: Row, reduced: boolean) {
  const at = scenarios[scenario];
  const sys = at.build(schemes[scheme], sizesOf(at, sizes), variant);
  const how = { strength: 'arm64', omit: new Set<string>(), eager: reduced, merge: reduced } as const; // biome-ignore format: one line
  const { m, s } = searchFlat(sys, { ...how, maxStates: MAX_STATES, exhaust: true });
  const notes = new Set(sys.tasks.map((t) => t.gp));
  const words = Array.from({ length: sys.used }, (_, i) => i).filter((i) => !notes.has(i));
  const finals = new Set(s.finals.map((id) => words.map((w) => wordAt(m, s, id, w)).join()));
  return { cutOff: s.cutOff, kinds: [...s.kinds].sort(), finals: [...finals].sort() };
}

test('every row that is small enough with nothing reduced', () => {
  let compared = 0;
  for (const r of rows) {
    const all = outcomes(r, false);
    if (all.cutOff) continue;
    compared++;
    expect([r.id, outcomes(r, true)]).toEqual([r.id, all]);
  }
  expect(compared).toBeGreaterThan(30);
});

/** A system of one task that runs `run` on words x and y, which may hold 0 to 2. */
function one(run: (x: number, y: number) => Kernel) {
  const sys: System = newSystem(schemes.none);
  const [x, y] = [region(sys, 'x'), region(sys, 'y')];
  task(sys, 't', 0, () => run(x, y));
  const k = known(sys.cells.slice(0, sys.used));
  for (const at of [x, y])
    for (const v of [1, 2])
      try {
        learnValue(k, at, v);
      } catch {}
  const a = automaton(sys, sys.tasks[0]!);
  return { a, of: () => futures(sys, a, k), after: (...results: number[]) => results.reduce((n, r) => follow(sys, a, n, r), 0) }; // biome-ignore format: one line
}
const read = (on: number) => ({ op: 'read', on, mode: 'once' }) as const;

test('positions whose futures differ late are told apart, those that never do are one', () => {
  const { of, after } = one(function* (x, y) {
    const seen = yield read(x);
    yield read(y);
    yield read(y);
    yield { op: 'write', on: y, value: seen === 2 ? 5 : 4, mode: 'once' };
  });
  const same = of();
  expect(same.get(after(0))).toBe(same.get(after(1)));
  expect(same.get(after(0))).not.toBe(same.get(after(2)));
  expect(same.get(after(0, 1, 2))).toBe(same.get(after(1, 2, 0)));
  expect(same.get(after(0, 1, 2))).not.toBe(same.get(after(2, 1, 2)));
});

test('a step that depends on another place, or has another order, is another', () => {
  for (const other of [{ addr: 1 }, { mode: 'acquire' }, { by: 'f' }] as const) {
    const { of, after } = one(function* (x, y) {
      yield (yield read(x)) === 2 ? { ...read(y), ...other } : read(y);
    });
    const same = of();
    expect(same.get(after(0))).toBe(same.get(after(1)));
    expect(same.get(after(0))).not.toBe(same.get(after(2)));
  }
});

test('positions too far away to be looked at are not merged', () => {
  const { of, after } = one(function* (x, y) {
    yield read(x);
    for (let n = 0; n < 9; n++) yield read(y);
  });
  const same = of();
  const far = [0, 1].map((v) => after(v, 0, 0, 0, 0, 0, 0, 0, 0));
  for (const node of far) expect(same.get(node) ?? node).toBe(node);
});
