import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Granule, geometry, VA_BITS } from '../../src/linux/arm64/geometry.js';
import { layout } from '../../src/linux/arm64/layout.js';
import { isCont, pfnOf } from '../../src/linux/arm64/leaf.js';
import {
  entryPlace,
  freeTable,
  type PageTables,
  pageTables,
} from '../../src/linux/arm64/pgtable.js';
import { vmap_range_noflush, vunmap_range_noflush } from '../../src/linux/mm/vmap-range.js';

/** Frame that `page` is mapped to, by walking the tables; undefined if it is not mapped. */
function translate(t: PageTables, page: number): number | undefined {
  for (let height = t.geometry.levels - 1; height >= 0; height--) {
    const place = entryPlace(t, page, height);
    if (place === 0) return undefined;
    const entry = t.cells[place]!;
    if (entry === 0) return undefined;
    const leaf = height === 0 || entry % 4 === 1;
    if (leaf) return pfnOf(entry) + (page % 2 ** t.geometry.shift[height]!);
  }
  return undefined;
}

const all = (Object.keys(VA_BITS) as Granule[]).flatMap((granule) =>
  VA_BITS[granule].map((bits) => geometry(granule, bits)),
);

test('the content of the tables is a map from page to frame, in every geometry', () => {
  const areas = fc.array(
    fc.record({
      slot: fc.nat(5),
      offset: fc.nat(40),
      slots: fc.integer({ min: 1, max: 2 }),
      pages: fc.integer({ min: 1, max: 40 }),
      huge: fc.boolean(),
      free: fc.nat(),
    }),
    { minLength: 1, maxLength: 25 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...all), areas, (g, list) => {
      const t = pageTables(g);
      const base = Number(layout(g).VMALLOC_START >> BigInt(g.pageShift));
      const map = new Map<number, number>();
      const held: { page: number; pages: number }[] = [];
      let frame = g.pmd_pages;
      for (const a of list) {
        const page = base + a.slot * g.pmd_pages + (a.huge ? 0 : a.offset);
        const pages = a.huge ? a.slots * g.pmd_pages : a.pages;
        const taken = held.some((h) => h.page < page + pages && page < h.page + h.pages);
        if (taken) {
          const { page: p, pages: n } = held.splice(a.free % held.length, 1)[0]!;
          vunmap_range_noflush(t, p, n);
          for (let i = 0; i < n; i++) map.delete(p + i);
          continue;
        }
        const maxShift = a.huge ? g.shift[1]! : 0;
        const cont = a.free % 2 === 0;
        vmap_range_noflush(t, page, pages, frame, { prot: 0, maxShift, cont });
        for (let i = 0; i < pages; i += a.huge ? 97 : 1) map.set(page + i, frame + i);
        held.push({ page, pages });
        frame += 4 * g.pmd_pages;
      }
      for (const [page, pfn] of map) expect(translate(t, page)).toBe(pfn);
      for (let i = 0; i < 300; i += 7) {
        const page = base + i;
        const inside = held.some((h) => h.page <= page && page < h.page + h.pages);
        expect(translate(t, page) !== undefined).toBe(inside);
      }
    }),
    { numRuns: 120 },
  );
});

test('a table outlives its mapping and goes when a block takes its place', () => {
  const t = pageTables(geometry());
  const at = 2 ** 51 + 512;
  const small = { prot: 0, maxShift: 0, cont: false };
  vmap_range_noflush(t, at, 3, 7, small);
  vunmap_range_noflush(t, at, 3);
  const table = (t.cells[entryPlace(t, at, 1)]! - 3) / 4;
  expect(t.info.get(table)).toMatchObject({ height: 0, page: at });
  vmap_range_noflush(t, at, 512, 1024, { ...small, maxShift: 9 });
  expect(t.info.has(table)).toBe(false);
  expect(t.cells[table]).toBeNaN();
  expect(t.counts).toMatchObject({ pte_tables_allocated: 1, pte_tables_freed: 1, huge_set_pmd: 1 });
  vunmap_range_noflush(t, at, 512);
  expect(t.cells[entryPlace(t, at, 1)]).toBe(0); // none, not a table
  vmap_range_noflush(t, at, 512, 1024, { ...small, maxShift: 9 });
  expect(t.counts.pte_tables_freed).toBe(1);
  expect(() => freeTable(t, table)).toThrow(/double free/);
});

