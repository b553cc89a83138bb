// What must change the verdict when it is left out, and what may be left out under sequential consistency, and why.
import { expect, test } from 'vitest';
import { explore } from '../../src/engines/explore.js';
import type { Variant } from '../../src/linux/scheme.js';
import { scenarios } from '../../src/scenarios/index.js';
import { schemes } from '../../src/schemes/index.js';

type Mutant = [
  scenario: keyof typeof scenarios,
  scheme: keyof typeof schemes,
  variant: Variant[],
  sizes: Record<string, number>,
  kind: string | null,
];
const uaf = 'use after free';

const killed: Mutant[] = [
  ['pmd-free', 'v1', ['no-free-lock'], {}, uaf],
  ['pmd-free', 'v1', ['no-walk-lock'], {}, uaf],
  ['pmd-free', 'lock-clear-free', ['no-free-lock'], {}, uaf],
  ['pmd-free', 'v2', ['no-debugfs'], {}, uaf],
  ['pmd-free', 'v3', ['no-free-lock'], {}, uaf],
  ['pmd-free', 'v3', ['no-walk-lock'], {}, uaf],
  ['pmd-free', 'v6', ['no-free-lock'], {}, uaf],
  ['pmd-free', 'v6', ['no-walk-lock'], {}, uaf],
  ['pmd-free', 'v6', ['enable-disable'], { readers: 2 }, uaf],
  ['pmd-free', 'v6', ['jump-label', 'enable-disable'], { readers: 2 }, uaf],
  ['pmd-free', 'v6', ['jump-label', 'no-ipi', 'no-isb'], {}, uaf],
  ['pmd-free', 'v6', ['jump-label', 'no-ipi', 'no-flush'], {}, uaf],
  ['pmd-free', 'percpu-clear', ['no-free-lock'], {}, uaf],
  ['pmd-free', 'percpu-clear-free', ['no-walk-lock'], {}, uaf],
  ['pmd-free', 'rcu-sample-clear', ['no-gp'], {}, uaf],
  ['pmd-free', 'rcu-walker', ['no-gp'], {}, uaf],
  ['pmd-free', 'rcu-walker', ['no-walk-lock'], {}, uaf],
  ['pmd-free', 'rcu-free', ['no-gp'], {}, uaf],
  ['pmd-free', 'rcu-free', ['no-walk-lock'], {}, uaf],
  ['pmd-free', 'trylock', ['no-free-lock'], {}, uaf],
  ['pmd-free', 'trylock', ['no-walk-lock'], {}, uaf],
  ['pud-free', 'v6', ['not-isolated'], {}, uaf],
  ['hw-walk', 'v6', ['no-tlbi'], {}, uaf],
  ['hw-walk', 'v6', ['no-flush'], {}, uaf],
  ['pmd-free', 'v6', ['full-walk'], {}, 'wild access'],
  ['pud-free', 'v6', ['full-walk'], {}, 'wild access'],
  ['pmd-free', 'rcu-walker', ['full-walk'], {}, 'wild access'],
  ['pmd-free', 'rcu-free', ['full-walk'], {}, 'wild access'],
];

const survive: [why: string, ...Mutant][] = [
  ['the IPI alone makes the CPU fetch anew', 'pmd-free', 'v6', ['jump-label', 'no-isb'], {}, null],
  ['the ISB alone makes the CPU fetch anew', 'pmd-free', 'v6', ['jump-label', 'no-ipi'], {}, null],
  ['stores are seen at once under SC', 'pmd-free', 'v6', ['no-dsb-ishst', 'no-dsb-ish'], {}, null],
  ['a software walk uses no TLB', 'pmd-free', 'v6', ['no-tlbi'], {}, null],
  ['TLBI waits by itself under SC', 'hw-walk', 'v6', ['no-dsb-ish'], {}, null],
  ['one reader cannot disable under another', 'pmd-free', 'v6', ['enable-disable'], {}, null],
  ['no task takes the lock twice', 'pmd-free', 'v6', ['unfair'], { readers: 2 }, null],
  ['fairness only keeps others out', 'pmd-free', 'trylock', ['unfair'], { readers: 2 }, null],
  ['handoff only keeps others out', 'pmd-free', 'v6', ['handoff'], { readers: 2 }, null],
  ['the walk holds the lock that refuses', 'pmd-free', 'trylock', ['full-walk'], {}, null],
  ['the clear waits for the walk', 'pmd-free', 'v1', ['full-walk'], { readers: 2 }, null],
  ['the clear waits for the walk', 'pmd-free', 'percpu-clear', ['full-walk'], {}, null],
  ['the last read is looked at', 'pmd-free', 'v6', ['checked-walk'], { readers: 2 }, null],
  ['the last read is looked at', 'pud-free', 'v6', ['checked-walk'], {}, null],
  ['the last read is looked at', 'pmd-free', 'rcu-free', ['checked-walk'], {}, null],
];

const verdict = ([scenario, scheme, variant, sizes]: Mutant) =>
  explore(scenarios[scenario], schemes[scheme], { variant, sizes }).kind;

test.each(killed)('%s %s without %j %j is found out', (...m) => {
  expect(verdict(m)).toBe(m[4]);
});

test.each(survive)('%s: %s %s %j %j stays safe', (_, ...m) => {
  expect(verdict(m)).toBe(null);
});

test('an unfair rwsem hides the deadlock of nested read locks', () => {
  const kind = (variant: Variant[]) => verdict(['pmd-free', 'lock-v6-nested', variant, {}, null]);
  expect([kind([]), kind(['unfair']), kind(['handoff'])]).toEqual(['deadlock', null, 'deadlock']);
});

// Who may not sleep: the reference's table 2.11, from runs.
test.each([
  ['none', uaf],
  ['v1', 'sleeping in atomic context'],
  ['v3', 'sleeping in atomic context'],
  ['v6', 'sleeping in atomic context'],
  ['percpu-clear', 'sleeping in atomic context'],
  ['rcu-walker', 'sleeping in atomic context'],
  ['trylock', null],
  ['rcu-free', null],
] as const)('a caller that may not sleep, %s', (scheme, kind) => {
  // biome-ignore format: a table
  expect(verdict(['nowait', scheme, [], {}, null])).toBe(kind);
});

test('v6 sleeps only while a dump is under way', () => {
  expect(verdict(['nowait', 'v6', [], { readers: 0 }, null])).toBe(null);
  expect(verdict(['nowait', 'v1', [], { readers: 0 }, null])).toBe('sleeping in atomic context');
});
