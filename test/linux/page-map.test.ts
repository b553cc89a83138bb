import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageMap } from '../../src/linux/mm/page-map.js';

test('it is a Map', () => {
  const page = fc.oneof(
    fc.integer({ min: 0, max: 40 }),
    fc.maxSafeNat().map((n) => n % 2 ** 52),
    fc.integer({ min: 0, max: 600 }).map((n) => 2 ** 51 + n * 1024),
  );
  const ops = fc.array(fc.tuple(fc.constantFrom('set', 'delete', 'get'), page, fc.nat(1e6)), {
    maxLength: 3000,
  });
  fc.assert(
    fc.property(ops, (list) => {
      const map = pageMap();
      const model = new Map<number, number>();
      for (const [op, p, id] of list) {
        if (op === 'set') {
          map.set(p, id);
          model.set(p, id);
        } else if (op === 'delete') expect(map.delete(p)).toBe(model.delete(p));
        else expect(map.get(p)).toBe(model.get(p));
      }
      expect(map.size).toBe(model.size);
      const order = (x: [number, number], y: [number, number]) => x[0] - y[0];
      expect([...map].sort(order)).toEqual([...model].sort(order));
      for (const [p, id] of model) expect(map.get(p)).toBe(id);
    }),
    { numRuns: 60 },
  );
});
