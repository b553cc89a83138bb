// What an atomic does to the word, in every engine of weak memory.
import type { Rmw } from '../../linux/step.js';

const updates: Readonly<Record<Rmw['fn'], (old: number, step: Rmw) => number>> = {
  add: (old, step) => old + step.value,
  xchg: (_old, step) => step.value,
  cas: (_old, step) => step.value,
  or: (old, step) => old | step.value,
  andnot: (old, step) => old & ~step.value,
};

/** What an atomic that read `old` stores; undefined if nothing. */
export const stored = (step: Rmw, old: number): number | undefined =>
  step.fn === 'cas' && old !== step.expect ? undefined : updates[step.fn](old, step);
