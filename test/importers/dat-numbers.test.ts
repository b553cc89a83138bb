import fc from 'fast-check';
import { expect, test } from 'vitest';
import { norm, truncate } from '../../src/importers/trace-dat/int.js';
import {
  outBytes,
  outLength,
  putHex,
  putHexWords,
  putInt,
  resetOut,
} from '../../src/importers/trace-dat/out.js';
import { alignedWords } from '../../src/importers/trace-dat/record.js';

const made = (put: () => void): string => {
  resetOut();
  put();
  return Buffer.from(outBytes().subarray(0, outLength())).toString('latin1');
};

/** Numbers of every length, and those beside the powers of ten and two. */
const edges = [1, 10, 1e8, 1e9, 2 ** 31, 2 ** 32, 1e15, 2 ** 53 - 1].flatMap((n) => [
  n - 1,
  n,
  Math.min(n + 1, 2 ** 53 - 1),
]);
const whole = fc.oneof(
  fc.constantFrom(...edges),
  fc.maxSafeInteger(),
  fc.integer(),
  fc.integer({ min: -200, max: 200 }),
);
const word = fc.oneof(fc.constantFrom(0, 15, 16, -1), fc.integer());

test('numbers are written as String writes them', () => {
  fc.assert(
    fc.property(whole, word, word, fc.integer({ min: 1, max: 8 }), (v, hi, lo, digits) => {
      expect(made(() => putInt(v))).toBe(String(v));
      expect(made(() => putHex(lo, digits))).toBe((lo >>> 0).toString(16).padStart(digits, '0'));
      const both = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
      expect(made(() => putHexWords(hi, lo))).toBe(both.toString(16));
    }),
    { numRuns: 1000 },
  );
});

test('numbers are cut to a C type as bigints are', () => {
  const any = fc.oneof(whole, fc.bigInt({ min: -(1n << 64n), max: 1n << 64n }).map(norm));
  fc.assert(
    fc.property(any, fc.constantFrom(1, 2, 4, 8), fc.boolean(), (v, bytes, signed) => {
      const cut = signed ? BigInt.asIntN : BigInt.asUintN;
      expect(truncate(v, bytes, signed)).toBe(norm(cut(8 * bytes, BigInt(v))));
    }),
    { numRuns: 2000 },
  );
});

test('aligned words are those of a view, wherever the bytes lie', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(bytes, fc.nat(3), fc.boolean(), (all, from, little) => {
      const part = all.subarray(Math.min(from, all.length));
      const view = new DataView(part.buffer, part.byteOffset, part.length);
      const expected = Array.from({ length: part.length >> 2 }, (_, i) =>
        view.getInt32(4 * i, little),
      );
      expect([...alignedWords(part, little)]).toEqual(expected);
    }),
  );
});
