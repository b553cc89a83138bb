import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newlineFrom, num, readDecimal, readHex, useBytes } from '../../src/importers/bytes.js';

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

/** A number as text among other bytes, and the reference: BigInt. */
function readAs(read: typeof readDecimal, text: string, pad: number, cut: number) {
  const buf = Buffer.from(`${'#'.repeat(pad)}${text}${'#'.repeat(cut)}`);
  useBytes(buf);
  if (!read(buf, pad, buf.length)) return null;
  const value = (BigInt(num.hi >>> 0) << 32n) | BigInt(num.lo >>> 0);
  return { value, length: num.end - pad };
}

const pads = [fc.nat(5), fc.nat(5)] as const;

test('decimal numbers are what BigInt says, up to 64 bits', () => {
  const number = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 66n) - 1n }), fc.nat().map(BigInt));
  fc.assert(
    fc.property(number, fc.nat(4), ...pads, (n, zeros, pad, cut) => {
      const text = `${'0'.repeat(zeros)}${n}`;
      const got = readAs(readDecimal, text, pad, cut);
      if (n >= 1n << 64n) expect(got).toBeNull();
      else if (text.length <= 20) expect(got).toEqual({ value: n, length: text.length });
    }),
    { numRuns: 3000 },
  );
});

test('hexadecimal numbers are what BigInt says, and end at any other byte', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), maxLength: 18 });
  const stop = fc.constantFrom('', 'g', '`', 'A', '@', ':', '/', ' ', 'p', '\u00e6', 'v', '\n');
  fc.assert(
    fc.property(digits, stop, ...pads, (text, end, pad, cut) => {
      const got = readAs(readHex, text + end, pad, cut);
      if (text === '' || text.length > 16) expect(got).toBeNull();
      else expect(got).toEqual({ value: BigInt(`0x${text}`), length: text.length });
    }),
    { numRuns: 3000 },
  );
});

test('any byte but a digit ends a number, wherever it stands among four', () => {
  for (let b = 0; b < 256; b++) {
    for (let at = 0; at < 8; at++) {
      const buf = Buffer.from('12345678');
      buf[at] = b;
      useBytes(Buffer.from(buf));
      const hexDigits = /^[0-9a-f]*/.exec(buf.toString('latin1'))![0];
      const decimals = /^[0-9]*/.exec(buf.toString('latin1'))![0];
      const copy = Uint8Array.from(buf);
      useBytes(copy);
      expect([readHex(copy, 0, 8), num.end]).toEqual(
        hexDigits === '' ? [false, num.end] : [true, hexDigits.length],
      );
      expect([readDecimal(copy, 0, 8), num.end]).toEqual(
        decimals === '' ? [false, num.end] : [true, decimals.length],
      );
    }
  }
});
