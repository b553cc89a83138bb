import { expect, test } from 'vitest';
import { replay } from '../../src/engines/replay.js';
import { type SampleOptions, sample } from '../../src/engines/sample.js';
import { decodeToken } from '../../src/engines/token.js';
import { sizesOf } from '../../src/linux/scenario.js';
import { scenarios } from '../../src/scenarios/index.js';
import { schemes } from '../../src/schemes/index.js';

const pmdFree = scenarios['pmd-free'];
const draw = (scheme: keyof typeof schemes, options: Partial<SampleOptions> = {}) =>
  sample(pmdFree, schemes[scheme], { by: 'random', runs: 500, seed: 7, ...options });

test.each(['random', 'pct'] as const)('%s finds the plain race, and its token replays it', (by) => {
  const v = draw('none', { by });
  expect(v).toMatchObject({ verdict: 'bug', kind: 'use after free' });
  expect(v.bounds.sampled).toMatchObject({ by, seed: 7 });
  const { sizes, schedule } = decodeToken(v.token!);
  const told = replay(pmdFree.build(schemes.none, sizesOf(pmdFree, sizes), []), schedule);
  expect(told.kind).toBe('use after free');
});

test.each(['random', 'pct'] as const)('%s never calls a scheme safe', (by) => {
  const v = draw('v6', { by, sizes: { readers: 2 } });
  expect(v).toMatchObject({ verdict: 'cut off', kind: null, token: null, runs: 500 });
});

test('the same seed gives the same run, another seed another', () => {
  const options = { sizes: { readers: 2 }, runs: 5000 };
  const a = draw('v3', { ...options, seed: 1 });
  expect(draw('v3', { ...options, seed: 1 })).toEqual(a);
  expect(draw('v3', { ...options, seed: 2 }).token).not.toBe(a.token);
});

test('pct finds the deadlock of nested read locks', () => {
  const v = draw('lock-v6-nested', { by: 'pct', runs: 2000 });
  expect(v.kind).toBe('deadlock');
});