test('a block needs the whole entry, aligned address and aligned frame, and leave to replace', () => {
  const t = pageTables(geometry());
  const at = 2 ** 51;
  const huge = { prot: 0, maxShift: 9, cont: false };
  vmap_range_noflush(t, at, 512, 1, huge); // frame not aligned
  vmap_range_noflush(t, at + 512, 511, 1024, huge); // not the whole entry
  expect(t.counts).toMatchObject({ pte_tables_allocated: 2, huge_set_pmd: 0 });
  vunmap_range_noflush(t, at, 1024);
  vmap_range_noflush(t, at, 512, 1024, { ...huge, mayReplace: () => false });
  expect(t.counts).toMatchObject({ pte_tables_freed: 0, huge_set_pmd: 0 });
});

test('a PUD block frees the PMD table and every PTE table below', () => {
  const t = pageTables(geometry());
  const at = 2 ** 51 + 2 ** 18;
  vmap_range_noflush(t, at, 2 ** 18, 1, { prot: 0, maxShift: 52, cont: false });
  expect(t.counts.pte_tables_allocated).toBe(512);
  vunmap_range_noflush(t, at, 2 ** 18);
  vmap_range_noflush(t, at, 2 ** 18, 2 ** 18, { prot: 0, maxShift: 52, cont: false });
  expect(t.counts).toMatchObject({ pte_tables_freed: 512, pmd_tables_freed: 1, huge_set_pud: 1 });
  expect(t.info.size).toBe(2); // top table and PUD table
});

test('contiguous groups are whole, aligned and only in huge mappings', () => {
  const g = geometry('16K', 47);
  const t = pageTables(g);
  const base = Number(layout(g).VMALLOC_START >> 14n);
  vmap_range_noflush(t, base + 100, 300, 100, { prot: 0, maxShift: 7, cont: true });
  const hint = (page: number) => isCont(t.cells[entryPlace(t, page, 0)]!);
  expect([100, 127, 128, 255, 256, 383, 384, 399].map((p) => hint(base + p))).toEqual([
    false, false, true, true, true, true, false, false,
  ]); // biome-ignore format: a row
});

test('geometry is that of arch/arm64', () => {
  const shape = (granule: Granule, bits: number) => {
    const g = geometry(granule, bits);
    return [g.levels, g.shift[g.levels - 1]! + g.pageShift, g.topEntries];
  };
  expect(shape('4K', 39)).toEqual([3, 30, 512]);
  expect(shape('4K', 48)).toEqual([4, 39, 512]);
  expect(shape('4K', 52)).toEqual([5, 48, 16]);
  expect(shape('16K', 36)).toEqual([2, 25, 2048]);
  expect(shape('16K', 47)).toEqual([3, 36, 2048]);
  expect(shape('16K', 48)).toEqual([4, 47, 2]);
  expect(shape('16K', 52)).toEqual([4, 47, 32]);
  expect(shape('64K', 42)).toEqual([2, 29, 8192]);
  expect(shape('64K', 48)).toEqual([3, 42, 64]);
  expect(shape('64K', 52)).toEqual([3, 42, 1024]);
  expect(() => geometry('4K', 47)).toThrow(/known are 39,48,52/);
});

test('the layout of 4K pages and 48 bits is the recorded one', () => {
  const l = layout(geometry());
  expect(l.VMALLOC_START).toBe(0xffff800080000000n);
  expect(l.VMALLOC_END).toBe(0xfffffdffbf800000n);
  expect(l.PCI_IO_START).toBe(0xffffffffc0800000n);
});
