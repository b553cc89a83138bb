import type { Scenario } from '../linux/scenario.js';
import { lock, newSystem } from '../linux/system.js';
import {
  dumpTask,
  freers,
  overwritesPud,
  pudEntries,
  readers,
  vmallocTask,
  walks,
} from './parts.js';

/** ioremap maps a 1G block over a PMD table and its PTE tables: pud_free_pmd_page() with its loop against the walk. */
export const pudFree: Scenario = {
  name: 'pud-free',
  about: 'pud_free_pmd_page() of F CPUs against R dumps; entries 512 is the real size',
  sizes: {
    readers,
    freers,
    entries: { preset: 4, min: 1, max: 512, about: 'entries of a PMD table' },
    walks,
  },
  build(scheme, { readers: r, freers: f, entries: e, walks: w }, variant) {
    const sys = newSystem(scheme, variant);
    lock(sys, 'init_mm');
    const puds = pudEntries(sys, f!, e!);
    for (let cpu = 0; cpu < f!; cpu++)
      vmallocTask(sys, cpu, () => overwritesPud(sys, puds + cpu, e!, cpu));
    const shape = { top: f!, pmds: e!, ptes: 1 };
    for (let i = 0; i < r!; i++) dumpTask(sys, `ptdump ${i}`, f! + i, puds, shape, w!);
    scheme.setUp?.(sys);
    return sys;
  },
};
