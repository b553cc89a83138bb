// The kernel stacks that each CPU keeps for the next fork. C: kernel/fork.c (6.12)

/** Stacks a CPU keeps. */
export const NR_CACHED_STACKS = 2;

/** First pages of the stacks each CPU keeps, -1 for an empty place. C: cached_stacks */
export type CachedStacks = number[][];
/** All places empty. */
export const cachedStacks = (cpus: number): CachedStacks =>
  Array.from({ length: cpus }, () => new Array<number>(NR_CACHED_STACKS).fill(-1));

/** A stack out of the first place that holds one, else -1. */
export function take(kept: number[]): number {
  const i = kept.findIndex((page) => page >= 0);
  if (i < 0) return -1;
  const page = kept[i]!;
  kept[i] = -1;
  return page;
}

/** Put a stack into the first empty place; false if there is none. C: try_release_thread_stack_to_cache() */
export function keep(kept: number[], page: number): boolean {
  const i = kept.indexOf(-1);
  if (i < 0) return false;
  kept[i] = page;
  return true;
}
