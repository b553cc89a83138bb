// Every row against outside judges: SC verdicts, kinds and lengths are SPIN 6.5.2's, exhaustive, on a Promela model that
// shares nothing with ptlab (rows.ts holds what it said).
import { expect, test } from 'vitest';
import { explore } from '../../src/engines/explore.js';
import { scenarios } from '../../src/scenarios/index.js';
import { type Row, rows } from '../../src/scenarios/rows.js';
import { schemes } from '../../src/schemes/index.js';

const verdict = ({ scenario, scheme, sizes, variant }: Row) =>
  explore(scenarios[scenario], schemes[scheme], { sizes, variant });

const judged = rows.filter((r) => r.sc);

test('there are rows to judge', () => {
  expect(judged.length).toBeGreaterThanOrEqual(38);
});

test.each(judged.map((r) => [r.id, r] as const))('%s is as SPIN says', (_, row) => {
  const v = verdict(row);
  expect({ verdict: v.verdict, kind: v.kind }).toEqual({
    verdict: row.sc!.verdict,
    kind: row.sc!.kind ?? null,
  });
  if (row.sc!.steps !== undefined) expect(v.steps).toBeLessThanOrEqual(row.sc!.steps);
  if (row.sc!.verdict === 'safe') expect(v.runs === null || v.runs > 1).toBe(true);
});

/** Functions and tasks of a counterexample, readers and CPUs by their kind. */
const events = (id: string): string[] => {
  const row = rows.find((r) => r.id === id)!;
  return verdict(row).counterexample.map((m) => `${m.task.split(' ')[0]} ${m.text}`);
};

/** Is `want` a subsequence of `all`? */
function inOrder(all: readonly string[], want: readonly string[]): boolean {
  let at = 0;
  for (const e of all) if (at < want.length && e.includes(want[at]!)) at++;
  return at === want.length;
}

// The order of events in SPIN's counterexamples, as far as it matters: steps that commute may stand either way round
// (S5a, S5b: the freer's rcu_read_lock and _unlock beside the reader's steps).
const order: Record<string, string[]> = {
  S0: ['ptdump mmap_write_lock', 'ptdump pXdp_get', 'vmalloc pmd_clear', 'vmalloc free', 'ptdump read pte'],
  S1c: ['check_wx mmap_write_lock', 'check_wx pXdp_get', 'vmalloc pmd_clear', 'vmalloc free', 'check_wx read pte'],
  'S2 2r': ['static_branch_enable', 'mmap_write_lock', 'pXdp_get', 'read pte', 'mmap_write_unlock', 'static_branch_disable', 'mmap_write_lock', 'pXdp_get', 'vmalloc pmd_clear', 'vmalloc static_branch -> 0', 'vmalloc free', 'ptdump read pte'],
  S3: ['vmalloc static_branch -> 0', 'ptdump static_branch_enable', 'ptdump mmap_write_lock', 'ptdump pXdp_get', 'vmalloc pmd_clear', 'vmalloc free', 'ptdump read pte'],
  'S5a 2r': ['static_branch_enable', 'synchronize_rcu done', 'mmap_write_lock', 'mmap_write_unlock', 'static_branch_disable', 'static_branch -> 0', 'pXdp_get', 'pmd_clear', 'rcu_read_unlock', 'free', 'read pte'],
  S5b: ['rcu_read_lock', 'static_branch -> 0', 'static_branch_enable', 'synchronize_rcu done', 'mmap_write_lock', 'pXdp_get', 'pmd_clear', 'free', 'read pte'],
  'S7a 2r': ['patch text=1', 'IPI+isb', 'ptdump_lock_key = 1', 'mmap_write_lock', 'mmap_write_unlock', 'patch text=0', 'pXdp_get', 'pmd_clear', 'isb', 'static_branch -> 0', 'free', 'read pte'],
  S7c: ['patch text=1', 'mmap_write_lock', 'pXdp_get', 'pmd_clear', 'static_branch -> 0', 'free', 'read pte'],
  S8x: ['mmap_read_lock', 'mmap_write_lock: queues'],
  S8y: ['mmap_read_trylock -> 1', 'mmap_write_lock: queues'],
  S9: ['static_branch_inc', 'mmap_write_lock(efi_mm)', 'pXdp_get', 'pmd_clear', 'static_branch -> 1', 'mmap_read_lock', 'mmap_read_unlock', 'free', 'read pte'],
  P0: ['mmap_write_lock', 'pXdp_get(pud[0])', 'pmd_clear(pud[0])', 'pmd_clear(pmd table[0])', 'free(pte table 0)', 'read pte table 0'],
  P6x: ['static_branch_inc', 'mmap_write_lock', 'pXdp_get(pud[0])', 'pXdp_get(pmd table[0])', 'pmd_clear(pmd table[0])', 'free(pte table 0)', 'read pte table 0'],
}; // biome-ignore format: a table

test.each(Object.keys(order))("%s: the events come in SPIN's order", (id) => {
  const all = events(id);
  expect(inOrder(all, order[id]!), all.join('\n')).toBe(true);
});

test('512 entries under v6: safe', () => {
  const v = explore(scenarios['pud-free'], schemes.v6, { sizes: { entries: 512 } });
  expect(v.verdict).toBe('safe');
  expect(v.states).toBeLessThan(40_000); // linear, as SPIN found: 37,019
});

test('a bound that is hit is a verdict of its own', () => {
  const v = explore(scenarios['pmd-free'], schemes.v6, { maxStates: 20 });
  expect(v).toMatchObject({ verdict: 'cut off', runs: null, kind: null });
  expect(v.bounds.max_states).toBe(20);
});
