import { entriesAt, type Geometry } from './geometry.js';

/** Place of a table's first entry in `cells`. */
export type Table = number;

/** What happened to page tables, by the names of the kernel functions that the probes sit on. */
export interface TableCounts {
  /** PTE tables put under a PMD entry. */
  pte_tables_allocated: number;
  /** PTE tables replaced by a block: overwrites. */
  pte_tables_freed: number;
  /** PMD tables replaced by a block. */
  pmd_tables_freed: number;
  /** Blocks set. */
  huge_set_pmd: number;
  huge_set_pud: number;
  /** Blocks cleared by an unmap. */
  huge_cleared_pmd: number;
  huge_cleared_pud: number;
}

/** All counts zero. */
export const tableCounts = (): TableCounts => ({
  pte_tables_allocated: 0,
  pte_tables_freed: 0,
  pmd_tables_freed: 0,
  huge_set_pmd: 0,
  huge_set_pud: 0,
  huge_cleared_pmd: 0,
  huge_cleared_pud: 0,
});

/** Identity of a live table. */
export interface TableInfo {
  /** Number of the table; never reused. */
  readonly id: number;
  /** 0: PTE table, 1: PMD table ... */
  readonly height: number;
  /** First page it maps. */
  readonly page: number;
  /** Value of `clock` when it was allocated. */
  readonly born: number;
}

/**
 * A radix tree of page tables: entries are numbers (arm64/entry.ts, arm64/leaf.ts), tables are runs of
 * neighbouring entries in `cells`. A freed table is poisoned (NaN) until it is handed out again.
 */
export interface PageTables {
  readonly geometry: Geometry;
  cells: Float64Array;
  used: number;
  /** Freed tables of full size. */
  readonly spare: Table[];
  readonly root: Table;
  readonly info: Map<Table, TableInfo>;
  readonly counts: TableCounts;
  /** The PTE table used last and the PMD-size slot it maps (-1: none): neighbours come together. */
  lastSlot: number;
  lastTable: Table;
  /** The owner's notion of time, for the age of tables. */
  clock: number;
  nextId: number;
  /** Ages (in `clock`) of the tables overwritten so far, where wanted. */
  ages: number[] | undefined;
}

/** Page tables with an empty top table. */
export function pageTables(g: Geometry): PageTables {
  const t: PageTables = {
    geometry: g,
    cells: new Float64Array(16 * g.entries),
    used: 1,
    spare: [],
    root: 1,
    info: new Map(),
    counts: tableCounts(),
    lastSlot: -1,
    lastTable: 0,
    clock: 0,
    nextId: 1,
    ages: undefined,
  };
  allocTable(t, g.levels - 1, 0);
  return t;
}

/** A zeroed table at `height` for the pages from `page` on. */
export function allocTable(t: PageTables, height: number, page: number): Table {
  const n = entriesAt(t.geometry, height);
  let table = height < t.geometry.levels - 1 ? t.spare.pop() : undefined;
  if (table === undefined) {
    table = t.used;
    t.used += n;
    if (t.used > t.cells.length) {
      const cells = new Float64Array(2 * Math.max(t.used, t.cells.length));
      cells.set(t.cells);
      t.cells = cells;
    }
  } else t.cells.fill(0, table, table + n);
  t.info.set(table, { id: t.nextId++, height, page, born: t.clock });
  return table;
}

/** Give a table back and poison it. @throws Error on a double free. */
export function freeTable(t: PageTables, table: Table): void {
  const info = t.info.get(table);
  if (!info) throw new Error(`double free: no live table at ${table}`);
  t.info.delete(table);
  if (table === t.lastTable) t.lastSlot = -1;
  t.cells.fill(Number.NaN, table, table + t.geometry.entries);
  t.spare.push(table);
  t.ages?.push(t.clock - info.born);
}

/** The entry for `page` at `height` as a place in `cells`; 0 if a table above is missing or a block is in the way. */
export function entryPlace(t: PageTables, page: number, height: number): number {
  const { shift, entries, levels } = t.geometry;
  let table = t.root;
  for (let h = levels - 1; ; h--) {
    const n = h === levels - 1 ? t.geometry.topEntries : entries;
    const place = table + (Math.floor(page / 2 ** shift[h]!) % n);
    if (h === height) return place;
    const entry = t.cells[place]!;
    if (entry === 0 || (entry & 3) !== 3) return 0;
    table = (entry - 3) / 4;
  }
}
