import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unlz4Block, unlz4Frame } from '../../src/importers/lz4.js';

/** Bytes of a length as LZ4 writes it behind a token whose four bits are full. */
const more = (n: number): number[] =>
  n < 255 ? [n] : [...Array<number>(Math.floor(n / 255)).fill(255), n % 255];

/** A block of literals, then, if `repeat` is given, a match of that many bytes with what stands `back` before. */
function block(literals: readonly number[], repeat = 0, back = 1): number[] {
  const n = literals.length;
  const match = repeat === 0 ? 0 : repeat - 4;
  const token = (Math.min(n, 15) << 4) | Math.min(match, 15);
  return [
    token, ...(n >= 15 ? more(n - 15) : []), ...literals,
    ...(repeat === 0 ? [] : [back & 255, back >> 8, ...(match >= 15 ? more(match - 15) : []), 0]),
  ]; // biome-ignore format: the order of a block
}

const word = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24];

/** A frame, with or without its content's size and checksums, whose value nobody looks at. */
const frame = (blocks: readonly { bytes: readonly number[]; plain: boolean }[], size: boolean, sums: boolean) =>
  Uint8Array.from([
    ...word(0x184d2204), 0x40 | (sums ? 16 : 0) | (size ? 8 : 0), 0x40, ...(size ? Array(8).fill(0) : []), 0,
    ...blocks.flatMap((b) => [...word(b.bytes.length + (b.plain ? 2 ** 31 : 0)), ...b.bytes, ...(sums ? word(1) : [])]),
    ...word(0),
  ]); // biome-ignore format: the order of a frame

const part = fc.record({
  literals: fc.array(fc.nat(255), { minLength: 1, maxLength: 400 }),
  repeat: fc.oneof(fc.constant(0), fc.integer({ min: 4, max: 700 })),
  back: fc.integer({ min: 1, max: 300 }),
  plain: fc.boolean(),
});

test('blocks of a frame give what was written, also with what stands in those before', () => {
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 5 }),
      fc.boolean(),
      fc.boolean(),
      (parts, size, sums) => {
        const want: number[] = [];
        const blocks = parts.map(({ literals, repeat, back, plain }) => {
          want.push(...literals);
          if (plain) return { bytes: literals, plain };
          const from = Math.min(back, want.length);
          for (let i = 0; i < repeat; i++) want.push(want.at(-from)!);
          return { bytes: block(literals, repeat, from), plain };
        });
        expect([...unlz4Frame(frame(blocks, size, sums), want.length)]).toEqual(want);
      },
    ),
  );
});

test('a damaged frame is an error, and takes no more memory than it states', () => {
  const whole = frame([{ bytes: block([1, 2, 3], 40, 2), plain: false }, { bytes: [7, 8], plain: true }], true, false);
  expect(unlz4Frame(whole, 45).length).toBe(45);
  for (let n = 0; n < whole.length; n++) expect(() => unlz4Frame(whole.subarray(0, n), 45)).toThrow(/lz4/);
  for (const size of [0, 44, 46]) expect(() => unlz4Frame(whole, size)).toThrow(/stated|states/);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const bytes = whole.slice();
      bytes[at] = value;
      try {
        expect(unlz4Frame(bytes, 45).length).toBe(45);
      } catch (e) {
        expect(String(e)).toMatch(/lz4/);
      }
    }),
  );
}); // biome-ignore format: long lines

test('a block without a frame', () => {
  expect([...unlz4Block(Uint8Array.from(block([5, 6], 6, 2)), 8)]).toEqual([5, 6, 5, 6, 5, 6, 5, 6]);
  expect(() => unlz4Block(Uint8Array.from(block([5, 6], 6, 2)), 9)).toThrow('8 bytes, but states 9');
}); // biome-ignore format: long lines
