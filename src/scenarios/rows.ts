// The table of the thread: which scheme, where, at which size, and what judges other than ptlab say. SC: SPIN 6.5.2,
// exhaustive, with the length of its shortest counterexample; arm64: herd7 7.58 or LKMM of 6.12.

import type { Variant } from '../linux/scheme.js';
import type { FaultKind } from '../linux/system.js';
import type { schemes } from '../schemes/index.js';
import type { scenarios } from './index.js';

/** What a judge says of a row. */
export interface Judged {
  readonly verdict: 'safe' | 'bug';
  readonly kind?: FaultKind;
  /** Steps of the judge's shortest counterexample. */
  readonly steps?: number;
}

export interface Row {
  readonly id: string;
  readonly scenario: keyof typeof scenarios;
  readonly scheme: keyof typeof schemes;
  readonly sizes: Readonly<Record<string, number>>;
  readonly variant: readonly Variant[];
  readonly sc?: Judged;
  readonly arm64?: Judged;
}

type Name = Row['scheme'];
const safe: Judged = { verdict: 'safe' };
const uaf = (steps?: number): Judged => ({ verdict: 'bug', kind: 'use after free', ...(steps === undefined ? {} : { steps }) }); // biome-ignore format: one line
const stuck: Judged = { verdict: 'bug', kind: 'deadlock', steps: 5 };

/** A row of pmd-free. */
const pmd = (
  id: string,
  scheme: Name,
  sc: Judged | undefined,
  arm64?: Judged,
  sizes: Row['sizes'] = {},
  variant: Row['variant'] = [],
): Row => ({
  // biome-ignore format: short
  id,
  scenario: 'pmd-free',
  scheme,
  sizes,
  variant,
  ...(sc ? { sc } : {}),
  ...(arm64 ? { arm64 } : {}),
});
const two = { readers: 2 };
const freers2 = { freers: 2 };
const both = { readers: 2, freers: 2 };

/** Every row, in the order of the story. */
export const rows: readonly Row[] = [
  pmd('S0', 'none', uaf(5), uaf()),
  pmd('S1', 'v1', safe, safe),
  pmd('S1 v2', 'v2', safe, safe),
  pmd('S1b', 'lock-clear-free', safe, safe),
  { id: 'S1c', scenario: 'check-wx', scheme: 'v2', sizes: {}, variant: ['no-debugfs'], sc: uaf(5) },
  pmd('S2', 'v3', safe, safe),
  pmd('S2 v4', 'v4', safe, safe),
  pmd('S2 v5', 'v5', safe, safe),
  pmd('S2 2r', 'v3', uaf(13), undefined, two),
  pmd('S2 v5 2r', 'v5', uaf(13), undefined, two),
  pmd('S3', 'sample-first', uaf(7), uaf()),
  pmd('S4a', 'percpu-clear', safe, safe),
  pmd('S4b', 'percpu-clear-free', safe, safe),
  pmd('S5a', 'rcu-sample-clear', safe, safe),
  pmd('S5a 2r', 'rcu-sample-clear', uaf(17), undefined, two),
  pmd('S5a 2r inc/dec', 'rcu-sample-clear', safe, undefined, two, ['inc-dec']),
  pmd('S5b', 'rcu-sample', uaf(10), uaf()),
  pmd('S5c', 'rcu-walker', safe, safe),
  pmd('S6', 'v6', safe, safe),
  pmd('S6 2r', 'v6', safe, undefined, two),
  pmd('S6 jl 2r', 'v6', safe, undefined, two, ['jump-label']),
  pmd('S7a', 'v3', safe, undefined, {}, ['jump-label']),
  pmd('S7a 2r', 'v3', uaf(18), undefined, two, ['jump-label']),
  pmd('S7b', 'v6', safe, safe, {}, ['jump-label', 'no-ipi']),
  pmd('S7c', 'v6', uaf(8), uaf(), {}, ['jump-label', 'no-ipi', 'no-isb']),
  pmd('S7d', 'v6', safe, undefined, {}, ['jump-label', 'no-isb']),
  // The key as a plain flag, and what orders it left out: safe under SC, all of them.
  pmd('S7 flag', 'v3', safe, safe, {}, ['flag']),
  pmd('S7e', 'v3', safe, uaf(), {}, ['flag', 'no-flush']),
  pmd('S7f', 'v3', safe, uaf(), {}, ['flag', 'dmb-flush']),
  pmd('S7g', 'v3', safe, uaf(), {}, ['flag', 'no-enable-barrier']),
  pmd('S7h', 'v3', safe, uaf(), {}, ['flag', 'bare-disable']),
  pmd('S7i', 'v3', safe, safe, {}, ['flag', 'release-disable']),
  // The branch patched back by its store alone.
  pmd('S7j', 'v6', undefined, uaf(), {}, ['jump-label', 'bare-disable']),
  pmd('S7k', 'v6', undefined, safe, {}, ['jump-label', 'dmb-disable']),
  pmd('S7l', 'v6', undefined, safe, {}, ['jump-label', 'dmb-ld-disable']),
  pmd('S6 2f', 'v6', safe, undefined, freers2),
  pmd('S2 2f', 'v3', safe, undefined, freers2),
  pmd('S0 2f', 'none', uaf(5), undefined, freers2),
  pmd('S6 2x2', 'v6', safe, undefined, both),
  pmd('S6 jl 2x2', 'v6', safe, undefined, both, ['jump-label']),
  pmd('S8', 'trylock', safe, safe),
  pmd('S8 2x2', 'trylock', safe, undefined, both),
  pmd('S8x unfair', 'lock-v6-nested', safe, undefined, {}, ['unfair']),
  pmd('S8x', 'lock-v6-nested', stuck),
  pmd('S8y', 'trylock-v6-nested', stuck),
  pmd('S9', 'other-mm', uaf(9)),
  { id: 'P0', scenario: 'pud-free', scheme: 'none', sizes: {}, variant: [], sc: uaf(7) },
  { id: 'P6', scenario: 'pud-free', scheme: 'v6', sizes: {}, variant: [], sc: safe, arm64: safe },
  { id: 'P6x', scenario: 'pud-free', scheme: 'v6', sizes: {}, variant: ['not-isolated'], sc: uaf(7), arm64: uaf() }, // biome-ignore format: one line
  // Nobody but ptlab has judged these.
  pmd('v4 2r', 'v4', undefined, undefined, two),
  pmd('v1 2x2', 'v1', undefined, undefined, both),
  pmd('S6 3r', 'v6', undefined, undefined, { readers: 3 }),
  pmd('S6 3r 2f', 'v6', undefined, undefined, { readers: 3, freers: 2 }),
  pmd('percpu 2r', 'percpu-clear', undefined, undefined, two),
  pmd('rcu-walker 2x2', 'rcu-walker', undefined, undefined, both),
  pmd('S1 full', 'v1', undefined, undefined, {}, ['full-walk']),
  pmd('S6 full', 'v6', undefined, undefined, {}, ['full-walk']),
  pmd('S6 checked', 'v6', undefined, undefined, {}, ['checked-walk']),
  pmd('S8 full', 'trylock', undefined, undefined, {}, ['full-walk']),
  pmd('rcu-free', 'rcu-free', undefined),
  pmd('rcu-free 2x2', 'rcu-free', undefined, undefined, both),
  pmd('async-free', 'async-free', undefined),
];
