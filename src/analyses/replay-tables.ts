import { PAGE_KERNEL, PROT_DEVICE, protBits } from '../linux/arm64/leaf.js';
import {
  entryPlace,
  type PageTables,
  type TableCounts,
  tableCounts,
} from '../linux/arm64/pgtable.js';
import { vmap_range_noflush, vunmap_range_noflush } from '../linux/mm/vmap-range.js';
import { type AllocOp, type TableOp, threadOf, VM_ALLOW_HUGE_VMAP } from './vmalloc-op.js';

/** A PTE table that the model installed and the trace should show. */
export interface Expected {
  readonly slot: number;
  readonly op: AllocOp;
  /** Installed after the first probe fired. */
  readonly counted: boolean;
}

/** Page tables of a replay, and how what the trace shows of them compares. */
export interface TableReplay {
  readonly tables: PageTables;
  /** Model's counts when the first probe fired; subtracted in the end. */
  base: TableCounts;
  readonly observed: TableCounts;
  /** Installed by the model, not seen yet; by thread and place in the table of PMD entries. */
  readonly expected: Map<string, Expected[]>;
  /** PMD-size slot of entry 0 of each table of PMD entries that is known. */
  readonly pmdTables: Map<number, number>;
  /** Mappings that no vmalloc event announces (PCI I/O, per-CPU memory, vm_map_ram), known by their table only. */
  untraced: number;
  /** Of these: where in the address space is unknown. */
  unplaced: number;
  /** PTE tables the model freed below PUD entries, and those the probes showed. */
  freedBelowPud: number;
  seenBelowPud: number;
  /** Is pud_free_pmd_page() under way? */
  belowPud: boolean;
  /** Installed by the model before the first probe, seen after it. */
  late: number;
  /** The last event that installed a table, by PMD-size slot. */
  readonly installers: Map<number, TableOp>;
  /** Seen, but the model has a table there; with the event that installed it, where there is one. */
  readonly surplus: {
    readonly op: TableOp;
    readonly slot: number;
    readonly before: TableOp | undefined;
  }[];
}

export const tableReplay = (tables: PageTables): TableReplay => ({
  tables,
  base: tableCounts(),
  observed: tableCounts(),
  expected: new Map(),
  pmdTables: new Map(),
  untraced: 0,
  unplaced: 0,
  belowPud: false,
  freedBelowPud: 0,
  seenBelowPud: 0,
  late: 0,
  installers: new Map(),
  surplus: [],
});

const KERNEL = protBits(PAGE_KERNEL);
const DEVICE = protBits(PROT_DEVICE);
/** Most pages of a vm_map_ram() block. */
const VMAP_BBMAP_BITS_MAX = 1024;

/** How the area of an allocation gets mapped. */
export type How = 'pages' | 'blocks' | 'ioremap' | 'untraced';

/** Does the size say "whole blocks and a guard page"? */
const wholeBlocks = (op: AllocOp, block: number): boolean =>
  op.align >= block && op.size > block && op.size % block === 1;

/** How the area of `op` is mapped, by its call, else by its size and alignment. */
export function howMapped(t: PageTables, op: AllocOp): How {
  const block = t.geometry.pmd_pages;
  if (op.request)
    return (op.request.flags & VM_ALLOW_HUGE_VMAP) !== 0 && wholeBlocks(op, block)
      ? 'blocks'
      : 'pages';
  if (!Number.isNaN(op.phys)) return 'ioremap';
  const vmapBlock = op.size === op.align && op.size >= block && op.size <= VMAP_BBMAP_BITS_MAX;
  if (vmapBlock) return op.probed ? 'untraced' : 'pages';
  return !op.probed && wholeBlocks(op, block) ? 'blocks' : 'pages';
}

const hasTable = (t: PageTables, slot: number): boolean => {
  const place = entryPlace(t, slot * t.geometry.pmd_pages, 1);
  return place !== 0 && t.cells[place]! % 4 === 3;
};

/** After lost events the model may have something mapped there: it goes, without a count. */
function clearLeftovers(t: PageTables, at: number, pages: number): void {
  const { huge_cleared_pmd, huge_cleared_pud } = t.counts;
  vunmap_range_noflush(t, at, pages);
  Object.assign(t.counts, { huge_cleared_pmd, huge_cleared_pud });
}

