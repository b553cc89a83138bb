/** Sizes that decide what a huge mapping replaces. */
export interface Geometry {
  readonly page_bytes: number;
  readonly pmd_bytes: number;
  readonly pud_bytes: number;
}

/** Geometry of a granule: a table has page/8 entries. C: arch/arm64/include/asm/pgtable-hwdef.h */
export const geometryOf = (page_bytes: number): Geometry => {
  const entries = page_bytes / 8;
  const pmd_bytes = page_bytes * entries;
  return { page_bytes, pmd_bytes, pud_bytes: pmd_bytes * entries };
};

/** The largest granule of which every size and address of the trace is a multiple. */
export const granuleOf = (bitsSeen: number): number =>
  [65536, 16384].find((g) => (bitsSeen & (g - 1)) === 0) ?? 4096;

/** One table that a huge mapping replaced, or would have. */
export interface Replaced {
  readonly slot: number;
  /** When the table was first needed; NaN if that was before the trace. */
  readonly born_ns: number;
}

/** What the slot model says of one allocation. */
export interface Mapped {
  readonly huge: boolean;
  readonly replaced: readonly Replaced[];
  /** Slots never touched before in this trace: they may hold an older table. */
  readonly unknown: number;
  /** PMD tables replaced by a block of PUD size. */
  readonly pmdTables: number;
}

/** Which PMD-size slots hold a PTE table, by what was mapped there (reference, part 8.1). */
export interface SlotModel {
  readonly geometry: Geometry;
  /** Slot -> time its table was first needed. */
  readonly tables: Map<number, number>;
  /** Slots of which the trace has told anything. */
  readonly known: Set<number>;
  /** PUD-size slots that hold a PMD table. */
  readonly pmdTables: Set<number>;
}

export const newSlotModel = (geometry: Geometry): SlotModel => ({
  geometry,
  tables: new Map(),
  known: new Set(),
  pmdTables: new Set(),
});

/**
 * Is this a huge request? A huge area is aligned to a block, and whole blocks plus one guard page
 * long; a vm_map_ram block is as large as its alignment and has no guard.
 */
export function isHuge(g: Geometry, size_bytes: number, align_bytes: number): boolean {
  const mapped = size_bytes - g.page_bytes;
  return align_bytes >= g.pmd_bytes && mapped >= g.pmd_bytes && mapped % g.pmd_bytes === 0;
}

function mapPages(m: SlotModel, first: number, last: number, now_ns: number): void {
  const perPud = m.geometry.pud_bytes / m.geometry.pmd_bytes;
  for (let slot = first; slot <= last; slot++) {
    if (!m.tables.has(slot)) m.tables.set(slot, now_ns);
    m.known.add(slot);
    m.pmdTables.add(Math.floor(slot / perPud));
  }
}

function mapBlocks(m: SlotModel, first: number, last: number, wholePuds: boolean): Mapped {
  const perPud = m.geometry.pud_bytes / m.geometry.pmd_bytes;
  const replaced: Replaced[] = [];
  let unknown = 0;
  let pmdTables = 0;
  for (let slot = first; slot <= last; slot++) {
    const born_ns = m.tables.get(slot);
    if (born_ns !== undefined) replaced.push({ slot, born_ns });
    else if (!m.known.has(slot)) unknown++;
    m.tables.delete(slot);
    m.known.add(slot);
    const pud = Math.floor(slot / perPud);
    if (!wholePuds) m.pmdTables.add(pud);
    else if (m.pmdTables.delete(pud)) pmdTables++;
  }
  return { huge: true, replaced, unknown, pmdTables };
}

const nothing: Mapped = { huge: false, replaced: [], unknown: 0, pmdTables: 0 };

/**
 * Take one successful allocation into the model. `page` is va / 4096.
 * Left out: the physical address, which an ioremap needs to be mapped by blocks.
 */
export function mapArea(
  m: SlotModel,
  page: number,
  size_bytes: number,
  align_bytes: number,
  now_ns: number,
): Mapped {
  const g = m.geometry;
  const perSlot = g.pmd_bytes / 4096;
  const first = Math.floor(page / perSlot);
  const noGuard = size_bytes === align_bytes && size_bytes % g.pmd_bytes === 0;
  const bytes = noGuard ? size_bytes : size_bytes - g.page_bytes;
  if (!(bytes > 0)) return nothing;
  const last = Math.floor((page + bytes / 4096 - 1) / perSlot);
  if (!(last - first < maxSlots)) return nothing; // no kernel maps a terabyte: a broken record
  if (!isHuge(g, size_bytes, align_bytes)) {
    mapPages(m, first, last, now_ns);
    return nothing;
  }
  const wholePuds = align_bytes >= g.pud_bytes && bytes % g.pud_bytes === 0;
  return mapBlocks(m, first, last, wholePuds && g.page_bytes === 4096);
}

const maxSlots = 1 << 20;

/** Undo `mapBlocks` for a table that stayed: the mapping was refused, or never made. */
export function keepTable(m: SlotModel, table: Replaced): void {
  m.tables.set(table.slot, table.born_ns);
}
