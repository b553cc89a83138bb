import type { Scenario } from '../linux/scenario.js';
import type { Kernel, Place } from '../linux/step.js';
import { lock, newSystem, type System, task, walkCache } from '../linux/system.js';
import { freers, overwritesPmds, pmdEntries, tables, vmallocTask } from './parts.js';

/** A CPU's table walker, speculating: follow the walk cache, or fill it, at each of `n` entries, `moves` times. */
function* speculates(cache: Place, pmds: Place, n: number, moves: number): Kernel {
  for (let i = 0; i < moves; i++) {
    for (let j = 0; j < n; j++)
      yield { op: 'hw-walk', on: cache + j, entry: pmds + j, by: 'hardware walk' };
    yield { op: 'forget', key: `move ${i}` };
  }
}

/** Hardware walkers with walk caches instead of ptdump. Locks mean nothing to them, TLBI everything. */
export const hwWalk: Scenario = {
  name: 'hw-walk',
  about: 'pmd_free_pte_page() of F CPUs against the walk caches of W other CPUs',
  sizes: {
    walkers: { preset: 1, min: 1, max: 3, about: 'CPUs whose hardware walks the tables' },
    freers,
    tables,
    moves: { preset: 2, min: 1, max: 8, about: 'times each entry is walked' },
  },
  build(scheme, { walkers, freers: f, tables: t, moves }, variant) {
    const sys: System = newSystem(scheme, variant);
    lock(sys, 'init_mm');
    const n = f! * t!;
    const pmds = pmdEntries(sys, n);
    for (let cpu = 0; cpu < f!; cpu++)
      vmallocTask(sys, cpu, () => overwritesPmds(sys, pmds + cpu * t!, t!, cpu));
    for (let i = 0; i < walkers!; i++) {
      const first = walkCache(sys, `walk cache CPU${f! + i}, entry 0`);
      for (let j = 1; j < n; j++) walkCache(sys, `walk cache CPU${f! + i}, entry ${j}`);
      task(sys, `hardware CPU${f! + i}`, f! + i, () => speculates(first, pmds, n, moves!), true);
    }
    scheme.setUp?.(sys);
    return sys;
  },
};