/** Map the area `op` got at `at`; gives the pages mapped. `counted`: are the probes on? */
export function mapArea(r: TableReplay, op: AllocOp, at: number, counted: boolean): number {
  const t = r.tables;
  const how = howMapped(t, op);
  if (op.abandoned || how === 'untraced') return 0;
  const pages = op.size - op.guard;
  const block = t.geometry.pmd_pages;
  clearLeftovers(t, at, pages);
  const missing: number[] = [];
  for (let s = Math.floor(at / block); s * block < at + pages; s++)
    if (!hasTable(t, s)) missing.push(s);
  // Frames are not in a trace: one with the alignment of the address, so that blocks fit.
  const frame = at % 2 ** t.geometry.shift[2]!;
  const answers = [...op.trylocks];
  const before = { ...t.counts };
  vmap_range_noflush(
    t,
    at,
    pages,
    how === 'ioremap' ? op.phys : how === 'blocks' ? frame : frame + 1,
    {
      prot: how === 'ioremap' ? DEVICE : KERNEL,
      maxShift: how === 'pages' ? 0 : how === 'blocks' ? t.geometry.shift[1]! : 52,
      cont: false,
      mayReplace: answers.length > 0 ? () => answers.shift() ?? true : undefined,
    },
  );
  if (t.counts.pmd_tables_freed > before.pmd_tables_freed)
    r.freedBelowPud += t.counts.pte_tables_freed - before.pte_tables_freed;
  for (const slot of missing) if (hasTable(t, slot)) expect(r, slot, op, counted);
  return pages;
}

const keyOf = (thread: number, index: number): string => `${thread} ${index}`;

function expect(r: TableReplay, slot: number, op: AllocOp, counted: boolean): void {
  const key = keyOf(threadOf(op), slot % r.tables.geometry.entries);
  const list = r.expected.get(key);
  const entry = { slot, op, counted };
  if (list) list.push(entry);
  else r.expected.set(key, [entry]);
}

/** Unmap what `mapArea` mapped. */
export const unmapArea = (r: TableReplay, at: number, pages: number): void =>
  vunmap_range_noflush(r.tables, at, pages);

/** A table at `slot` was expected of another task, which came second: this is it. */
function insteadOf(r: TableReplay, slot: number): boolean {
  for (const list of r.expected.values()) {
    const at = list.findIndex((e) => e.slot === slot);
    if (at < 0) continue;
    const [seen] = list.splice(at, 1);
    if (!seen!.counted) r.late++;
    return true;
  }
  return false;
}

/** A PTE table was installed, says the trace: by a mapping the model knows, or by one nobody announced. */
function installed(r: TableReplay, op: TableOp): void {
  const list = r.expected.get(keyOf(threadOf(op), op.index));
  const base = r.pmdTables.get(op.table);
  const at = list?.findIndex((e) => base === undefined || e.slot === base + op.index) ?? -1;
  if (list && at >= 0) {
    const [seen] = list.splice(at, 1);
    if (!seen!.counted) r.late++;
    r.pmdTables.set(op.table, seen!.slot - op.index);
    r.installers.set(seen!.slot, op);
    return;
  }
  if (base !== undefined) {
    const slot = base + op.index;
    if (hasTable(r.tables, slot)) {
      if (!insteadOf(r, slot)) r.surplus.push({ op, slot, before: r.installers.get(slot) });
      r.installers.set(slot, op);
      return;
    }
    r.installers.set(slot, op);
    const block = r.tables.geometry.pmd_pages;
    const page = slot * block;
    clearLeftovers(r.tables, page, block);
    vmap_range_noflush(r.tables, page, 1, page + 1, { prot: KERNEL, maxShift: 0, cont: false });
    vunmap_range_noflush(r.tables, page, 1);
  } else r.unplaced++;
  r.untraced++;
}

/** Take a probed change of page tables into account. */
export function seeTable(r: TableReplay, op: TableOp): void {
  const o = r.observed;
  if (op.event === 'pte_alloc_kernel') {
    o.pte_tables_allocated++;
    installed(r, op);
  } else if (op.event === 'pmd_set_huge') o.huge_set_pmd++;
  else if (op.event === 'pud_set_huge') o.huge_set_pud++;
  else if (op.event === 'pmd_free_pte_page' && op.entryType === 3) {
    o.pte_tables_freed++;
    if (r.belowPud) r.seenBelowPud++;
  } else if (op.event === 'pud_free_pmd_page' && op.entryType === 3) o.pmd_tables_freed++;
  else if (op.event === 'pmd_clear_huge' && op.entryType === 1) o.huge_cleared_pmd++;
  else if (op.event === 'pud_clear_huge' && op.entryType === 1) o.huge_cleared_pud++;
  if (op.event === 'pud_free_pmd_page') r.belowPud = true;
  else if (op.event === 'pud_set_huge') r.belowPud = false;
}
