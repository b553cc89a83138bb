import { tableEntry, tableOf } from '../arm64/entry.js';
import { pageEntry, sectEntry } from '../arm64/leaf.js';
import { allocTable, freeTable, type PageTables, type Table } from '../arm64/pgtable.js';

/** How a range is to be mapped. */
export interface Mapping {
  /** Protection bits (arm64/leaf.ts protBits). */
  readonly prot: number;
  /** Largest mapping as a power of two of pages: 0 pages only, `shift[1]` PMD blocks, ... C: max_page_shift */
  readonly maxShift: number;
  /** Use contiguous groups in PTE tables (6.16 and later, huge mappings only). */
  readonly cont: boolean;
  /** Kernels with a trylock: may this table be replaced now? Absent: always. C: mmap_read_trylock(&init_mm) */
  readonly mayReplace?: (() => boolean) | undefined;
}

/**
 * Replace what hangs under entry `place` at `height` by nothing: free the PTE table, or the PMD table
 * and its PTE tables. C: pmd_free_pte_page(), pud_free_pmd_page()
 */
function freeBelow(t: PageTables, place: number, height: number): void {
  const table = tableOf(t.cells[place]!);
  t.cells[place] = 0;
  if (height === 2)
    for (let i = 0; i < t.geometry.entries; i++) {
      const entry = t.cells[table + i]!;
      if ((entry & 3) === 3) freeBelow(t, table + i, 1);
    }
  if (height === 2) t.counts.pmd_tables_freed++;
  else t.counts.pte_tables_freed++;
  freeTable(t, table);
}

/** Try to map all of entry `place` by one block. C: vmap_try_huge_pmd(), vmap_try_huge_pud() */
function vmap_try_huge(
  t: PageTables,
  place: number,
  height: number,
  page: number,
  end: number,
  pfn: number,
  how: Mapping,
): boolean {
  const shift = t.geometry.shift[height]!;
  if (how.maxShift < shift) return false;
  if (height > 2 || (height === 2 && !t.geometry.pudBlock)) return false;
  const pages = 2 ** shift;
  if (end - page !== pages) return false;
  if (Math.floor(page / pages) * pages !== page || pfn % pages !== 0) return false;
  if (t.cells[place] !== 0) {
    if (how.mayReplace && !how.mayReplace()) return false;
    freeBelow(t, place, height);
  }
  t.cells[place] = sectEntry(pfn, how.prot);
  if (height === 2) t.counts.huge_set_pud++;
  else t.counts.huge_set_pmd++;
  return true;
}

/** Fill `n` PTEs of a PTE table from place `at` on. C: vmap_pte_range() */
function vmap_pte_range(
  t: PageTables,
  at: number,
  n: number,
  page: number,
  pfn: number,
  how: Mapping,
): void {
  const { cells } = t;
  const first = pageEntry(pfn, how.prot);
  const step = pageEntry(1, 0) - pageEntry(0, 0);
  for (let i = 0; i < n; i++) {
    if (cells[at + i] !== 0) throw new Error(`page ${page + i} is mapped already: EBUSY`);
    cells[at + i] = first + i * step;
  }
  if (how.cont) setCont(t, at, n, page, pfn, how.prot);
}

/** Give whole aligned groups the contiguous hint. C: arch_vmap_pte_range_map_size() */
function setCont(
  t: PageTables,
  at: number,
  n: number,
  page: number,
  pfn: number,
  prot: number,
): void {
  const group = t.geometry.contPte_pages;
  const skip = Math.ceil(page / group) * group - page;
  if ((pfn + skip) % group !== 0) return;
  for (let i = skip; i + group <= n; i += group)
    for (let k = i; k < i + group; k++) t.cells[at + k] = pageEntry(pfn + k, prot, true);
}

/**
 * Map [page, end) to frames from `pfn` on, below the table at `height`; missing tables are allocated.
 * C: vmap_p4d_range() and so on down, vmap_range_noflush()
 */
function mapBelow(
  t: PageTables,
  table: Table,
  height: number,
  page: number,
  end: number,
  pfn: number,
  how: Mapping,
): void {
  const { shift, entries, topEntries, levels } = t.geometry;
  const n = height === levels - 1 ? topEntries : entries;
  const span = 2 ** shift[height]!;
  while (page < end) {
    const index = Math.floor(page / span);
    const next = Math.min(end, (index + 1) * span);
    const place = table + (index - Math.floor(index / n) * n);
    if (!vmap_try_huge(t, place, height, page, next, pfn, how)) {
      let entry = t.cells[place]!;
      if (entry === 0) {
        entry = tableEntry(allocTable(t, height - 1, index * span));
        t.cells[place] = entry;
        if (height === 1) t.counts.pte_tables_allocated++;
      }
      const below = tableOf(entry);
      if (height > 1) mapBelow(t, below, height - 1, page, next, pfn, how);
      else {
        t.lastSlot = index;
        t.lastTable = below;
        vmap_pte_range(t, below + (page - index * span), next - page, page, pfn, how);
      }
    }
    pfn += next - page;
    page = next;
  }
}

/** Place of the PTE of `page` if [page, page + pages) lies in the PTE table used last, else 0. */
function inLastTable(t: PageTables, page: number, pages: number): number {
  const block = t.geometry.pmd_pages;
  const at = page - t.lastSlot * block;
  return at >= 0 && at + pages <= block ? t.lastTable + at : 0;
}

/** Map [page, page + pages) to the frames from `pfn` on. C: vmap_range_noflush() */
export function vmap_range_noflush(
  t: PageTables,
  page: number,
  pages: number,
  pfn: number,
  how: Mapping,
): void {
  const at = how.maxShift < t.geometry.shift[1]! ? inLastTable(t, page, pages) : 0;
  if (at > 0) vmap_pte_range(t, at, pages, page, pfn, how);
  else mapBelow(t, t.root, t.geometry.levels - 1, page, page + pages, pfn, how);
}

function unmapBelow(t: PageTables, table: Table, height: number, page: number, end: number): void {
  const { shift, entries, topEntries, levels } = t.geometry;
  const n = height === levels - 1 ? topEntries : entries;
  const span = 2 ** shift[height]!;
  while (page < end) {
    const index = Math.floor(page / span);
    const next = Math.min(end, (index + 1) * span);
    const place = table + (index - Math.floor(index / n) * n);
    const entry = t.cells[place]!;
    if ((entry & 3) === 3 && height > 1) unmapBelow(t, tableOf(entry), height - 1, page, next);
    else if ((entry & 3) === 3) {
      t.lastSlot = index;
      t.lastTable = tableOf(entry);
      const first = t.lastTable + (page - index * span);
      t.cells.fill(0, first, first + (next - page));
    } else if (entry !== 0) {
      t.cells[place] = 0;
      if (height === 2) t.counts.huge_cleared_pud++;
      else t.counts.huge_cleared_pmd++;
    }
    page = next;
  }
}

/** Clear what maps [page, page + pages). Frees no table. C: vunmap_range_noflush() */
export function vunmap_range_noflush(t: PageTables, page: number, pages: number): void {
  const at = inLastTable(t, page, pages);
  if (at > 0) {
    t.cells.fill(0, at, at + pages);
    return;
  }
  unmapBelow(t, t.root, t.geometry.levels - 1, page, page + pages);
}
