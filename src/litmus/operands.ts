// Operands of AArch64 instructions, and the integer arithmetic they need.
import type { Expr } from '../engines/memory/program.js';
import { NZCV, registerNumber } from './model.js';
import { accept, type Cursor, expect, fail, integer, nameToken, peek, wanted } from './source.js';

/** A general register: `reg` is undefined for WZR and XZR. */
export interface Register {
  readonly reg: number | undefined;
  readonly bits: 32 | 64;
}

/** A register or a constant, as an expression. */
export type Source = Expr;

const mask = (bits: number, v: bigint): bigint => BigInt.asUintN(bits, v);

export const constant = (v: bigint): Expr => ({ regs: [], f: () => v });

/** The value of a register at its width. */
export const read = (r: Register): Expr =>
  r.reg === undefined
    ? constant(0n)
    : { regs: [r.reg], f: r.bits === 64 ? (v) => v! : (v) => mask(32, v!) };

/** f(a), f(a, b) ... over expressions; depends on every register of each. */
export function apply(f: (...v: bigint[]) => bigint, ...parts: readonly Expr[]): Expr {
  if (parts.length === 1) {
    const [a] = parts as [Expr];
    return { regs: a.regs, f: (...v) => f(a.f(...v)) };
  }
  const regs = parts.flatMap((p) => p.regs);
  return {
    regs,
    f: (...v) => {
      let from = 0;
      return f(...parts.map((p) => p.f(...v.slice(from, (from += p.regs.length)))));
    },
  };
}

export function register(c: Cursor): Register {
  const t = nameToken(c, 'a register');
  const bits = /^w/i.test(t.text) ? 32 : 64;
  if (/^[wx]zr$/i.test(t.text)) return { reg: undefined, bits };
  const reg = registerNumber(t.text);
  if (reg === undefined) fail(c.source, t.at, `register '${t.text}' is not supported`);
  return { reg: reg as number, bits };
}

export const comma = (c: Cursor): void => expect(c, ',', 'between operands');

/** Is the next operand an immediate? */
export const atImmediate = (c: Cursor): boolean =>
  peek(c).text === '#' || peek(c).kind === 'number' || peek(c).text === '-';

export function immediate(c: Cursor): bigint {
  accept(c, '#');
  return integer(c, 'an immediate');
}

const shifts: Readonly<Record<string, (v: bigint, n: bigint, bits: number) => bigint>> = {
  LSL: (v, n, bits) => mask(bits, v << n),
  LSR: (v, n) => v >> n,
  ASR: (v, n, bits) => mask(bits, BigInt.asIntN(bits, v) >> n),
  ROR: (v, n, bits) => mask(bits, (v >> n) | (v << (BigInt(bits) - n))),
};

/** The shift called `kind`, by a count taken modulo the width. */
export const shift =
  (kind: string, bits: number) =>
  (v: bigint, n: bigint): bigint =>
    shifts[kind]!(mask(bits, v), n % BigInt(bits), bits);

/** UXTB ... SXTX, to 64 bits; undefined for another word. */
export function extension(word: string): ((v: bigint) => bigint) | undefined {
  const m = /^([US])XT([BHWX])$/i.exec(word);
  if (!m) return undefined;
  const bits = { B: 8, H: 16, W: 32, X: 64 }[m[2]!.toUpperCase() as 'B' | 'H' | 'W' | 'X'];
  if (m[1]!.toUpperCase() === 'U') return (v) => mask(bits, v);
  return (v) => mask(64, BigInt.asIntN(bits, v));
}

/** What may follow a register operand: ', LSL #2', ', SXTW', ', UXTB #1'. */
function modified(c: Cursor, r: Register): Expr {
  if (!accept(c, ',')) return read(r);
  const t = nameToken(c, 'a shift or an extension');
  const word = t.text.toUpperCase();
  const extend = extension(word);
  const amount = atImmediate(c) ? immediate(c) : extend ? 0n : wanted(c, 'the amount of the shift');
  if (extend) return apply((v) => mask(64, extend(v!) << amount), read(r));
  if (!shifts[word]) fail(c.source, t.at, `'${t.text}' is not a shift or extension ptlab knows`);
  const by = shift(word, r.bits);
  return apply((v) => by(v!, amount), read(r));
}

