import type { Expr, Instr } from '../engines/memory/program.js';
import { apply, type Register } from './operands.js';

/** Takes the next instruction of a thread. */
export type Emit = (i: Instr) => void;

/** Write `e`, cut to the width of `r`. */
export const assign = (emit: Emit, r: Register, e: Expr): void =>
  emit({ op: 'set', dst: r.reg ?? -1, e: apply((v) => BigInt.asUintN(r.bits, v!), e) });
