import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newArea, vmapAreas } from '../../src/linux/mm/areas.js';
import {
  alloc_free_area,
  type FreeAreas,
  freeAreas,
  merge_or_add_vmap_area,
  peek_free_area,
} from '../../src/linux/mm/free-areas.js';
import { checkTree, freeRanges } from './invariants.js';

const space = (start: number, end: number): FreeAreas => {
  const f = freeAreas(vmapAreas(4));
  merge_or_add_vmap_area(f, newArea(f.areas, start, end));
  return f;
};

interface Request {
  size: number;
  shift: number;
  free: number;
}

const requests = fc.array(
  fc.record({
    size: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 3000 })),
    shift: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10 })),
    free: fc.nat(),
  }),
  { minLength: 1, maxLength: 200 },
);

/** Allocate and free at random; `seen` is called after every act. */
function exercise(
  f: FreeAreas,
  list: readonly Request[],
  seen: (at: number, size: number, align: number, before: [number, number][]) => void,
): void {
  const held: [number, number][] = [];
  for (const { size, shift, free } of list) {
    if (free % 3 === 0 && held.length > 0) {
      const [at, n] = held.splice(free % held.length, 1)[0]!;
      merge_or_add_vmap_area(f, newArea(f.areas, at, at + n));
    }
    const before = freeRanges(f);
    const peeked = peek_free_area(f, size, 2 ** shift, 1000, 2 ** 40);
    const at = alloc_free_area(f, size, 2 ** shift, 1000, 2 ** 40);
    expect(at).toBe(peeked);
    if (at >= 0) held.push([at, size]);
    seen(at, size, 2 ** shift, before);
  }
}

test('the tree stays a red-black tree with true maxima, and its ranges stay apart', () => {
  fc.assert(
    fc.property(requests, (list) => {
      const f = space(0.5, 2 ** 52 - 0.5);
      exercise(f, list, () => checkTree(f));
    }),
    { numRuns: 60 },
  );
});

test('without alignment it is the lowest fit', () => {
  fc.assert(
    fc.property(requests, (list) => {
      const f = space(1000, 50000);
      const unaligned = list.map((r) => ({ ...r, shift: 0 }));
      exercise(f, unaligned, (at, size, _, before) => {
        const lowest = before.find(([start, end]) => end - start >= size);
        expect(at).toBe(lowest ? lowest[0] : -1);
      });
    }),
    { numRuns: 60 },
  );
});

test('with alignment: in a free range, and no higher than the first range that is surely large enough', () => {
  const up = (x: number, align: number) => Math.ceil(x / align) * align;
  fc.assert(
    fc.property(requests, (list) => {
      const f = space(1000, 200000);
      exercise(f, list, (at, size, align, before) => {
        const sure = before.find(([s, e]) => e - s >= size + (align > 1 ? align : 0));
        if (at < 0) expect(sure).toBeUndefined();
        else {
          expect(at % align).toBe(0);
          expect(before.some(([s, e]) => s <= at && at + size <= e)).toBe(true);
          if (sure) expect(at).toBeLessThanOrEqual(up(sure[0], align));
        }
      });
    }),
    { numRuns: 60 },
  );
});

test('addresses are exact up to the last page of 64 bits', () => {
  const last = 2 ** 52 - 1;
  const f = space(0.5, 2 ** 52 - 0.5);
  expect(alloc_free_area(f, 1, 2 ** 51, 1, 2 ** 52)).toBe(2 ** 51); // aligned to 1 << 63
  expect(alloc_free_area(f, 1, 2 ** 51, 1, 2 ** 52)).toBe(-1); // the next multiple is beyond 64 bits
  // [last, ULONG_MAX) lacks one byte: no page fits there.
  expect(alloc_free_area(f, 1, 1, last, 2 ** 52)).toBe(-1);
  expect(alloc_free_area(f, 1, 1, last - 1, 2 ** 52)).toBe(last - 1);
  expect(alloc_free_area(f, 3, 1, 4503565268159213, 2 ** 52)).toBe(4503565268159213);
});

test('a range given back twice is an error', () => {
  const f = space(0.5, 1000);
  expect(() => merge_or_add_vmap_area(f, newArea(f.areas, 10, 12))).toThrow(/freed twice/);
});
