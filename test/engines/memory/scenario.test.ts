import { expect, test } from 'vitest';
import { explore } from '../../../src/engines/explore.js';
import { explorePromises } from '../../../src/engines/memory/kernel-explore.js';
import { exploreWeak } from '../../../src/engines/memory/weak.js';
import type { Memory, Verdict } from '../../../src/engines/verdict.js';
import { scenarios } from '../../../src/scenarios/index.js';
import { type Row, rows } from '../../../src/scenarios/rows.js';
import { schemes } from '../../../src/schemes/index.js';

const weak = (r: Row, memory: Memory): Verdict =>
  exploreWeak(scenarios[r.scenario], schemes[r.scheme], memory, { ...pick(r), scFirst: false });
const pick = ({ sizes, variant }: Row) => ({ sizes, variant });

test.each(rows.filter((r) => r.arm64).map((r) => [r.id, r] as const))(
  'arm64 agrees with herd7 or LKMM on row %s',
  (_id, r) => {
    const v = weak(r, 'arm64');
    expect(v.verdict).toBe(r.arm64!.verdict);
    if (r.arm64!.kind) expect(v.kind).toBe(r.arm64!.kind);
  },
);

/** Deadlocks and sleeping where it is forbidden are looked for under sequential consistency only. */
const memoryKind = (v: Verdict): string | null =>
  v.kind === 'deadlock' || v.kind === 'sleeping in atomic context' ? null : v.kind;

test.each(rows.map((r) => [r.id, r] as const))(
  'made sc, the weak engine says what the explorer says, and tso and arm64 allow no less: %s',
  (_id, r) => {
    const reference = explore(scenarios[r.scenario], schemes[r.scheme], pick(r));
    expect(weak(r, 'sc').kind).toBe(memoryKind(reference));
    const tso = weak(r, 'tso');
    if (memoryKind(reference)) expect(tso.verdict).toBe('bug');
    if (tso.verdict === 'bug') expect(weak(r, 'arm64').verdict).toBe('bug');
    expect(tso.verdict).not.toBe('cut off');
  },
);

/** Rows with few enough orders of messages to go through one by one. */
const few = (r: Row): boolean =>
  !/percpu|2x2|[23]r|2f/.test(`${r.id} ${r.scheme}`) && r.id !== 'P6' && r.id !== 'S5a';

test.each(rows.filter(few).map((r) => [r.id, r] as const))(
  'the promising engine, which looks at every order of messages, says the same: %s',
  (_id, r) => {
    const v = explorePromises(scenarios[r.scenario], schemes[r.scheme], 'arm64', pick(r));
    const w = weak(r, 'arm64');
    expect([v.verdict, v.kind]).toEqual([w.verdict, w.kind]);
  },
);

const open = rows.filter((r) => /^S6 ([23]|jl)|^percpu 2r/.test(r.id));
test.each(open.map((r) => [r.id, r] as const))(
  'what herd7 has no answer to is safe over all runs: %s',
  (_id, r) => expect(weak(r, 'arm64').verdict).toBe('safe'),
);

test('two readers: enable/disable is a bug, inc/dec is safe', () => {
  const options = { sizes: { readers: 2 }, scFirst: false };
  const v3 = exploreWeak(scenarios['pmd-free'], schemes.v3, 'arm64', options);
  expect([v3.verdict, v3.kind]).toEqual(['bug', 'use after free']);
  expect(v3.counterexample.at(-1)!.text).toBe('read pte table 0');
  const v6 = exploreWeak(scenarios['pmd-free'], schemes.v6, 'arm64', options);
  expect([v6.verdict, v6.bounds.max_states > v6.states]).toEqual(['safe', true]);
});

test('a search that hits its bound says so', () => {
  const options = { sizes: { readers: 2 }, maxStates: 100, scFirst: false };
  const v = exploreWeak(scenarios['pmd-free'], schemes.v6, 'arm64', options);
  expect([v.verdict, v.runs, v.bounds.max_states]).toEqual(['cut off', null, 100]);
});
