import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arm64 } from '../../src/engines/memory/arm64.js';
import type { Outcomes } from '../../src/engines/memory/program.js';
import { sc } from '../../src/engines/memory/sc.js';
import { tso } from '../../src/engines/memory/tso.js';
import { parseLitmus } from '../../src/litmus/parse.js';
import { axiomatic } from './axiomatic.js';
import { cycles, cycleText } from './cycles.js';

const states = (o: Outcomes): string[] => o.states.map((s) => s.join()).sort();
// A night's run: PTLAB_CYCLES=100000 npx vitest run test/litmus/cycles.test.ts
const numRuns = Number(process.env['PTLAB_CYCLES'] ?? 100);

test(`cycles: promising equals axiomatic, sc within tso within arm64 (${numRuns} tests)`, () => {
  fc.assert(
    fc.property(cycles(7), (shapes) => {
      const { program } = parseLitmus('cycle', cycleText(shapes));
      const weak = states(arm64(program));
      expect(weak).toEqual(axiomatic(program));
      const middle = states(tso(program));
      expect(weak).toEqual(expect.arrayContaining(middle));
      expect(middle).toEqual(expect.arrayContaining(states(sc(program))));
    }),
    { numRuns, ...(process.env['PTLAB_SEED'] && { seed: Number(process.env['PTLAB_SEED']) }) },
  );
}, 0);
