import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geometry } from '../../src/linux/arm64/geometry.js';
import { type TableCounts, tableCounts } from '../../src/linux/arm64/pgtable.js';
import { eras } from '../../src/linux/eras.js';
import { runFast } from '../../src/linux/lib/workload.js';
import { bootMachine } from '../../src/linux/mm/machine.js';
import { actions, eraNames, machine, program, runKernel } from './machines.js';

/** Table counts from the events of modelled kernel code. */
function countsOf(events: readonly { what: string }[]): TableCounts {
  const names: Record<string, keyof TableCounts> = {
    pte_alloc_kernel: 'pte_tables_allocated',
    pmd_free_pte_page: 'pte_tables_freed',
    pud_free_pmd_page: 'pmd_tables_freed',
    pmd_set_huge: 'huge_set_pmd',
    pud_set_huge: 'huge_set_pud',
    pmd_clear_huge: 'huge_cleared_pmd',
    pud_clear_huge: 'huge_cleared_pud',
  };
  const counts = tableCounts();
  for (const e of events) if (names[e.what]) counts[names[e.what]!]++;
  return counts;
}

test('plain functions and modelled kernel code agree in every address, table and purge', () => {
  const machines = fc.record({
    cpus: fc.constantFrom(1, 2, 4),
    era: fc.constantFrom(...eraNames).map((n) => eras[n]),
    fragmentation: fc.constantFrom(0, 0.3),
    cache_bytes: fc.constantFrom(0, 2 ** 36 - 2 ** 22),
    kmalloc_max_bytes: fc.constantFrom(2 ** 14, 2 ** 22),
    granule: fc.constantFrom(['4K', 48], ['4K', 39], ['16K', 47], ['64K', 42]) as fc.Arbitrary<
      ['4K', number]
    >,
  });
  fc.assert(
    fc.property(machines, actions(60), ({ granule, ...over }, list) => {
      const m = machine({ ...over, geometry: geometry(...granule) });
      const page = m.geometry.pageSize_bytes;
      const v = bootMachine(m);
      const addresses = runFast(v, program(list, page));
      const slow = runKernel(m, program(list, page));
      expect(slow.result).toEqual(addresses);
      expect(countsOf(slow.events)).toEqual(v.tables.counts);
      const purges = slow.events.filter((e) => e.what === 'purge_vmap_area_lazy').length;
      expect(purges).toBe(v.purges);
      expect(slow.vm.space.lazy_nr).toBe(v.space.lazy_nr);
      const { takes, split_pages, reclaimed_pages, free_pages } = v.frames;
      expect(slow.vm.frames).toMatchObject({ takes, split_pages, reclaimed_pages, free_pages });
    }),
    { numRuns: 60 },
  );
});
