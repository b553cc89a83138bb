/** Levels of the page table by name, leaf first: the index counts how often a table is descended into below it. */
export const LEVELS = ['pte', 'pmd', 'pud', 'p4d', 'pgd'] as const;
export type Level = (typeof LEVELS)[number];

/** Size of a base page. */
export type Granule = '4K' | '16K' | '64K';

/**
 * How a virtual address is taken apart. Shifts count from the page: `shift[1]` is 9 on 4K, a PMD
 * entry maps 2^9 pages. C: arch/arm64/include/asm/pgtable-hwdef.h, arch/arm64/Kconfig
 */
export interface Geometry {
  readonly granule: Granule;
  readonly vaBits: number;
  readonly pageShift: number;
  readonly pageSize_bytes: number;
  /** Entries of a full table. */
  readonly entries: number;
  /** Levels of tables there are; the levels above are folded. C: CONFIG_PGTABLE_LEVELS */
  readonly levels: number;
  /** Pages (as a power of two) below one entry of level i. */
  readonly shift: readonly number[];
  /** Entries of the top table. C: PTRS_PER_PGD */
  readonly topEntries: number;
  /** Pages of a contiguous-PTE group, of a block at PMD level, of a contiguous-PMD group. */
  readonly contPte_pages: number;
  readonly pmd_pages: number;
  readonly contPmd_pages: number;
  /** May a PUD entry be a block? Only on 4K. C: pud_sect_supported() */
  readonly pudBlock: boolean;
  /** Name of the level a dump gives to entries of the table at height i: the folded ones are called PGD. */
  readonly vaBitsMin: number;
}

const PAGE_SHIFT: Record<Granule, number> = { '4K': 12, '16K': 14, '64K': 16 };
const CONT_PTE_SHIFT: Record<Granule, number> = { '4K': 4, '16K': 7, '64K': 5 };
const CONT_PMD_SHIFT: Record<Granule, number> = { '4K': 4, '16K': 5, '64K': 5 };

/** The granules and VA sizes that arch/arm64/Kconfig allows together. */
export const VA_BITS: Readonly<Record<Granule, readonly number[]>> = {
  '4K': [39, 48, 52],
  '16K': [36, 47, 48, 52],
  '64K': [42, 48, 52],
};

/**
 * The geometry of a kernel built for this granule and VA size.
 * @throws Error naming the VA sizes there are.
 */
export function geometry(granule: Granule = '4K', vaBits = 48): Geometry {
  if (!Object.hasOwn(VA_BITS, granule))
    throw new Error(`granule '${granule}': arm64 has 4K, 16K and 64K pages`);
  if (!VA_BITS[granule].includes(vaBits))
    throw new Error(`${vaBits} bits of VA with ${granule} pages: known are ${VA_BITS[granule]}`);
  const pageShift = PAGE_SHIFT[granule];
  const bits = pageShift - 3;
  const levels = Math.floor((vaBits - 4) / bits);
  const shift = LEVELS.map((_, i) => i * bits);
  const pmd_pages = 2 ** bits;
  return {
    granule,
    vaBits,
    pageShift,
    pageSize_bytes: 2 ** pageShift,
    entries: 2 ** bits,
    levels,
    shift,
    topEntries: 2 ** (vaBits - pageShift - (levels - 1) * bits),
    contPte_pages: 2 ** CONT_PTE_SHIFT[granule],
    pmd_pages,
    contPmd_pages: pmd_pages * 2 ** CONT_PMD_SHIFT[granule],
    pudBlock: granule === '4K',
    vaBitsMin: vaBits > 48 ? (granule === '16K' ? 47 : 48) : vaBits,
  };
}

/** Index of `page` in a table at height `level` (0: PTE table), whose entries number `entries`. */
export const indexAt = (g: Geometry, page: number, level: number, entries = g.entries): number =>
  Math.floor(page / 2 ** g.shift[level]!) % entries;

/** Entries of a table at height `level`. */
export const entriesAt = (g: Geometry, level: number): number =>
  level === g.levels - 1 ? g.topEntries : g.entries;

/** Page number of an address (exact: an address has 64 bits, a page number at most 52). */
export const pageOf = (g: Geometry, va: bigint): number => Number(va >> BigInt(g.pageShift));

/** Address of the first byte of a page. */
export const addressOf = (g: Geometry, page: number): bigint => BigInt(page) << BigInt(g.pageShift);
