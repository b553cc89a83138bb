// The flags NZCV, N in bit 3: what sets them, and arithmetic with the carry.
import type { Expr } from '../engines/memory/program.js';
import { assign, type Emit } from './emit.js';
import { NZCV, SCRATCH } from './model.js';
import { apply, comma, constant, read, register } from './operands.js';
import { type Cursor, fail, nameToken } from './source.js';

const mask = (bits: number, v: bigint): bigint => BigInt.asUintN(bits, v);

/** The flags of a result. */
export function flagsOf(bits: number, result: bigint, carry: boolean, overflow: boolean): bigint {
  const negative = (result >> BigInt(bits - 1)) & 1n;
  return (negative << 3n) | (result === 0n ? 4n : 0n) | (carry ? 2n : 0n) | (overflow ? 1n : 0n);
}

/** Flags of a + b, or with `minus` of a - b; of ADC and SBC with the carry. */
export const addFlags =
  (bits: number, minus: boolean) =>
  (a: bigint, b: bigint, carry = minus ? 1n : 0n): bigint => {
    const x = mask(bits, a);
    const y = mask(bits, minus ? ~b : b);
    const sum = x + y + carry;
    const signed = BigInt.asIntN(bits, x) + BigInt.asIntN(bits, y) + carry;
    const result = mask(bits, sum);
    return flagsOf(bits, result, sum !== result, signed !== BigInt.asIntN(bits, result));
  };

/** ADC, ADCS, SBC, SBCS Rd,Rn,Rm; NGC and NGCS Rd,Rm. */
export function withCarry(c: Cursor, emit: Emit, word: string): void {
  const d = register(c);
  comma(c);
  const minus = !word.startsWith('A');
  const a = word.startsWith('N') ? constant(0n) : read(register(c));
  if (!word.startsWith('N')) comma(c);
  const b = read(register(c));
  const carry: Expr = { regs: [NZCV], f: (v) => (v! >> 1n) & 1n };
  const sum = apply((x, y, k) => x! + (minus ? ~y! : y!) + k!, a, b, carry);
  const f = addFlags(d.bits, minus);
  const flagged = apply((x, y, k) => f(x!, y!, k!), a, b, carry);
  if (!word.endsWith('S')) {
    assign(emit, d, sum);
    return;
  }
  emit({ op: 'set', dst: SCRATCH, e: flagged });
  assign(emit, d, sum);
  emit({ op: 'set', dst: NZCV, e: { regs: [SCRATCH], f: (v) => v! } });
}

/** MRS Xt,NZCV and MSR NZCV,Xt. */
export function flagsRegister(c: Cursor, emit: Emit, word: string): void {
  const system = (): void => {
    const t = nameToken(c, "'NZCV'");
    if (t.text.toUpperCase() !== 'NZCV')
      fail(c.source, t.at, `system register '${t.text}' is not supported`);
  };
  if (word === 'MSR') system();
  const r = word === 'MRS' ? register(c) : undefined;
  comma(c);
  if (r) {
    system();
    assign(emit, r, { regs: [NZCV], f: (v) => v! << 28n });
  } else emit({ op: 'set', dst: NZCV, e: apply((v) => (v! >> 28n) & 15n, read(register(c))) });
}
