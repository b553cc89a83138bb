import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arm64 } from '../../src/engines/memory/arm64.js';
import type { Outcomes } from '../../src/engines/memory/program.js';
import { sc } from '../../src/engines/memory/sc.js';
import { tso } from '../../src/engines/memory/tso.js';
import { parseLitmus } from '../../src/litmus/parse.js';
import { axiomatic } from './axiomatic.js';
import { litmusText } from './random.js';

const states = (o: Outcomes): string[] => o.states.map((s) => s.join()).sort();
const numRuns = Number(process.env['PTLAB_RUNS'] ?? 150);

test('promising and axiomatic Arm have the same final states', () => {
  fc.assert(
    fc.property(litmusText, (text) => {
      const { program } = parseLitmus('random', text);
      expect(states(arm64(program))).toEqual(axiomatic(program));
    }),
    { numRuns },
  );
}, 0);

test('sc is within tso, tso within arm64', () => {
  fc.assert(
    fc.property(litmusText, (text) => {
      const { program } = parseLitmus('random', text);
      const weak = new Set(states(arm64(program)));
      const middle = new Set(states(tso(program)));
      for (const s of states(sc(program))) expect(middle).toContain(s);
      for (const s of middle) expect(weak).toContain(s);
    }),
    { numRuns },
  );
}, 0);
