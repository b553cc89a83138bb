/**
 * The contract between modelled kernel code and the engines.
 *
 * Kernel code is a generator that announces steps and is resumed with their results. A step is a plain record: it says
 * what is done and holds no code, so that every engine can do it in its own way:
 *
 * - the explorer (sequential consistency) performs it with `system/act.ts` on `System.cells`, a vector it copies and
 *   hashes; where a step has several outcomes or must wait, `act.ts` says so;
 * - a weak-memory engine takes `read`, `write`, `rmw`, `fence`, `branch`, `rcu`, `gp`, `lock`, `unlock`, `key`, `text`, `ipi` and `free`
 *   into its own hands: what a value depends on is in `addr`, `data` and `branch`. Where nothing is said it assumes no
 *   dependency, so a forgotten declaration is a false alarm, never a missed bug;
 * - the simulator costs it by `op`, `mode` and `n`, and logs it as an event;
 * - the sequential runner (`run.ts`) performs it at once.
 *
 * A dependency names the place whose value, as this task last read it, was used: `{ addr: pmdp }` says "the address of
 * this access was computed from what I last read at pmdp". There are no other registers.
 *
 * No kernel code may branch on whether memory was freed: use after free is found by the engine (`free` poisons the
 * table), since a test in the walker would be a control dependency the kernel does not have.
 */

import type { Branch, Common, Deps, Fence, Place, Read, Rmw, Wait, Write } from './step/access.js';

export type * from './step/access.js';

/** Take a lock; blocks. Spinlocks and mutexes have mode 'write' only. Sleeping locks check the context (might_sleep). */
export interface Lock extends Common {
  readonly op: 'lock';
  readonly on: Place;
  readonly kind: 'rwsem' | 'mutex' | 'spinlock';
  readonly mode: 'read' | 'write';
}
/** Try a lock; gives 1 if it was taken, 0 if not. Never blocks. */
export interface TryLock extends Common {
  readonly op: 'trylock';
  readonly on: Place;
  readonly kind: 'rwsem' | 'mutex' | 'spinlock';
  readonly mode: 'read' | 'write';
}
export interface Unlock extends Common {
  readonly op: 'unlock';
  readonly on: Place;
  readonly kind: 'rwsem' | 'mutex' | 'spinlock';
  readonly mode: 'read' | 'write';
}
/** RCU read-side section. */
export interface Rcu extends Common {
  readonly op: 'rcu';
  readonly mode: 'lock' | 'unlock';
}
/** A grace period: 'begin' notes the sections now open, 'wait' blocks until those have ended. Full barriers both. */
export interface GracePeriod extends Common {
  readonly op: 'gp';
  readonly mode: 'begin' | 'wait';
}
/**
 * A whole static_branch_enable, disable, inc or dec in one step: counter, text, and every CPU's view of it.
 * Used where the internals of jump_label.c do not matter; fully ordered. Gives 1 if the text changed.
 */
export interface Key extends Common {
  readonly op: 'key';
  readonly on: Place;
  readonly mode: 'enable' | 'disable' | 'inc' | 'dec';
}
/**
 * Patched text of a key. 'patch' stores the new instruction and cleans the caches to the point of unification
 * (dc cvau; dsb ish; ic ivau; dsb ish; isb): other CPUs may go on with the old one until an ISB or IPI. 'test' executes
 * the instruction on this CPU: 1 if it branches.
 *
 * To patch is for runs with the variant 'jump-label': in others a Key step flips the text everywhere at once.
 */
export interface Text extends Common {
  readonly op: 'text';
  readonly on: Place;
  readonly mode: 'patch' | 'test';
  readonly value?: number;
}
/** One CPU's part of kick_all_cpus_sync: the IPI is taken on `cpu`, which is a context synchronisation there. */
export interface Ipi extends Common {
  readonly op: 'ipi';
  readonly cpu: number;
}
/** Broadcast TLB invalidation, walk caches included ('vaae1is': of one address's tables; 'vmalle1is': all). */
export interface Tlbi extends Common {
  readonly op: 'tlbi';
  readonly mode: 'vaae1is' | 'vaale1is' | 'vmalle1is';
  /** The entry or address invalidated, for the log. */
  readonly on?: Place;
  /** How many invalidations (a range). */
  readonly n?: number;
}
/**
 * One move of a hardware walker: follow the table in this CPU's walk cache at `on`, or, if it holds none, fill it from the
 * entry `entry`. TLBI empties the caches; one move is indivisible, since a DSB waits for walks that have begun.
 */
export interface HwWalk extends Common {
  readonly op: 'hw-walk';
  readonly on: Place;
  readonly entry: Place;
}
/** A zeroed table of `n` entries, as its first entry's place; 0 when there is no memory. */
export interface Alloc extends Common {
  readonly op: 'alloc';
  readonly n: number;
}
/** Give the table that begins at `on` back. Poisons it: a later access is a use after free, a second free a double free. */
export interface Free extends Common, Deps {
  readonly op: 'free';
  readonly on: Place;
}
/** The point where a kernel with DEBUG_ATOMIC_SLEEP complains: a bug where the context forbids sleeping. */
export interface MightSleep extends Common {
  readonly op: 'might-sleep';
}
/** The context: preempt_disable/enable, local_irq_save/restore. Sleeping is forbidden while a depth is above 0. */
export interface Context extends Common {
  readonly op: 'context';
  readonly mode: 'atomic' | 'sleepable' | 'irqs-off' | 'irqs-on';
}
/** One of `n` outcomes, 0 to n - 1, that the model does not decide (allocation failure, timer). The runner takes 0. */
export interface Choose extends Common {
  readonly op: 'choose';
  readonly n: number;
  readonly what: string;
}
/**
 * Forget: what this task does from here on depends on nothing it has read, but on `key` (where it is, and what it
 * remembers). Lets the
 * explorer merge histories; tests check that it changes no verdict. Keys of one task that mean different places differ.
 */
export interface Forget extends Common {
  readonly op: 'forget';
  readonly key: string;
}
/** Work no other CPU can see half done (fill `n` unpublished entries, compare a line of a dump): only cost. */
export interface Work extends Common {
  readonly op: 'work';
  readonly what: string;
  readonly n: number;
}
/** A tracepoint or probe: only an event in the log. */
export interface Trace extends Common {
  readonly op: 'trace';
  readonly what: string;
  readonly fields: Readonly<Record<string, number | bigint | string>>;
}

/** One indivisible act of modelled kernel code that other CPUs can see, or a mark for the engines. */
export type Step =
  | Read | Write | Rmw | Fence | Branch | Wait | Lock | TryLock | Unlock | Rcu | GracePeriod | Key | Text | Ipi
  | Tlbi | HwWalk | Alloc | Free | MightSleep | Context | Choose | Forget | Work | Trace; // biome-ignore format: a table

/**
 * Modelled kernel code. `yield` announces a step; resuming performs it and hands back its result (0 where a step has
 * none). Always called with `yield*`. The explorer and replay run a generator again over recorded results to get back to
 * where it was, so code they run may decide by results and by what does not change in a run (geometry, scheme, variant)
 * only. Code that also keeps plain data of its own (the vmalloc model's trees) can be run and simulated, not explored.
 */
export type Kernel<T = void> = Generator<Step, T, number>;
