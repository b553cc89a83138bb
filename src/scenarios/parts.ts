// What several scenarios lay out: init_mm's tables, CPUs that overwrite them, tasks that dump them.
import { blockEntry, tableEntry } from '../linux/arm64/entry.js';
import { WRITE_ONCE } from '../linux/memory.js';
import { vmap_try_huge_pmd, vmap_try_huge_pud } from '../linux/mm/overwrite.js';
import type { Shape } from '../linux/mm/pagewalk.js';
import { ptdump_walk } from '../linux/mm/ptdump-walk.js';
import type { Scenario, Size } from '../linux/scenario.js';
import type { Scheme } from '../linux/scheme.js';
import type { Kernel, Place } from '../linux/step.js';
import { lock, newSystem, place, region, type System, table, task } from '../linux/system.js';

/** What every freed table had in it; nobody looks, but a word has to be something. */
const EMPTY = 0;

export const readers: Size = { preset: 1, min: 0, max: 4, about: 'tasks that dump the tables' };
export const freers: Size = { preset: 1, min: 1, max: 4, about: 'CPUs that overwrite tables' };
export const tables: Size = { preset: 1, min: 1, max: 8, about: 'tables each CPU overwrites' };
export const walks: Size = { preset: 1, min: 1, max: 8, about: 'dumps each reader makes' };

/** A PTE table of one entry, hooked under `entry`. */
function pteTable(sys: System, name: string, entry: Place): void {
  const pte = table(sys, name, 1);
  sys.cells[pte] = EMPTY;
  sys.cells[entry] = tableEntry(pte);
}

/** `n` PMD entries in a table that is never freed, each with a PTE table. */
export function pmdEntries(sys: System, n: number): Place {
  const pmds = region(sys, 'pmd', n, 'entries');
  for (let i = 0; i < n; i++) pteTable(sys, `pte table ${i}`, pmds + i);
  return pmds;
}

/** `n` PUD entries, each with a PMD table of `entries` entries, each with a PTE table. */
export function pudEntries(sys: System, n: number, entries: number): Place {
  const puds = region(sys, 'pud', n, 'entries');
  for (let i = 0; i < n; i++) {
    const pmds = table(sys, n === 1 ? 'pmd table' : `pmd table ${i}`, entries);
    sys.cells[puds + i] = tableEntry(pmds);
    for (let j = 0; j < entries; j++) pteTable(sys, `pte table ${i * entries + j}`, pmds + j);
  }
  return puds;
}

/** A CPU whose vmalloc maps blocks over PMD entries; a refused one is mapped in the table that is there. */
export function* overwritesPmds(sys: System, first: Place, n: number, cpu: number): Kernel {
  for (let pmdp = first; pmdp < first + n; pmdp++) {
    const set = yield* vmap_try_huge_pmd(sys, pmdp, blockEntry(pmdp), cpu);
    const pte = place(sys, `pte table ${pmdp - place(sys, 'pmd')}`);
    if (!set) yield* WRITE_ONCE(pte, 1, { addr: pmdp });
    yield { op: 'forget', key: `overwrote ${pmdp}` };
  }
}

/** A CPU whose ioremap maps a block over one PUD entry. */
export function* overwritesPud(sys: System, pudp: Place, entries: number, cpu: number): Kernel {
  yield* vmap_try_huge_pud(sys, pudp, entries, blockEntry(pudp), cpu);
}

/** Add a CPU that overwrites; it executes patched text. */
export function vmallocTask(sys: System, cpu: number, run: () => Kernel): void {
  sys.textCpus.push(cpu);
  task(sys, `vmalloc CPU${cpu}`, cpu, run);
}

/** Add a task that dumps the tables below `top` `n` times. */
export function dumpTask(
  sys: System,
  name: string,
  cpu: number,
  top: Place,
  shape: Shape,
  n: number,
): void {
  // biome-ignore format: short
  task(sys, name, cpu, function* () {
    for (let i = 0; i < n; i++) yield* ptdump_walk(sys, top, shape, cpu, i);
  });
}

/** What a CPU runs over its `n` PMD entries from `first` on. */
type Overwriter = (sys: System, first: Place, n: number, cpu: number) => Kernel;

/** The system in which F CPUs each run `overwrite` on T tables of their own, and how a dump walks it. */
export function pmdFreers(
  scheme: Scheme,
  { freers: f, tables: t }: Readonly<Record<string, number>>,
  variant: Parameters<Scenario['build']>[2],
  overwrite: Overwriter,
): { sys: System; pmds: Place; shape: Shape } {
  const sys = newSystem(scheme, variant);
  lock(sys, 'init_mm');
  const entries = f! * t!;
  const pmds = pmdEntries(sys, entries);
  for (let cpu = 0; cpu < f!; cpu++)
    vmallocTask(sys, cpu, () => overwrite(sys, pmds + cpu * t!, t!, cpu));
  return { sys, pmds, shape: { top: entries, pmds: 0, ptes: 1 } };
}
