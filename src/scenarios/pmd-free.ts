import type { Scenario } from '../linux/scenario.js';
import { lock, newSystem } from '../linux/system.js';
import { dumpTask, freers, overwritesPmds, pmdEntries, readers, tables, vmallocTask, walks } from './parts.js'; // biome-ignore format: one line

/** vmalloc maps 2M blocks over PTE tables of old objects while ptdump walks: pmd_free_pte_page() against the walk. */
export const pmdFree: Scenario = {
  name: 'pmd-free',
  about: 'pmd_free_pte_page() of F CPUs against R dumps',
  sizes: { readers, freers, tables, walks },
  build(scheme, { readers: r, freers: f, tables: t, walks: w }, variant) {
    const sys = newSystem(scheme, variant);
    lock(sys, 'init_mm');
    const entries = f! * t!;
    const pmds = pmdEntries(sys, entries);
    for (let cpu = 0; cpu < f!; cpu++)
      vmallocTask(sys, cpu, () => overwritesPmds(sys, pmds + cpu * t!, t!, cpu));
    const shape = { top: entries, pmds: 0, ptes: 1 };
    for (let i = 0; i < r!; i++) dumpTask(sys, `ptdump ${i}`, f! + i, pmds, shape, w!);
    scheme.setUp?.(sys);
    return sys;
  },
};
