/** One indivisible act of modelled kernel code that other CPUs can see. */
export interface Step {
  /** What is done, in the field's words: 'read', 'write', 'lock', 'tlbi' ... */
  readonly op: string;
}

/**
 * Modelled kernel code. `yield` announces a step; resuming performs it and hands back its result.
 * Always called with `yield*`.
 */
export type Kernel<T = void> = Generator<Step, T, unknown>;
