// Steps that touch words of memory, and what every step may say.

/** A word of modelled kernel memory: an index into `System.cells`. 0 is NULL. Entries of one table are neighbours. */
export type Place = number;

/** Whose value, as this task last read it, a step depends on. */
export interface Deps {
  /** The address was computed from the value read here. */
  readonly addr?: Place;
  /** The value stored was computed from the value read here. */
  readonly data?: Place;
}

/** Orders of a load, as the C names: plain C load, READ_ONCE, smp_load_acquire. */
export type ReadMode = 'plain' | 'once' | 'acquire';
/** Orders of a store: WRITE_ONCE, smp_store_release. */
export type WriteMode = 'plain' | 'once' | 'release';
/** Orders of an atomic: the suffix of the C function; 'full' has none. */
export type AtomicMode = 'relaxed' | 'acquire' | 'release' | 'full';
/** Barriers by their instruction; the LKMM name stands in `memory.ts`. */
export type FenceMode =
  | 'dmb ish' | 'dmb ishld' | 'dmb ishst' | 'dsb ish' | 'dsb ishld' | 'dsb ishst' | 'isb'; // biome-ignore format: a table

/** What every step may say besides. */
export interface Common {
  /** The kernel function that does it, for people and for variants: `omit` drops steps by this name. */
  readonly by?: string;
  /**
   * No other task need run between this step and the next: a mover argument that stands in a comment beside it.
   * The explorer joins the two under SC; every other engine ignores it, and tests check that verdicts do not change.
   */
  readonly joined?: true;
  /**
   * A loop is back at its head, the same step as the one it was entered by, and nothing of its turns is remembered. The
   * weak-memory engine goes on from the first turn; every other engine ignores it, and tests check that verdicts do not change.
   */
  readonly again?: boolean;
}

export interface Read extends Common, Deps {
  readonly op: 'read';
  readonly on: Place;
  readonly mode: ReadMode;
}
export interface Write extends Common, Deps {
  readonly op: 'write';
  readonly on: Place;
  readonly value: number;
  readonly mode: WriteMode;
}
/** Atomic read-modify-write; the result is the old value. `cas` stores `value` if the old one is `expect`. */
export interface Rmw extends Common, Deps {
  readonly op: 'rmw';
  readonly on: Place;
  readonly fn: 'add' | 'xchg' | 'cas' | 'or' | 'andnot';
  readonly value: number;
  readonly expect?: number;
  readonly mode: AtomicMode;
}
/** A barrier. ISB also lets the CPU see patched text; DSB ISH also completes TLBI before it. */
export interface Fence extends Common {
  readonly op: 'fence';
  readonly mode: FenceMode;
}
/** The task's control flow from here on depends on what it last read at `on`. */
export interface Branch extends Common {
  readonly op: 'branch';
  readonly on: Place;
}
/** Blocks until the word at `on` compares so with `value` (wait_event, swait, a completion); gives the value. Acquire. */
export interface Wait extends Common {
  readonly op: 'wait';
  readonly on: Place;
  readonly is: 'eq' | 'ne' | 'gt';
  readonly value: number;
}
