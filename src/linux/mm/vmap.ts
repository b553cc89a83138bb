// Mapping and unmapping of vmalloc ranges, step by step. C: mm/vmalloc.c vmap_range_noflush(), vunmap_range_noflush(),
// mm/memory.c __pte_alloc_kernel(), __pmd_alloc() (6.12). Left out: contiguous groups are set like single entries.
import { pmd_none, pmd_table, tableEntry, tableOf } from '../arm64/entry.js';
import { pageEntry, sectEntry } from '../arm64/leaf.js';
import { pmd_clear_huge, set_pmd } from '../arm64/mmu.js';
import { spin_lock, spin_unlock } from '../lock.js';
import { fence, READ_ONCE } from '../memory.js';
import { alloc_table, might_sleep, trace, work } from '../sched.js';
import { flat } from '../step/flat.js';
import type { Kernel, Place } from '../step.js';
import { vmap_try_huge_pmd, vmap_try_huge_pud } from './overwrite.js';
import { entryAddress, type VmallocState, va } from './vmalloc-state.js';

/** What a mapping is made of. */
export interface How {
  readonly prot: number;
  /** Largest unit as a power of two of pages. C: max_page_shift - PAGE_SHIFT */
  readonly maxShift: number;
  readonly cpu: number;
  /** Page tables come with GFP_KERNEL, whatever the caller asked for; false: PF_MEMALLOC scope (6.19). */
  readonly tablesMaySleep?: boolean;
  /** Leave out the might_sleep() of the path for blocks: what if it were allowed everywhere? */
  readonly quiet?: boolean;
}

const NAMES = ['pte_alloc_kernel', 'pmd_alloc', 'pud_alloc'];

/** The table under `entry` at `height`, allocated if there is none. C: pte_alloc_kernel_track() and so on */
function* alloc_track(
  vm: VmallocState,
  table: Place,
  i: number,
  height: number,
  address: number,
  maySleep: boolean,
): Kernel<Place> {
  const entry = table + i;
  const old = yield* READ_ONCE(entry);
  if (!pmd_none(old)) return tableOf(old);
  const what = NAMES[height - 1];
  if (what !== undefined) {
    const at = { entry_at: entryAddress(table, i) };
    yield* trace(what, height === 1 ? at : { ...at, va: address });
  }
  if (maySleep) yield { op: 'might-sleep', by: 'might_alloc' };
  const fresh = yield* alloc_table(vm.geometry.entries);
  yield* spin_lock(vm.locks.page_table_lock);
  const now = yield* READ_ONCE(entry);
  if (pmd_none(now)) {
    yield* fence('dmb ishst', 'smp_wmb');
    yield* set_pmd(vm.sys, entry, tableEntry(fresh));
  }
  yield* spin_unlock(vm.locks.page_table_lock);
  if (pmd_none(now)) return fresh;
  yield { op: 'free', on: fresh, by: 'pte_free_kernel' };
  return tableOf(now);
}

/** Try a block at entry `i` of the table at `height`: 1 if it is set. C: vmap_try_huge_pmd(), _pud() */
function* tryHuge(
  vm: VmallocState,
  table: Place,
  i: number,
  height: number,
  page: number,
  end: number,
  pfn: number,
  how: How,
): Kernel<0 | 1> {
  const { geometry: g, sys } = vm;
  const shift = g.shift[height]!;
  if (how.maxShift < shift || height > 2 || (height === 2 && !g.pudBlock)) return 0;
  const pages = 2 ** shift;
  if (end - page !== pages || page % pages !== 0 || pfn % pages !== 0) return 0;
  const block = sectEntry(pfn, how.prot);
  const probes = freeProbes(tablesBelow(vm, table, i, height, page));
  const entry_at = entryAddress(table, i);
  const set =
    height === 2
      ? yield* vmap_try_huge_pud(sys, table + i, g.entries, block, how.cpu, probes)
      : yield* vmap_try_huge_pmd(sys, table + i, block, how.cpu, probes);
  if (set === 0) return 0;
  const phys = pfn * g.pageSize_bytes;
  yield* trace(height === 2 ? 'pud_set_huge' : 'pmd_set_huge', { entry_at, phys, entry: 0 });
  return 1;
}

/** An event of a probe that an overwrite will fire. */
interface Fired {
  readonly what: string;
  readonly fields: Readonly<Record<string, number | bigint>>;
}

/** The probes at the begin of a free that is not refused. */
function* freeProbes(fired: readonly Fired[]): Kernel {
  for (const f of fired) yield* trace(f.what, f.fields);
}

