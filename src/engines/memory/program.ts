/**
 * The programs the memory models run: straight register machines, one per thread.
 * A litmus file is assembled into this form; registers carry the dependencies.
 */

/** A function of registers; its result depends on every register listed, whatever its value. */
export interface Expr {
  readonly regs: readonly number[];
  readonly f: (...values: bigint[]) => bigint;
}

/** Barriers, by what they order; the sharability domain is not modelled (all observers share one). */
export type Fence = 'full' | 'ld' | 'st' | 'dsb.st' | 'isb';

/** How a load takes part in acquire: '' plain, 'Q' LDAPR (RCpc), 'A' LDAR (RCsc). */
export type Acquire = '' | 'Q' | 'A';

/** What a thread does with one location. */
export type Instr =
  | { readonly op: 'set'; readonly dst: number; readonly e: Expr }
  | {
      /** CSEL and its kin: only the chosen operand flows as data; the flags are a pick dependency. */
      readonly op: 'select';
      readonly dst: number;
      readonly flags: number;
      readonly test: (nzcv: bigint) => boolean;
      readonly yes: Expr;
      readonly no: Expr;
    }
  | {
      readonly op: 'branch';
      readonly cond: Expr | undefined;
      readonly target: number;
      /** The condition rests on nothing read from memory: no bound is needed, as the loop has but one course. */
      readonly settled: boolean;
    }
  | {
      readonly op: 'load';
      readonly dst: number;
      readonly addr: Expr;
      readonly size: number;
      readonly acquire: Acquire;
      readonly exclusive: boolean;
      readonly extend: (v: bigint) => bigint;
    }
  | {
      readonly op: 'store';
      readonly addr: Expr;
      readonly size: number;
      readonly data: Expr;
      readonly release: boolean;
    }
  | {
      readonly op: 'stxr';
      readonly status: number;
      readonly addr: Expr;
      readonly size: number;
      readonly data: Expr;
      readonly release: boolean;
    }
  | {
      readonly op: 'rmw';
      readonly dst: number;
      readonly addr: Expr;
      readonly size: number;
      readonly data: Expr;
      readonly update: (old: bigint, data: bigint) => bigint;
      readonly acquire: boolean;
      readonly release: boolean;
      /** The result register is ZR: the read is no longer an acquire, and DMB LD does not order it. */
      readonly noReturn: boolean;
      /** The value read flows into the value written (LDADD, not SWP). */
      readonly carries: boolean;
    }
  | {
      readonly op: 'cas';
      readonly dst: number;
      readonly addr: Expr;
      readonly size: number;
      readonly compare: Expr;
      readonly data: Expr;
      readonly acquire: boolean;
      readonly release: boolean;
      readonly noReturn: boolean;
    }
  | { readonly op: 'fence'; readonly kind: Fence }
  | { readonly op: 'clrex' };

/** One memory cell: its address as seen in registers, and its first value. */
export interface Cell {
  readonly name: string;
  readonly address: bigint;
  readonly init: bigint;
  /** Bytes; 0: any, nothing declares it. */
  readonly size: number;
}

export interface Thread {
  readonly code: readonly Instr[];
  /** First values of the registers. */
  readonly regs: readonly bigint[];
  /** Registers whose last values are asked for. */
  readonly observed: readonly number[];
}

export interface Program {
  readonly cells: readonly Cell[];
  readonly threads: readonly Thread[];
  /** Cells whose last values are asked for, as indices into `cells`. */
  readonly observed: readonly number[];
  /** An instruction is gone back to at most this often in one run of a thread (`settled` branches apart). */
  readonly unroll: number;
}

/** Rounds of a settled loop after which it is taken for an endless one. */
export const ENDLESS = 4096;

/** Last values: the observed registers thread by thread, then the observed cells. */
export type FinalState = readonly bigint[];

/** Every final state of a program under one memory model. */
export interface Outcomes {
  readonly states: readonly FinalState[];
  /** Runs were cut off because a loop went round more than `unroll` times. */
  readonly cutOff: boolean;
  /** Nodes of the search (memories for promise-first, machine states for SC and TSO). */
  readonly nodes: number;
}

/** An access no cell can answer: a wild address, or a size that is not the cell's. Instruction `pc` of thread `who`. */
export class BadAccess extends Error {
  constructor(
    readonly who: number,
    readonly pc: number,
    message: string,
  ) {
    super(message);
  }
}

/** The largest search a litmus test may need before it is given up with an error. */
export class TooLarge extends Error {}

/** Finds the cell that instruction `pc` of thread `who` accesses. */
export type Locate = (who: number, pc: number, address: bigint) => number;

/**
 * The cells of a program by address; a wild access or one of another size throws BadAccess. A cell of no declared size
 * has that of the first access.
 */
export function locator(p: Program): Locate {
  const index = new Map(p.cells.map((c, i) => [c.address, i]));
  const sizes = p.cells.map((c) => c.size);
  return (who, pc, address) => {
    const cell = index.get(address);
    const i = p.threads[who]!.code[pc]!;
    if (cell === undefined)
      throw new BadAccess(
        who,
        pc,
        `P${who} accesses address 0x${address.toString(16)}, where no location lies`,
      );
    const { name } = p.cells[cell]!;
    const size = (sizes[cell] ||= 'size' in i ? i.size : 0);
    if ('size' in i && i.size !== size)
      throw new BadAccess(
        who,
        pc,
        `P${who} accesses ${i.size} bytes of '${name}', which has ${size}: mixed-size accesses are not supported`,
      );
    return cell;
  };
}

/** Value of `e` over register values. */
export function evaluate(e: Expr, regs: readonly bigint[]): bigint {
  const [a, b, c] = e.regs;
  if (a === undefined) return e.f();
  if (b === undefined) return e.f(regs[a]!);
  if (c === undefined) return e.f(regs[a]!, regs[b]!);
  return e.f(...e.regs.map((r) => regs[r]!));
}
