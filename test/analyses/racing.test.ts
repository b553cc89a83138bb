// The replay against a kernel that races: its own addresses are the truth, its trace is all the replay sees.
import { expect, test } from 'vitest';
import { predict } from '../../src/analyses/prediction.js';
import { readFtrace } from '../traces.js';
import { boot, racing, run, spawn } from './racing-kernel.js';
import { loads } from './racing-loads.js';

interface Load {
  readonly load: string;
  readonly cpus: number;
  readonly threads: number;
  readonly seed: number;
  readonly preempt?: number;
  readonly shift?: number;
}

function traceText(o: Load): string {
  const k = racing(o);
  boot(k);
  for (let i = 0; i < o.threads; i++)
    spawn(k, `test/${i}`, i % o.cpus, false, () => loads[o.load]!(k));
  run(k);
  return `${k.lines.join('\n')}\n`;
}

const names = Object.keys(loads);

test('one thread that nothing interrupts: every address, purge and table, on 1, 2 and 4 CPUs', async () => {
  for (const load of names)
    for (const cpus of [1, 2, 4]) {
      const o = { load, cpus, threads: 1, seed: 5, preempt: 0, shift: 0 };
      const p = predict(await readFtrace(traceText(o)));
      expect(p.misses, `${load} on ${cpus}`).toEqual([]);
      expect(p.tables.predicted).toEqual(p.tables.observed);
      expect(p.equal).toBe(true);
    }
});

test('four threads: each address is exact or a miss with a reason, each table exact or a named race', async () => {
  for (const load of ['t8', 't16', 't32', 't64', 't256', 'mix', 'lacks'])
    for (const cpus of [1, 2, 4]) {
      const p = predict(await readFtrace(traceText({ load, cpus, threads: 4, seed: 3, preempt: 0.01, shift: 0.03 }))); // biome-ignore format: one line
      const { total, exact } = p.allocations;
      expect(exact, `${load} on ${cpus}`).toBeGreaterThan(0.7 * total);
      expect(p.purges.exact).toBeGreaterThanOrEqual(0.75 * p.purges.total);
      for (const m of [...p.misses, ...p.races]) expect(m.because).not.toBe('');
      expect(p.misses.length).toBe(total - exact + p.purges.total - p.purges.exact);
      const { predicted, observed, because } = p.tables;
      const races = because.filter((b) => b.includes('one was given back'));
      expect(observed!.pte_tables_allocated - predicted.pte_tables_allocated).toBe(races.length);
      expect({ ...predicted, pte_tables_allocated: 0 }).toEqual({ ...observed, pte_tables_allocated: 0 }); // biome-ignore format: one line
    }
});

test('a worker that is overtaken while it thins and fills pools', async () => {
  const o = { load: 't4', cpus: 2, threads: 1, seed: 7, preempt: 0.02, shift: 0.03 };
  const p = predict(await readFtrace(traceText(o)));
  expect(p.allocations.exact).toBeGreaterThan(0.99 * p.allocations.total);
  expect(p.races.some((r) => r.because.includes('filling that pool'))).toBe(true);
});

test('frees on the way when a purge comes: its count says which it took', async () => {
  const o = { load: 't1h', cpus: 1, threads: 4, seed: 7, preempt: 0.02, shift: 0.03 };
  const p = predict(await readFtrace(traceText(o)));
  expect(p.purges.reordered).toBeGreaterThan(0);
  expect(p.purges.exact).toBeGreaterThan(0.9 * p.purges.total);
});

const without = (pattern: RegExp) => (text: string) =>
  text
    .split('\n')
    .filter((l) => !pattern.test(l))
    .join('\n');

test('a trace that lacks events is replayed and reported, whatever it lacks', async () => {
  const variants: Record<string, (t: string) => string> = {
    tracepoints: without(/\d: (?!alloc_vmap_area|free_vmap_area_noflush|purge_vmap_area_lazy)[^:]+: /),
    tables: without(/: (pte_alloc|pmd_)/),
    stages: without(/: (decay_node|purge_node)/),
    ends: without(/: purge_vmap_area_lazy/),
    begin: (t) => t.slice(0, 100) + t.slice(t.indexOf('\n', t.length / 2)),
    frees: (t) => t.split('\n').filter((l, i) => i % 9 !== 0 || !l.includes('noflush')).join('\n'),
  }; // biome-ignore format: a table
  for (const load of ['t8', 'mixs'])
    for (const [name, change] of Object.entries(variants)) {
      const p = predict(
        await readFtrace(change(traceText({ load, cpus: 2, threads: 2, seed: 9 }))),
      );
      expect(p.allocations.total, `${load} ${name}`).toBeGreaterThan(100);
      for (const m of p.misses) expect(m.because).not.toBe('');
      if (p.equal) expect(p.misses).toEqual([]);
    }
});
