// How often vmalloc overwrites page tables, as a function of what is asked of it and of the machine.
import { type Granule, geometry } from '../linux/arm64/geometry.js';
import { type EraName, eras } from '../linux/eras.js';
import { defaultParameters, tests, worker } from '../linux/lib/test-vmalloc.js';
import { type Mix, mix } from '../linux/lib/vmix.js';
import { runFast } from '../linux/lib/workload.js';
import { bootMachine } from '../linux/mm/machine.js';

/** One point of a sweep: machine and mix. */
export interface SweepPoint {
  readonly kernel: EraName;
  readonly granule: Granule;
  readonly cpus: number;
  /** Share of allocations that may be mapped by blocks, 0 to 1. */
  readonly huge: number;
  /** Largest page-mapped size, as a part of a block. */
  readonly small: number;
  /** Purge after so many steps; 0: only when vmalloc itself does. */
  readonly purge_every: number;
}

/** What came out; the columns of the sweep's table. */
export interface SweepRow extends SweepPoint {
  readonly allocations: number;
  readonly huge_mappings: number;
  readonly overwrites: number;
  readonly per_1000_allocations: number;
  /** NaN where nothing was mapped by blocks. */
  readonly per_1000_huge: number;
  readonly purges: number;
  /** PTE tables that map nothing in the end: what a later huge mapping may overwrite. */
  readonly tables_left: number;
}

/** Axes of a sweep: every combination is a point. */
export type SweepAxes = { readonly [K in keyof SweepPoint]: readonly SweepPoint[K][] };

/** A sweep that answers quickly: what makes overwrites frequent. */
export const defaultAxes: SweepAxes = {
  kernel: ['6.12', '7.0'],
  granule: ['4K', '16K', '64K'],
  cpus: [1, 4],
  huge: [0, 0.01, 0.1, 0.5, 1],
  small: [0.1, 1.2],
  purge_every: [0, 10],
};

const VA_BITS: Record<Granule, number> = { '4K': 48, '16K': 47, '64K': 42 };

/** Run one point: `loops` steps of the mix over `slots` areas. The same seed gives the same row. */
export function sweepPoint(
  p: SweepPoint,
  { loops = 2000, slots = 32, seed = 0 as number | string } = {},
): SweepRow {
  const g = geometry(p.granule, VA_BITS[p.granule]);
  const v = bootMachine({
    geometry: g,
    era: eras[p.kernel],
    cpus: p.cpus,
    image_pages: (11 * 2 ** 20) / g.pageSize_bytes,
    memory_bytes: 2 ** 42,
  });
  const m: Mix = {
    slots,
    loops,
    huge: p.huge,
    max_small: Math.max(1, Math.floor(p.small * g.pmd_pages)),
    huge_pages: g.pmd_pages,
    purge_every: p.purge_every,
  };
  runFast(v, mix(m, g.pageSize_bytes, seed));
  const { huge_set_pmd: huge, pte_tables_freed: overwrites } = v.tables.counts;
  return {
    ...p,
    allocations: v.allocations,
    huge_mappings: huge,
    overwrites,
    per_1000_allocations: (1000 * overwrites) / v.allocations,
    per_1000_huge: huge === 0 ? Number.NaN : (1000 * overwrites) / huge,
    purges: v.purges,
    tables_left: [...v.tables.info.values()].filter((t) => t.height === 0).length,
  };
}

/** Every combination of the axes. */
export function* sweepPoints(axes: SweepAxes = defaultAxes): Generator<SweepPoint> {
  for (const kernel of axes.kernel)
    for (const granule of axes.granule)
      for (const cpus of axes.cpus)
        for (const huge of axes.huge)
          for (const small of axes.small)
            for (const purge_every of axes.purge_every)
              yield { kernel, granule, cpus, huge, small, purge_every };
}

/** The table of a sweep: one row a combination. */
export const sweep = (
  axes: SweepAxes = defaultAxes,
  options: Parameters<typeof sweepPoint>[1] = {},
): SweepRow[] => [...sweepPoints(axes)].map((p) => sweepPoint(p, options));

/** One row of `testSweep`: what a test of lib/test_vmalloc.c overwrites. */
export interface TestRow {
  readonly kernel: EraName;
  readonly test: string;
  readonly use_huge: boolean;
  readonly allocations: number;
  readonly huge_mappings: number;
  readonly overwrites: number;
}

/**
 * Every test of lib/test_vmalloc.c, each on a machine of its own at boot, with 512 pages for the tests
 * that take nr_pages: as it is, and with use_huge.
 */
export function testSweep(
  kernels: readonly EraName[] = ['6.12', '7.0'],
  { loops = 500, cpus = 4, seed = 0 as number | string } = {},
): TestRow[] {
  const rows: TestRow[] = [];
  for (const kernel of kernels) {
    const era = eras[kernel];
    const list = tests(era.tests);
    for (const use_huge of [false, true])
      list.forEach((test, i) => {
        const g = geometry();
        const v = bootMachine({ geometry: g, era, cpus, image_pages: 2816 });
        const p = {
          ...defaultParameters(era.tests),
          run_test_mask: 2 ** i,
          test_loop_count: loops,
          nr_pages: 512,
          use_huge,
        };
        runFast(v, worker(era.tests, p, { geometry: g, onlineCpus: cpus }, seed));
        const { huge_set_pmd, pte_tables_freed } = v.tables.counts;
        rows.push({
          kernel,
          test: test.name,
          use_huge,
          allocations: v.allocations,
          huge_mappings: huge_set_pmd,
          overwrites: pte_tables_freed,
        });
      });
  }
  return rows;
}
