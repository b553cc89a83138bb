// What a run cost, in one row, and what is said of such rows: by the truths of real runs, and on hand-made rows.
import { expect, test } from 'vitest';
import { costsOf, linesOfCosts, loadRuns, sameWork, sweepCosts, tableOfCosts } from '../../src/commands/cost-runs.js'; // biome-ignore format: one line
import { costWords, type NamedCosts, sweepWords } from '../../src/commands/cost-words.js';
import { toText } from '../../src/export/text.js';
import { sample } from '../traces.js';

test('real runs: who slept, what was lost, and what cannot be told', async () => {
  const runs = await loadRuns([sample('D-x2b-1reader'), '', sample('A-x2b')]);
  const [d, a] = costsOf(runs);
  // truth.json of D: 903 tables freed, 596 trylocks failed, none of the frees without a lock
  expect(d).toMatchObject({ run: 'D-x2b-1reader', frees: 903, lost_huge: 596, bare: 0, slept: 0, p50_us: null }); // biome-ignore format: one line
  expect(d!.lost_percent).toBeCloseTo((100 * 596) / 1499, 10);
  expect(d!.calls).toBeGreaterThanOrEqual(2 * 1500); // the workload's, and a few of the shell's
  expect(d!.calls).toBeLessThan(3100);
  expect(a).toMatchObject({ run: 'A-x2b', frees: 99, slept: null, lost_huge: null, bare: null, sleeps_ns: null }); // biome-ignore format: one line
  expect(a!.missing.join(' ')).toMatch(/who slept cannot be told/);
  const said = costWords([d!, a!]);
  expect(said).toMatch(/Never slept: D-x2b-1reader\. Cannot\s+tell who slept: A-x2b\./);
  expect(said).toMatch(/D-x2b-1reader \(596,\s+39\.8 %\)/);
  expect(said.replaceAll('\n', ' ')).toContain('Cannot tell what was lost: A-x2b.');
  for (const line of said.split('\n')) expect(line.length).toBeLessThanOrEqual(72);
  for (const r of [d!, a!]) expect(toText(tableOfCosts('costs', [r], r.missing))).toContain(r.run);
});

test('the work of a real run again: its own scheme comes near it', async () => {
  const runs = await loadRuns([sample('D-x2b-1reader')]);
  const { rows, notes } = sameWork(Object.values(runs)[0]!, ['trylock'], { name: 'D' });
  expect(rows.map((r) => r.run)).toEqual(['D', 'sim trylock']);
  const [real, made] = rows;
  expect(made!.frees! + made!.lost_huge!).toBe(real!.frees! + real!.lost_huge!);
  expect(Math.abs(made!.lost_percent! / real!.lost_percent! - 1)).toBeLessThan(0.25);
  expect(notes.join(' ')).toMatch(/9041 operations of D, 1 readers .* fitted to the trace/);
}); // biome-ignore format: one line

test('a trace without a workload is said to have none', async () => {
  const runs = await loadRuns([sample('A-boot-smp1')]);
  const again = sameWork(Object.values(runs)[0]!, ['v6']);
  expect(again.rows).toEqual([]);
  expect(again.notes.join(' ')).toMatch(/no operation on vmalloc/);
});

test('a sweep: a longer dump makes v6 sleep longer and the trylock lose more', () => {
  const rows = sweepCosts('rest', [1e4, 1e6], ['v6', 'trylock'], { loops: 20 });
  expect(rows.map((r) => [r.run, r.at])).toEqual([['v6', 1e4], ['v6', 1e6], ['trylock', 1e4], ['trylock', 1e6]]); // biome-ignore format: one line
  const [v6, v6Long, trylock, trylockLong] = rows;
  expect(v6Long!.max_us!).toBeGreaterThan(10 * v6!.max_us!);
  expect(v6Long!.calls_per_s!).toBeLessThan(v6!.calls_per_s!);
  expect(trylockLong!.lost_percent!).toBeGreaterThan(trylock!.lost_percent!);
  expect(trylockLong!.slept).toBe(0);
  expect(sweepWords('entries', rows)).toMatch(/^From 10000 to 1000000 entries: v6: longest sleep/);
  for (const line of toText(linesOfCosts('rest', rows)).split('\n'))
    expect(line.length).toBeLessThanOrEqual(72);
});

test('more readers at longer rests, more callers, more rest: each axis does what it says', () => {
  const one = { loops: 10 };
  const reads = (every_ms: number) =>
    sweepCosts('every_ms', [every_ms], ['trylock'], { loops: 60 })[0]!;
  expect(reads(100).lost_percent!).toBeLessThan(reads(0.01).lost_percent!);
  const [few, many] = sweepCosts('callers', [1, 3], ['none'], one);
  expect(many!.calls).toBe(3 * few!.calls);
  const [busy, idle] = sweepCosts('apart_us', [10, 10000], ['none'], one);
  expect(idle!.frees).toBe(busy!.frees);
  expect(idle!.calls_per_s!).toBeLessThan(busy!.calls_per_s! / 5);
});

test('words of hand-made rows', () => {
  const row = (run: string, more: Partial<NamedCosts>): NamedCosts => ({
    run, scheme: run, calls: 10, calls_per_s: 100, frees: 5, in_walk: 2, bare: 0, slept: 0, p50_us: null, p90_us: null,
    max_us: null, lost_huge: 0, lost_percent: 0, grace_periods: 0, violations: 0, sleeps_ns: [], missing: [], ...more,
  }); // biome-ignore format: a table
  const rows = [row('x', { slept: 2, p50_us: 7.25, max_us: 1234.5 }), row('y', { bare: 2, calls_per_s: 50 })]; // biome-ignore format: one line
  expect(costWords(rows).replaceAll('\n', ' ')).toBe(
    'Slept in vmalloc: x (2 calls, half of them 7.25 us or more, at most 1235). Never slept: y. ' +
      'Lost none: x, y. Freed tables during a walk with no lock held: y (2 of 5). ' +
      'Calls a second, against the fastest: x 100 %, y 50 %.',
  );
});
