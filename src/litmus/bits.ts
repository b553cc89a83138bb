// Bit fields, reversals, products and quotients. The result depends on every register read.
import type { Expr } from '../engines/memory/program.js';
import { assign, type Emit } from './emit.js';
import { apply, comma, immediate, read, register } from './operands.js';
import type { Cursor } from './source.js';

const low = (bits: number, v: bigint): bigint => BigInt.asUintN(bits, v);
const signed = (bits: number, v: bigint): bigint => BigInt.asIntN(bits, v);

/** What a field instruction makes of `old` and the source, `width` bits, `at` being where they stand or go. */
type Field = (old: bigint, from: bigint, at: number, width: number) => bigint;

const replace = (old: bigint, value: bigint, at: number, width: number): bigint => {
  const mask = low(width, -1n) << BigInt(at);
  return (old & ~mask) | ((value << BigInt(at)) & mask);
};

const fields: Readonly<Record<string, Field>> = {
  UBFX: (_old, v, at, width) => low(width, v >> BigInt(at)),
  SBFX: (_old, v, at, width) => signed(width, v >> BigInt(at)),
  BFXIL: (old, v, at, width) => replace(old, v >> BigInt(at), 0, width),
  UBFIZ: (_old, v, at, width) => low(width, v) << BigInt(at),
  SBFIZ: (_old, v, at, width) => signed(width, v) << BigInt(at),
  BFI: (old, v, at, width) => replace(old, v, at, width),
};

/** UBFM, SBFM and BFM Rd,Rn,#r,#s: the aliases that take a field out (s >= r) and that put one in. */
const moves: Readonly<Record<string, readonly [out: string, into: string]>> = {
  UBFM: ['UBFX', 'UBFIZ'],
  SBFM: ['SBFX', 'SBFIZ'],
  BFM: ['BFXIL', 'BFI'],
};

function field(c: Cursor, emit: Emit, word: string): void {
  const d = register(c);
  comma(c);
  const from = read(register(c));
  comma(c);
  const first = Number(immediate(c));
  comma(c);
  const second = Number(immediate(c));
  const pair = moves[word];
  const takes = second >= first;
  const name = pair ? pair[takes ? 0 : 1] : word;
  const at = pair && !takes ? d.bits - first : first;
  const width = pair ? (takes ? second - first + 1 : second + 1) : second;
  const f = fields[name]!;
  const keeps = name.startsWith('BF');
  const made = (v: bigint, old = 0n): bigint => f(old, v, at, width);
  assign(emit, d, keeps ? apply((v, old) => made(v!, old!), from, read(d)) : apply((v) => made(v!), from)); // biome-ignore format: one line
}

/** The groups of `size` bits of v in the opposite order, within each `within` bits. */
function reversed(v: bigint, bits: number, within: number, size: number): bigint {
  let out = 0n;
  for (let at = 0; at < bits; at += size) {
    const to = at - (at % within) + (within - size - (at % within));
    out |= low(size, v >> BigInt(at)) << BigInt(to);
  }
  return out;
}

type Table<F> = Readonly<Record<string, F | undefined>>;

const singles: Table<(v: bigint, bits: number) => bigint> = {
  REV: (v, bits) => reversed(v, bits, bits, 8),
  REV16: (v, bits) => reversed(v, bits, 16, 8),
  REV32: (v, bits) => reversed(v, bits, 32, 8),
  RBIT: (v, bits) => reversed(v, bits, bits, 1),
  CLZ: (v, bits) => BigInt(bits - (v === 0n ? 0 : v.toString(2).length)),
};

/** Of two operands and what is added; `wide`: 32-bit operands, a 64-bit result. */
const product = (sign: 1n | -1n, wide?: 's' | 'u') => (n: bigint, m: bigint, a: bigint) =>
  a + sign * (wide === 's' ? signed(32, n) * signed(32, m) : n * m);

const threes: Table<(n: bigint, m: bigint, a: bigint) => bigint> = {
  MADD: product(1n), MSUB: product(-1n), UMADDL: product(1n, 'u'), SMADDL: product(1n, 's'),
}; // biome-ignore format: a table
const divided = (n: bigint, m: bigint): bigint => (m === 0n ? 0n : n / m);
const twos: Table<(n: bigint, m: bigint, bits: number) => bigint> = {
  MNEG: (n, m) => -n * m,
  UMULL: (n, m) => n * m,
  SMULL: (n, m) => signed(32, n) * signed(32, m),
  UDIV: divided,
  SDIV: (n, m, bits) => divided(signed(bits, n), signed(bits, m)),
};

/** The instruction `word`, if it is one of these. */
export function bitsAndProducts(c: Cursor, emit: Emit, word: string): boolean {
  if (fields[word] || moves[word]) {
    field(c, emit, word);
    return true;
  }
  const single = singles[word];
  const operands = single ? 1 : twos[word] ? 2 : threes[word] ? 3 : 0;
  if (operands === 0) return false;
  const d = register(c);
  const sources: Expr[] = [];
  let bits: number = d.bits;
  for (let i = 0; i < operands; i++) {
    comma(c);
    const r = register(c);
    if (i === 0) bits = r.bits;
    sources.push(read(r));
  }
  const f = (n: bigint, m = 0n, a = 0n): bigint =>
    single ? single(n, bits) : (twos[word]?.(n, m, bits) ?? threes[word]!(n, m, a));
  assign(
    emit,
    d,
    apply((...v) => f(v[0]!, v[1], v[2]), ...sources),
  );
  return true;
}
