// CSEL and its kin: the condition picks an operand.
import type { Expr } from '../engines/memory/program.js';
import type { Emit } from './emit.js';
import { NZCV } from './model.js';

import { apply, comma, conditionCode, constant, read, register } from './operands.js';
import { type Cursor, fail, nameToken } from './source.js';

const mask = (bits: number, v: bigint): bigint => BigInt.asUintN(bits, v);

function code(c: Cursor): (nzcv: bigint) => boolean {
  const t = nameToken(c, 'a condition code');
  const test = conditionCode(t.text.toUpperCase());
  if (!test) fail(c.source, t.at, `'${t.text}' is not a condition code`);
  return test as (nzcv: bigint) => boolean;
}

/** What CSEL and its kin make of the second operand. */
export const selects: Readonly<Record<string, (v: bigint) => bigint>> = {
  CSEL: (v) => v,
  CSINC: (v) => v + 1n,
  CSINV: (v) => ~v,
  CSNEG: (v) => -v,
};

export function select(c: Cursor, emit: Emit, word: string): void {
  const d = register(c);
  comma(c);
  const a = read(register(c));
  comma(c);
  const b = read(register(c));
  comma(c);
  const test = code(c);
  const cut = (f: (v: bigint) => bigint, e: Expr): Expr => apply((v) => mask(d.bits, f(v!)), e);
  const no = cut(selects[word]!, b);
  emit({ op: 'select', dst: d.reg ?? -1, flags: NZCV, test, yes: cut((v) => v, a), no });
}

/** CSET, CSETM Rd,cond; CINC, CINV, CNEG Rd,Rn,cond. */
export function selectAlias(c: Cursor, emit: Emit, word: string): void {
  const d = register(c);
  comma(c);
  const f = selects[{ CSETM: 'CSINV', CINV: 'CSINV', CNEG: 'CSNEG' }[word] ?? 'CSINC']!;
  const short = word === 'CSET' || word === 'CSETM';
  const n = short ? constant(0n) : read(register(c));
  if (!short) comma(c);
  const yes = apply((v) => mask(d.bits, f(v!)), n);
  emit({ op: 'select', dst: d.reg ?? -1, flags: NZCV, test: code(c), yes, no: n });
}
