/** A whole number: a number where a double holds it, else bigint; so equal numbers are `===`. */
export type Int = number | bigint;

/** The one form of a number. */
export const norm = (v: bigint): Int =>
  v >= -0x1fffffffffffffn && v <= 0x1fffffffffffffn ? Number(v) : v;

const isSmall = (v: Int): v is number => typeof v === 'number' && v >= 0 && v <= 0x7fffffff;

const exact = (v: number): boolean => v >= -0x1fffffffffffff && v <= 0x1fffffffffffff;

type Op = (a: Int, b: Int) => Int;

const arithmetic =
  (fast: (a: number, b: number) => number, slow: (a: bigint, b: bigint) => bigint): Op =>
  (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') {
      const v = fast(a, b);
      if (exact(v)) return v;
    }
    return norm(slow(BigInt(a), BigInt(b)));
  };

const bits =
  (fast: (a: number, b: number) => number, slow: (a: bigint, b: bigint) => bigint): Op =>
  (a, b) =>
    isSmall(a) && isSmall(b) ? fast(a, b) : norm(slow(BigInt(a), BigInt(b)));

const compare =
  (f: (a: Int, b: Int) => boolean): Op =>
  (a, b) =>
    f(a, b) ? 1 : 0;

const shift = (b: Int): bigint => BigInt(b) & 63n;

/**
 * C's binary operators on whole numbers of any size: the caller brings the operands to their common
 * type, and cuts the result to it. The logical ones are left to the caller.
 */
export const ops: Readonly<Record<string, Op>> = {
  '+': arithmetic(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  '-': arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  '*': arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '/': arithmetic(
    (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
    (a, b) => (b === 0n ? 0n : a / b),
  ),
  '%': arithmetic(
    (a, b) => (b === 0 ? 0 : a % b),
    (a, b) => (b === 0n ? 0n : a % b),
  ),
  '&': bits(
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  '|': bits(
    (a, b) => a | b,
    (a, b) => a | b,
  ),
  '^': bits(
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
  '<<': (a, b) => norm(BigInt(a) << shift(b)),
  '>>': (a, b) => (isSmall(a) && isSmall(b) && b < 32 ? a >>> b : norm(BigInt(a) >> shift(b))),
  '==': compare((a, b) => a === b),
  '!=': compare((a, b) => a !== b),
  '<': compare((a, b) => a < b),
  '>': compare((a, b) => a > b),
  '<=': compare((a, b) => a <= b),
  '>=': compare((a, b) => a >= b),
};

/** Values below this stay what they are in so many bytes, whatever the sign. */
const half = Array.from({ length: 9 }, (_, bytes) => Math.min(2 ** (8 * bytes - 1), 2 ** 53));

/** Cut to `bytes` bytes, as a C conversion to that type does. */
export function truncate(v: Int, bytes: number, signed: boolean): Int {
  if (typeof v === 'number') {
    if (v >= 0 ? v < half[bytes]! : signed && v >= -half[bytes]!) return v;
    if (bytes === 4) return signed ? v | 0 : v >>> 0;
  }
  const cut = signed ? BigInt.asIntN(8 * bytes, BigInt(v)) : BigInt.asUintN(8 * bytes, BigInt(v));
  return norm(cut);
}
