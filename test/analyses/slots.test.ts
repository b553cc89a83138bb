import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geometryOf, granuleOf, isHuge, mapArea, newSlotModel } from '../../src/analyses/slots.js';

const page = 4096;
const pmd = 2 ** 21;

test('geometry of the granules', () => {
  expect(geometryOf(4096)).toEqual({ page_bytes: 4096, pmd_bytes: 2 ** 21, pud_bytes: 2 ** 30 });
  expect(geometryOf(16384).pmd_bytes).toBe(2 ** 25);
  expect(geometryOf(65536).pmd_bytes).toBe(2 ** 29);
  expect([granuleOf(0x5000), granuleOf(0x4000), granuleOf(0)]).toEqual([4096, 16384, 65536]);
});

test('what is a huge request', () => {
  const g = geometryOf(page);
  expect(isHuge(g, pmd + page, pmd)).toBe(true);
  expect(isHuge(g, 4 * pmd + page, pmd)).toBe(true);
  expect(isHuge(g, pmd + page, page)).toBe(false); // pages only
  expect(isHuge(g, 10 * page, pmd)).toBe(false); // random_size_align_alloc_test
  expect(isHuge(g, 2 * pmd, 2 * pmd)).toBe(false); // a vm_map_ram block has no guard page
  expect(isHuge(g, pmd, pmd)).toBe(false);
});

/** The rule of the reference, part 8.1, one PTE table at a time in a plain Map. */
function slowModel() {
  const tables = new Map<number, number>();
  return (first: number, size_bytes: number, align_bytes: number): number => {
    const guarded = size_bytes - page;
    if (align_bytes >= pmd && guarded >= pmd && guarded % pmd === 0) {
      let overwritten = 0;
      for (let p = first; p < first + guarded / page; p += pmd / page) {
        if (tables.delete(Math.floor((p * page) / pmd))) overwritten++;
      }
      return overwritten;
    }
    const mapped = size_bytes === align_bytes && size_bytes % pmd === 0 ? size_bytes : guarded;
    for (let p = first; p < first + mapped / page; p++) tables.set(Math.floor((p * page) / pmd), 1);
    return 0;
  };
}

const area = fc.record({
  slot: fc.integer({ min: 0, max: 12 }),
  offset: fc.integer({ min: 0, max: 511 }),
  pages: fc.integer({ min: 1, max: 1500 }),
  huge: fc.boolean(),
});

test('the slot model equals the slow one, page by page', () => {
  fc.assert(
    fc.property(fc.array(area, { maxLength: 40 }), (areas) => {
      const fast = newSlotModel(geometryOf(page));
      const slow = slowModel();
      for (const [i, a] of areas.entries()) {
        const base = 2 ** 51 + a.slot * 512;
        const [at, size, align] = a.huge
          ? [base, Math.ceil(a.pages / 512) * pmd + page, pmd]
          : [base + a.offset, (a.pages + 1) * page, page];
        expect(mapArea(fast, at, size, align, i).replaced.length).toBe(slow(at, size, align));
      }
    }),
  );
});

test('a block of PUD size replaces the PMD table and all its PTE tables', () => {
  const m = newSlotModel(geometryOf(page));
  const gib = 2 ** 30;
  mapArea(m, gib / page, gib, gib / 2, 0);
  const r = mapArea(m, gib / page, gib + page, gib, 1);
  expect([r.replaced.length, r.pmdTables]).toEqual([512, 1]);
  const again = mapArea(m, gib / page, gib + page, gib, 2);
  expect([again.replaced.length, again.pmdTables]).toEqual([0, 0]);
});

test('a broken record cannot make the model run for ever', () => {
  const m = newSlotModel(geometryOf(page));
  expect(mapArea(m, 1, 2 ** 63, page, 0).replaced).toEqual([]);
  expect(mapArea(m, 1, Number.NaN, page, 0).replaced).toEqual([]);
  expect(m.tables.size).toBe(0);
});
