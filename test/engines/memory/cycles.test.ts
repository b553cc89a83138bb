// Random cycles: the scenario engine has exactly the final states that the litmus engine has, whose judges are herd7 and the axioms.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arm64 } from '../../../src/engines/memory/arm64.js';
import { searchFlat, wordAt } from '../../../src/engines/memory/flat-search.js';
import { parseLitmus } from '../../../src/litmus/parse.js';
import { cycleText, type Shape } from '../../litmus/cycles.js';
import { accessNames, cycleSystem, edgeNames } from './kernel-cycles.js';

function flat(shapes: readonly Shape[]): string[] {
  const { sys, words } = cycleSystem(shapes);
  const how = { strength: 'arm64', omit: new Set<string>(), eager: true, merge: true } as const;
  const { m, s } = searchFlat(sys, { ...how, maxStates: 1e6, exhaust: true });
  expect(s.cutOff).toBe(false);
  return [...new Set(s.finals.map((id) => words.map((w) => wordAt(m, s, id, w)).join()))].sort();
}
const promising = (shapes: readonly Shape[]): string[] =>
  arm64(parseLitmus('cycle', cycleText(shapes)).program).states.map((s) => s.join()).sort(); // biome-ignore format: one line

const access = fc.oneof(fc.constantFrom('R', 'W', 'RA', 'WL'), fc.constantFrom(...accessNames));
const shape = fc.record({ first: access, edge: fc.constantFrom(...edgeNames), second: fc.option(access, { nil: undefined, freq: 5 }) }); // biome-ignore format: one line
const cycles = fc
  .array(shape, { minLength: 2, maxLength: 3 })
  .filter((s) => s.some((t) => t.second)) as fc.Arbitrary<Shape[]>;

test('random cycles: the final states of the litmus engine', () => {
  fc.assert(
    fc.property(cycles, (shapes) => {
      expect(flat(shapes)).toEqual(promising(shapes));
    }),
    {
      numRuns: Number(process.env['PTLAB_RUNS'] ?? 300),
      seed: Number(process.env['PTLAB_SEED'] ?? 3),
    },
  );
});