/** The last operand of an arithmetic instruction: an immediate, or a register shifted or extended. */
export function flexible(c: Cursor): Expr {
  if (!atImmediate(c)) return modified(c, register(c));
  const v = immediate(c);
  if (!accept(c, ',')) return constant(v);
  const t = nameToken(c, "'LSL'");
  if (t.text.toUpperCase() !== 'LSL')
    fail(c.source, t.at, `'${t.text}' does not shift an immediate`);
  return constant(v << immediate(c));
}

/** A memory operand: the address, and what is written back to the base and when. */
export interface Address {
  readonly at: Expr;
  readonly base: number;
  readonly writeBack: { readonly when: 'before' | 'after'; readonly by: bigint } | undefined;
}

const plus = (a: Expr, b: Expr): Expr => apply((x, y) => mask(64, x! + y!), a, b);

/** [Xn], [Xn,#i], [Xn,#i]!, [Xn],#i, [Xn,Xm], [Xn,Wm,SXTW #s]; `plain` allows the first two only. */
export function address(c: Cursor, plain = false): Address {
  expect(c, '[', 'in front of the base register');
  const at = peek(c).at;
  const base = register(c);
  if (base.reg === undefined || base.bits === 32) fail(c.source, at, 'the base must be X0 to X30');
  const of = base.reg as number;
  const from = read(base);
  if (accept(c, ']')) {
    if (plain || !accept(c, ',')) return { at: from, base: of, writeBack: undefined };
    return { at: from, base: of, writeBack: { when: 'after', by: immediate(c) } };
  }
  comma(c);
  if (atImmediate(c)) {
    const by = immediate(c);
    expect(c, ']', 'behind the offset');
    const moved = plus(from, constant(by));
    if (!accept(c, '!')) return { at: moved, base: of, writeBack: undefined };
    return { at: from, base: of, writeBack: { when: 'before', by } };
  }
  if (plain) wanted(c, "']'");
  const offset = modified(c, register(c));
  expect(c, ']', 'behind the offset');
  return { at: plus(from, offset), base: of, writeBack: undefined };
}

const tests: Readonly<Record<string, (n: boolean, z: boolean, c: boolean, v: boolean) => boolean>> =
  {
    EQ: (_n, z) => z,
    CS: (_n, _z, c) => c,
    MI: (n) => n,
    VS: (_n, _z, _c, v) => v,
    HI: (_n, z, c) => c && !z,
    GE: (n, _z, _c, v) => n === v,
    GT: (n, z, _c, v) => !z && n === v,
  };
const opposites: Readonly<Record<string, string>> = {
  NE: 'EQ', CC: 'CS', PL: 'MI', VC: 'VS', LS: 'HI', LT: 'GE', LE: 'GT',
}; // biome-ignore format: a table
const synonyms: Readonly<Record<string, string>> = { HS: 'CS', LO: 'CC' };

/** The test a condition code makes of NZCV (bit 3 = N ... bit 0 = V); undefined for another word. */
export function conditionCode(word: string): ((nzcv: bigint) => boolean) | undefined {
  const code = synonyms[word] ?? word;
  if (code === 'AL') return () => true;
  const name = opposites[code] ?? code;
  const test = tests[name];
  if (!test) return undefined;
  return (f) =>
    test((f & 8n) !== 0n, (f & 4n) !== 0n, (f & 2n) !== 0n, (f & 1n) !== 0n) === (name === code);
}

/** 1 where the flags pass `test`, else 0. */
export const flagTest = (test: (nzcv: bigint) => boolean): Expr => ({
  regs: [NZCV],
  f: (v) => (test(v!) ? 1n : 0n),
});