/** The events that freeing what hangs under entry `i` of `table` gives, in the kernel's order. Pure. */
function tablesBelow(
  vm: VmallocState,
  table: Place,
  i: number,
  height: number,
  page: number,
): Fired[] {
  const { cells } = vm.sys;
  const entry = cells[table + i]!;
  if (!pmd_table(entry)) return [];
  const fields = { entry_at: entryAddress(table, i), va: va(vm, page), entry: 3 };
  if (height === 1) return [{ what: 'pmd_free_pte_page', fields }];
  const out: Fired[] = [{ what: 'pud_free_pmd_page', fields }];
  const { entries, pmd_pages } = vm.geometry;
  for (let k = 0; k < entries; k++)
    out.push(...tablesBelow(vm, tableOf(entry), k, 1, page + k * pmd_pages));
  return out;
}

/** Fill PTEs. One step of `n` stores: the caller owns the range, nobody else writes there. C: vmap_pte_range() */
function* vmap_pte_range(
  vm: VmallocState,
  first: Place,
  n: number,
  pfn: number,
  prot: number,
): Kernel {
  yield* work('set_pte_at', n);
  for (let i = 0; i < n; i++) vm.sys.cells[first + i] = pageEntry(pfn + i, prot);
  yield* fence('dsb ishst', 'set_pte_at');
  yield* fence('isb', 'set_pte_at');
}

/** Map [page, end) below the table at `height`. C: vmap_p4d_range() and so on down */
function* mapBelow(
  vm: VmallocState,
  table: Place,
  height: number,
  page: number,
  end: number,
  pfn: number,
  how: How,
): Kernel {
  const { shift, entries, topEntries, levels } = vm.geometry;
  const n = height === levels - 1 ? topEntries : entries;
  const span = 2 ** shift[height]!;
  while (page < end) {
    const index = Math.floor(page / span);
    const next = Math.min(end, (index + 1) * span);
    const i = index % n;
    if ((yield* tryHuge(vm, table, i, height, page, next, pfn, how)) === 0) {
      const address = va(vm, page);
      const below = yield* alloc_track(vm, table, i, height, address, how.tablesMaySleep ?? true);
      if (height > 1) yield* mapBelow(vm, below, height - 1, page, next, pfn, how);
      else yield* vmap_pte_range(vm, below + (page - index * span), next - page, pfn, how.prot);
    }
    pfn += next - page;
    page = next;
  }
}

/** Map [page, page + pages) to the frames from `pfn` on; with units above a page it may sleep. C: vmap_range_noflush() */
export function* vmap_range_noflush(
  vm: VmallocState,
  page: number,
  pages: number,
  pfn: number,
  how: How,
): Kernel {
  if (how.maxShift > 0 && !how.quiet) yield* might_sleep('vmap_range_noflush');
  yield* mapBelow(vm, vm.top, vm.geometry.levels - 1, page, page + pages, pfn, how);
}

function* unmapBelow(
  vm: VmallocState,
  table: Place,
  height: number,
  page: number,
  end: number,
): Kernel {
  const { shift, entries, topEntries, levels } = vm.geometry;
  const n = height === levels - 1 ? topEntries : entries;
  const span = 2 ** shift[height]!;
  while (page < end) {
    const index = Math.floor(page / span);
    const next = Math.min(end, (index + 1) * span);
    const entry = table + (index % n);
    const value = yield* READ_ONCE(entry);
    if (height <= 2 && (yield* pmd_clear_huge(vm.sys, entry)) === 1) {
      const what = height === 2 ? 'pud_clear_huge' : 'pmd_clear_huge';
      yield* trace(what, { entry_at: entryAddress(table, index % n), entry: 1 });
    } else if (pmd_table(value) && height > 1)
      yield* unmapBelow(vm, tableOf(value), height - 1, page, next);
    else if (pmd_table(value)) {
      yield* work('ptep_get_and_clear', next - page);
      const first = tableOf(value) + (page - index * span);
      vm.sys.cells.fill(0, first, first + (next - page));
    }
    page = next;
  }
}

/** Clear what maps [page, page + pages). No table is freed, no TLB flushed. C: vunmap_range_noflush() */
export function* vunmap_range_noflush(vm: VmallocState, page: number, pages: number): Kernel {
  yield* unmapBelow(vm, vm.top, vm.geometry.levels - 1, page, page + pages);
}

flat(alloc_track, vmap_pte_range, mapBelow, unmapBelow);
