import type { FinalState, Program } from '../engines/memory/program.js';

/** exists, ~exists (never), forall. */
export type Quantifier = 'exists' | '~exists' | 'forall';

/** A declared type: how values are compared and printed. */
export interface Type {
  readonly bytes: number;
  readonly signed: boolean;
}

/** What registers and locations are that nothing declares, as for herd7: an int. */
export const INT: Type = { bytes: 4, signed: true };

/** Bytes of address space that belong to one location: an address in there is a symbol to herd7. */
export const SPAN = 0x10000n;

/** A named memory location of a test: one cell, or an array of them. */
export interface Location {
  readonly name: string;
  /** Address of the first cell. */
  readonly address: bigint;
  /** Bytes of one cell; 0 where neither a declaration nor an access says. */
  size: number;
  readonly type: Type;
  readonly init: bigint[];
  /** Declared with [n]. */
  readonly array: boolean;
}

/** What a condition or a state talks about; `element` is one cell of an array. */
export type Place =
  | { readonly kind: 'reg'; readonly thread: number; readonly reg: number; readonly type: Type }
  | { readonly kind: 'location'; readonly location: Location }
  | { readonly kind: 'element'; readonly location: Location; readonly index: number };

export type Condition =
  | { readonly op: 'true' | 'false' }
  | { readonly op: 'not'; readonly a: Condition }
  | { readonly op: 'and' | 'or' | 'implies'; readonly a: Condition; readonly b: Condition }
  | { readonly op: 'equal'; readonly place: Place; readonly values: readonly bigint[] }
  | { readonly op: 'same'; readonly place: Place; readonly other: Place };

/** A litmus test, ready to run. */
export interface LitmusTest {
  readonly name: string;
  readonly quantifier: Quantifier;
  readonly condition: Condition;
  /** Only states that satisfy it count; undefined: all. */
  readonly filter: Condition | undefined;
  readonly program: Program;
  /** What a state shows, in herd's order: registers, locations, elements of arrays. */
  readonly shown: readonly Place[];
  /** The values of a place in a final state of `program`: one, or those of a whole array. */
  values(p: Place, state: FinalState): readonly bigint[];
  readonly locations: ReadonlyMap<string, Location>;
  /** 'file:line:column' of instruction `pc` of thread `who`. */
  where(who: number, pc: number): string;
}

/** Registers X0..X30 have their own numbers; NZCV and a scratch register come behind. */
export const NZCV = 31;
export const SCRATCH = 32;
export const REGISTERS = 33;

/** Number of a register called X0..X30 or W0..W30; undefined for anything else. */
export function registerNumber(name: string): number | undefined {
  const m = /^[XW](\d|[12]\d|30)$/i.exec(name);
  return m ? Number(m[1]) : undefined;
}
