import { expect, test } from 'vitest';
import { explore } from '../../src/engines/explore.js';
import { explorers } from '../../src/engines/memories.js';
import { exploreByRerun } from '../../src/engines/reference.js';
import { raceWindow } from '../../src/engines/window.js';
import { claims } from '../../src/scenarios/claims.js';
import { scenarios } from '../../src/scenarios/index.js';
import { schemes } from '../../src/schemes/index.js';

const checks = claims.flatMap((c) => c.checks.map((k) => [c.who, k.memory, k.scheme, k] as const));

test('nine claims, each with runs', () => {
  expect(claims).toHaveLength(9);
  for (const c of claims) expect(c.checks.length).toBeGreaterThan(0);
});

test.each(checks)('%s: %s %s', (_, memory, scheme, { scenario, sizes, variant, verdict }) => {
  const v = explorers[memory]!(scenarios[scenario], schemes[scheme], { sizes, variant });
  expect(v.verdict).toBe(verdict);
});

test('the race window: counted, and none where a scheme is safe', () => {
  const none = raceWindow(scenarios['pmd-free'], schemes.none);
  expect(none.bad).toBeGreaterThan(0);
  expect(none.share).toBeCloseTo(none.bad! / none.runs!, 12);
  const v6 = raceWindow(scenarios['pmd-free'], schemes.v6);
  expect(v6).toMatchObject({ bad: 0, share: 0 });
  expect(v6.runs).toBe(explore(scenarios['pmd-free'], schemes.v6).runs);
});

test('runs are counted as the reference runs them', () => {
  const build = () =>
    scenarios['hw-walk'].build(schemes.none, { walkers: 1, freers: 1, tables: 1, moves: 1 }, ['no-tlbi']); // biome-ignore format: one line
  const slow = exploreByRerun(build);
  expect(slow).toMatchObject({ complete: true });
  const { runs } = raceWindow(scenarios['hw-walk'], schemes.none, { sizes: { moves: 1 }, variant: ['no-tlbi'] }); // biome-ignore format: one line
  expect(runs).toBeLessThanOrEqual(slow.runs); // joined steps are not told apart
});
