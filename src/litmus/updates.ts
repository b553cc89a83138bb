// What the LSE atomics make of the old value.

export type Update = (old: bigint, data: bigint, size: number) => bigint;

const larger =
  (signed: boolean, sign: bigint): Update =>
  (a, b, size) => {
    const value = (v: bigint): bigint => (signed ? BigInt.asIntN(8 * size, v) : v);
    return sign * value(a) >= sign * value(b) ? a : b;
  };

/** New value by operation: of the old one, the operand, and the size in bytes. */
export const updates: Readonly<Record<string, Update>> = {
  ADD: (a, b) => a + b,
  CLR: (a, b) => a & ~b,
  EOR: (a, b) => a ^ b,
  SET: (a, b) => a | b,
  SMAX: larger(true, 1n),
  SMIN: larger(true, -1n),
  UMAX: larger(false, 1n),
  UMIN: larger(false, -1n),
  SWP: (_a, b) => b,
};
