import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newlineFrom, useBytes } from '../../src/importers/bytes.js';

test('a newline is found where indexOf finds it, wherever the bytes lie in memory', () => {
  const byte = fc.oneof(fc.constantFrom(9, 10, 11, 0x8a, 0), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), fc.nat(12), fc.nat(8), (all, skip, from) => {
      const buf = Uint8Array.from(all).subarray(Math.min(skip, all.length));
      useBytes(buf);
      expect(newlineFrom(buf, from)).toBe(buf.indexOf(10, from));
    }),
    { numRuns: 2000 },
  );
});
