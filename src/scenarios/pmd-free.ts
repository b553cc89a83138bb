import type { Scenario } from '../linux/scenario.js';
import { dumpTask, freers, overwritesPmds, pmdFreers, readers, tables, walks } from './parts.js'; // biome-ignore format: one line

/** vmalloc maps 2M blocks over PTE tables of old objects while ptdump walks: pmd_free_pte_page() against the walk. */
export const pmdFree: Scenario = {
  name: 'pmd-free',
  about: 'pmd_free_pte_page() of F CPUs against R dumps',
  sizes: { readers, freers, tables, walks },
  build(scheme, sizes, variant) {
    const { readers: r, freers: f, walks: w } = sizes;
    const { sys, pmds, shape } = pmdFreers(scheme, sizes, variant, overwritesPmds);
    for (let i = 0; i < r!; i++) dumpTask(sys, `ptdump ${i}`, f! + i, pmds, shape, w!);
    scheme.setUp?.(sys);
    return sys;
  },
};
