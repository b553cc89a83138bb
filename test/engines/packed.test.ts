import fc from 'fast-check';
import { expect, test } from 'vitest';
import { machine } from '../../src/engines/machine.js';
import { makeRoom, pack, packedSet, unpack } from '../../src/engines/packed.js';
import { search } from '../../src/engines/search.js';
import { find, intern, load } from '../../src/engines/states.js';
import { newSystem, region, task } from '../../src/linux/system.js';
import { schemes } from '../../src/schemes/index.js';

const value = fc.oneof(
  fc.nat(3),
  fc.constantFrom(0, 40, 80, 84),
  fc.integer({ min: -9, max: 300 }),
  fc.integer(),
);
const vectors = fc.nat(6).chain((n) => fc.array(fc.array(value, { minLength: n + 1, maxLength: n + 1 }), { minLength: 1, maxLength: 60 })); // biome-ignore format: one line

test('vectors keep their numbers and values, however wide later ones are', () => {
  fc.assert(
    fc.property(vectors, (all) => {
      const [first] = all as [number[]];
      const p = packedSet(first.map((v) => ({ low: v, high: v, unit: 0 })));
      const packedForm = (vector: number[]) => {
        const packed = new Int32Array(p.layout.width);
        pack(p.layout, Int32Array.from(vector), packed);
        return packed;
      };
      const ids = all.map((vector) => {
        makeRoom(p, Int32Array.from(vector));
        return intern(p.set, packedForm(vector));
      });
      const different = [...new Set(all.map(String))];
      expect(ids).toEqual(all.map((v) => different.indexOf(String(v))));
      all.forEach((vector, i) => {
        expect(find(p.set, packedForm(vector))).toBe(ids[i]);
        const packed = new Int32Array(p.layout.width);
        const out = new Int32Array(vector.length);
        load(p.set, ids[i]!, packed);
        unpack(p.layout, packed, out);
        expect([...out]).toEqual(vector);
      });
    }),
    { numRuns: 300, seed: 6 },
  );
});

test('a word that holds more than 32 bits is an error with its name', () => {
  const sys = newSystem(schemes.none);
  const word = region(sys, 'my counter');
  for (const cpu of [0, 1])
    task(sys, `t${cpu}`, cpu, function* () {
      yield { op: 'write', on: word, value: 2 ** 40 + cpu, mode: 'once' };
    });
  expect(() => search(machine(sys), { maxStates: 100 })).toThrow(
    /my counter holds 109951162777\d: the explorer keeps words of 32 bits/,
  );
});
