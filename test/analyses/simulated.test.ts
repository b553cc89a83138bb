import { expect, test } from 'vitest';
import { predict } from '../../src/analyses/prediction.js';
import { sweepPoint, testSweep } from '../../src/analyses/sweep.js';
import { appendEvent } from '../../src/events/append.js';
import { memoryWriter } from '../../src/events/file.js';
import { newMeta } from '../../src/events/meta.js';
import { type Granule, geometry } from '../../src/linux/arm64/geometry.js';
import { eras } from '../../src/linux/eras.js';
import { mix } from '../../src/linux/lib/vmix.js';
import { machine, runKernel } from '../linux/machines.js';

const mixed = { slots: 24, huge: 0.3, max_small: 700, huge_pages: 512, purge_every: 0, loops: 400 };

for (const [granule, bits, era] of [
  ['4K', 39, '6.12'],
  ['4K', 52, '7.0'],
  ['16K', 36, '6.12'],
  ['16K', 47, '6.18'],
  ['64K', 42, '7.2'],
] as [Granule, number, keyof typeof eras][])
  test(`a run simulated with ${granule} pages, ${bits} bits, ${era} is predicted whole`, () => {
    const g = geometry(granule, bits);
    const m = machine({ geometry: g, era: eras[era], memory_bytes: 2 ** 42, cpus: 2 });
    const work = mix(
      { ...mixed, huge_pages: g.pmd_pages, max_small: g.pmd_pages * 1.2 },
      g.pageSize_bytes,
      5,
    );
    const meta = newMeta('run', 'run');
    meta.cpus = 2;
    const writer = memoryWriter(meta);
    const { events } = runKernel(m, work);
    events.forEach((e, i) => {
      const stamp = { ts_ns: BigInt(i) * 1000n, cpu: 0, pid: 1, task: 'mix' };
      appendEvent(writer.log, e.what, stamp, e.fields as never);
    });
    const p = predict(writer.finish(meta), { era: eras[era] });
    expect(p.misses).toEqual([]);
    expect(p.allocations.total).toBeGreaterThan(390);
    expect(p.requests.exact).toBe(p.requests.total);
    expect(p.tables.predicted).toEqual(p.tables.observed);
    expect(p.equal).toBe(true);
  });

const point = {
  kernel: '6.12',
  granule: '4K',
  cpus: 4,
  huge: 0.1,
  small: 1.2,
  purge_every: 0,
} as const;

test('a sweep: no overwrites without huge mappings, nor without anything small', () => {
  expect(sweepPoint({ ...point, huge: 0 }).overwrites).toBe(0);
  expect(sweepPoint({ ...point, huge: 1 }).overwrites).toBe(0);
  const some = sweepPoint(point);
  expect(some.overwrites).toBeGreaterThan(0);
  expect(some.overwrites).toBeLessThanOrEqual(some.huge_mappings);
  expect(sweepPoint(point)).toEqual(some);
});

test('no test of lib/test_vmalloc.c overwrites a table on a fresh machine without use_huge', () => {
  const rows = testSweep(['6.12'], { loops: 20, cpus: 1 });
  expect(rows).toHaveLength(22);
  for (const r of rows) if (!r.use_huge) expect(r.overwrites).toBe(0);
  expect(rows.find((r) => r.use_huge && r.test === 'fix_size_alloc_test')!.huge_mappings).toBe(20);
});
