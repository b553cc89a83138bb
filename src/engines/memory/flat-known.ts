// What a search takes for granted of all tasks together. It is learnt while searching; when something new contradicts what
// was taken for granted the search starts again, so that the last one rests on nothing it did not see itself.

/** Thrown when the search has to start again. */
export class Grown extends Error {}

export interface Known {
  /** All words before the run. */
  readonly start: Float64Array;
  /** Values each word may hold: what a read that is not yet performed may be assumed to give. */
  readonly values: Map<number, Set<number>>;
  /** Words that change, in the order they were met. */
  readonly varying: Set<number>;
  /** Tasks that store to each word, tasks that were taken to be the only one: bits. */
  readonly writers: Map<number, number>;
  readonly alone: Map<number, number>;
  /** Locks that somebody tries. */
  readonly tried: Set<number>;
  /** CPUs that execute patched text. */
  readonly testers: Set<number>;
  /** A window grew past what is allowed: what is behind was not looked at. */
  narrow: boolean;
  /** Values that any word may hold: those a schedule names. */
  named: readonly number[];
}

export const known = (start: Float64Array): Known => ({
  start,
  values: new Map(),
  varying: new Set(),
  writers: new Map(),
  alone: new Map(),
  tried: new Set(),
  testers: new Set(),
  narrow: false,
  named: [],
});

/** All values that `word` may hold, as far as is known. */
export function valuesOf(k: Known, word: number): number[] {
  return [...new Set([k.start[word] ?? 0, ...(k.values.get(word) ?? []), ...k.named])];
}

/** Note that `word` may hold `value`; throws if that is new. */
export function learnValue(k: Known, word: number, value: number): void {
  if (k.start[word] === value) return;
  let values = k.values.get(word);
  if (!values) k.values.set(word, (values = new Set()));
  learn(values, value);
}

/** Note that `task` stores to `word`; throws if another was taken to be alone there. */
export function learnWriter(k: Known, word: number, task: number): void {
  const bit = 1 << task;
  const writers = k.writers.get(word) ?? 0;
  if (writers & bit) return;
  k.writers.set(word, writers | bit);
  if ((k.alone.get(word) ?? 0) & ~bit) throw new Grown();
}

/** Does, as far as is known, no other task than `task` store to `word`? */
export function readsAlone(k: Known, word: number, task: number): boolean {
  const bit = 1 << task;
  if ((k.writers.get(word) ?? 0) & ~bit) return false;
  k.alone.set(word, (k.alone.get(word) ?? 0) | bit);
  return true;
}

/** Note it in `set`; throws if that is new. */
export function learn(set: Set<number>, item: number): void {
  if (set.has(item)) return;
  set.add(item);
  throw new Grown();
}
