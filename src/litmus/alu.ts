// Data processing: what each mnemonic computes. Flags are NZCV with N in bit 3.
import type { Expr } from '../engines/memory/program.js';
import { assign, type Emit } from './emit.js';
import { addFlags, flagsOf, flagsRegister, withCarry } from './flags.js';
import { NZCV } from './model.js';
import {
  apply,
  atImmediate,
  comma,
  conditionCode,
  constant,
  extension,
  flagTest,
  flexible,
  immediate,
  read,
  register,
  shift,
} from './operands.js';
import { select, selectAlias, selects } from './select.js';
import { accept, type Cursor, fail, nameToken } from './source.js';

const mask = (bits: number, v: bigint): bigint => BigInt.asUintN(bits, v);

const operations: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  ADD: (a, b) => a + b,
  SUB: (a, b) => a - b,
  AND: (a, b) => a & b,
  ORR: (a, b) => a | b,
  EOR: (a, b) => a ^ b,
  BIC: (a, b) => a & ~b,
  ORN: (a, b) => a | ~b,
  EON: (a, b) => a ^ ~b,
  MUL: (a, b) => a * b,
};

function flags(emit: Emit, name: string, bits: number, a: Expr, b: Expr): void {
  const f =
    name === 'ADD' || name === 'SUB'
      ? addFlags(bits, name === 'SUB')
      : (x: bigint, y: bigint) => {
          const v = mask(bits, operations[name]!(x, y));
          return flagsOf(bits, v, false, false);
        };
  emit({ op: 'set', dst: NZCV, e: apply((x, y) => f(x!, y!), a, b) });
}

/** ADD Rd,Rn,operand and its kin, with S setting flags. */
function binary(c: Cursor, emit: Emit, name: string, setFlags: boolean): void {
  const d = register(c);
  comma(c);
  const a = read(register(c));
  comma(c);
  const b = flexible(c);
  if (setFlags) flags(emit, name, d.bits, a, b);
  assign(
    emit,
    d,
    apply((x, y) => operations[name]!(x!, y!), a, b),
  );
}

const compares: Readonly<Record<string, string>> = { CMP: 'SUB', CMN: 'ADD', TST: 'AND' };

function move(c: Cursor, emit: Emit, word: string): void {
  const d = register(c);
  comma(c);
  if (!atImmediate(c)) {
    const e = flexible(c);
    assign(emit, d, word === 'MVN' ? apply((v) => ~v!, e) : e);
    return;
  }
  let v = immediate(c);
  let by = 0n;
  if (accept(c, ',')) {
    const t = nameToken(c, "'LSL'");
    if (t.text.toUpperCase() !== 'LSL') fail(c.source, t.at, 'only LSL shifts a moved immediate');
    by = immediate(c);
  }
  v <<= by;
  if (word === 'MOVK')
    assign(
      emit,
      d,
      apply((old) => (old! & ~(0xffffn << by)) | v, read(d)),
    );
  else assign(emit, d, constant(word === 'MOVN' || word === 'MVN' ? ~v : v));
}

function shifted(c: Cursor, emit: Emit, word: string): void {
  const d = register(c);
  comma(c);
  const a = read(register(c));
  comma(c);
  const by = atImmediate(c) ? constant(immediate(c)) : read(register(c));
  const f = shift(word, d.bits);
  assign(
    emit,
    d,
    apply((v, n) => f(v!, n!), a, by),
  );
}

/** The data-processing instruction `word`, or false if it is none. */
export function dataProcessing(c: Cursor, emit: Emit, word: string): boolean {
  if (word === 'MOV' || word === 'MOVZ' || word === 'MOVN' || word === 'MOVK' || word === 'MVN') {
    move(c, emit, word);
  } else if (compares[word]) {
    const a = register(c);
    comma(c);
    flags(emit, compares[word]!, a.bits, read(a), flexible(c));
  } else if (operations[word]) {
    binary(c, emit, word, false);
  } else if (/^(ADDS|SUBS|ANDS|BICS)$/.test(word)) {
    binary(c, emit, word.slice(0, -1), true);
  } else if (word === 'NEG' || word === 'NEGS') {
    const d = register(c);
    comma(c);
    const e = flexible(c);
    if (word === 'NEGS') flags(emit, 'SUB', d.bits, constant(0n), e);
    assign(
      emit,
      d,
      apply((v) => -v!, e),
    );
  } else if (/^(LSL|LSR|ASR|ROR)V?$/.test(word)) {
    shifted(c, emit, word.slice(0, 3));
  } else if (/^(ADC|SBC|NGC)S?$/.test(word)) {
    withCarry(c, emit, word);
  } else if (word === 'MRS' || word === 'MSR') {
    flagsRegister(c, emit, word);
  } else if (selects[word]) {
    select(c, emit, word);
  } else if (/^(CSETM?|CINC|CINV|CNEG)$/.test(word)) {
    selectAlias(c, emit, word);
  } else if (extension(word)) {
    const d = register(c);
    comma(c);
    assign(
      emit,
      d,
      apply((v) => extension(word)!(v!), read(register(c))),
    );
  } else return false;
  return true;
}

/** The condition of CBZ, CBNZ, TBZ, TBNZ, read from its operands up to the label. */
export function zeroTest(c: Cursor, word: string): Expr {
  const r = read(register(c));
  comma(c);
  const wantZero = word === 'CBZ' || word === 'TBZ';
  const answer = (v: bigint): bigint => ((v === 0n) === wantZero ? 1n : 0n);
  if (word.startsWith('C')) return apply((v) => answer(v!), r);
  const bit = immediate(c);
  comma(c);
  return apply((v) => answer((v! >> bit) & 1n), r);
}

/** The condition of B.cond. */
export function branchTest(word: string): Expr | undefined {
  const test = conditionCode(word);
  return test && flagTest(test);
}
