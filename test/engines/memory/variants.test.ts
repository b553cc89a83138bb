// What orders each scheme, left out piece by piece: the verdict under arm64. Under sc all of these are safe, so each bug is one of
// memory order alone. The judges' rows (S7) stand in scenarios/rows.ts as well; the others are ours.
import { expect, test } from 'vitest';
import { replayFlat } from '../../../src/engines/memory/flat-run.js';
import { exploreWeak } from '../../../src/engines/memory/weak.js';
import { decodeToken } from '../../../src/engines/token.js';
import { sizesOf } from '../../../src/linux/scenario.js';
import type { Variant } from '../../../src/linux/scheme.js';
import { scenarios } from '../../../src/scenarios/index.js';
import { schemes } from '../../../src/schemes/index.js';

type Case = readonly [scheme: keyof typeof schemes, variant: Variant[], arm64: 'safe' | 'bug'];
const cases: readonly Case[] = [
  ['v3', ['flag'], 'safe'],
  ['v5', ['flag'], 'safe'],
  ['v6', ['flag'], 'safe'],
  ['v3', ['flag', 'no-flush'], 'bug'],
  ['v3', ['flag', 'dmb-flush'], 'bug'],
  ['v3', ['flag', 'no-dsb-ish'], 'safe'], // a DSB ISHST holds later reads back until the clear is seen
  ['v3', ['flag', 'no-dsb-ishst'], 'safe'], // the DSB ISH behind it orders as much
  ['v3', ['flag', 'no-dsb-ish', 'no-dsb-ishst'], 'bug'],
  ['v3', ['flag', 'no-isb'], 'safe'], // a flag is no text
  ['v3', ['flag', 'no-enable-barrier'], 'bug'],
  ['v3', ['flag', 'bare-disable'], 'bug'],
  ['v3', ['flag', 'dmb-disable'], 'safe'],
  ['v3', ['flag', 'dmb-ld-disable'], 'safe'],
  ['v3', ['flag', 'release-disable'], 'safe'],
  ['v5', ['flag', 'no-branch'], 'bug'],
  ['v6', ['jump-label', 'bare-disable'], 'bug'],
  ['v6', ['jump-label', 'dmb-disable'], 'safe'],
  ['v6', ['jump-label', 'dmb-ld-disable'], 'safe'],
  ['v6', ['jump-label', 'dmb-flush'], 'safe'], // the IPI finds nothing under way, or waits for it
  ['v6', ['jump-label', 'no-ipi'], 'safe'],
  ['v6', ['jump-label', 'no-isb'], 'safe'],
  ['rcu-sample-clear', ['flag', 'no-flush'], 'safe'],
  ['rcu-sample-clear', ['flag', 'no-branch'], 'safe'],
  ['rcu-sample-clear', ['flag', 'no-flush', 'no-branch'], 'bug'],
  ['percpu-clear', ['no-flush'], 'safe'], // percpu_up_read() has the barriers, or the grace period
]; // biome-ignore format: a table

const run = ([scheme, variant]: Case, memory: 'sc' | 'arm64') =>
  exploreWeak(scenarios['pmd-free'], schemes[scheme], memory, { variant, scFirst: false });

test.each(cases)('%s with %j: safe under sc, %s under arm64', (...c) => {
  expect([run(c, 'sc').verdict, run(c, 'arm64').verdict]).toEqual(['safe', c[2]]);
});

test.each(cases.filter(([, , arm64]) => arm64 === 'bug'))(
  '%s with %j: the token gives the run back, twice alike',
  (...c) => {
    const v = run(c, 'arm64');
    const token = decodeToken(v.token!);
    expect(token.memory).toBe('arm64');
    const again = () => {
      const scenario = scenarios['pmd-free'];
      const sys = scenario.build(schemes[c[0]], sizesOf(scenario, token.sizes), token.variant);
      return replayFlat(sys, { strength: 'arm64', omit: new Set() }, token.schedule);
    };
    const first = again();
    expect([first.kind, first.steps]).toEqual([v.kind, v.counterexample]);
    expect(again()).toEqual(first);
    // No run under sc: something was done early.
    expect(v.counterexample.some((r) => r.text.endsWith('(early)'))).toBe(true);
  },
);
