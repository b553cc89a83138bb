import type { FaultKind } from '../linux/system.js';

/** Memory models by the name users give. */
export type Memory = 'sc' | 'tso' | 'arm64';

/** One step of a counterexample. */
export interface Move {
  readonly n: number;
  readonly cpu: number;
  readonly task: string;
  /** The kernel function, or what is done. */
  readonly op: string;
  /** The object, by name. */
  readonly on: string;
  /** What it gave or stored. */
  readonly value: number;
  /** For people: 'pXdp_get(pmd[0]) -> table 0'. */
  readonly text: string;
  /** Locks the task held when it did it: 'init_mm W'. */
  readonly held: readonly string[];
  /** Here it went wrong; without such a step it was at the last. (A weak run goes on until all it assumed has come true.) */
  readonly faulty?: boolean;
}

/** Over what a verdict was reached. */
export interface Bounds {
  readonly sizes: Readonly<Record<string, number>>;
  readonly variant: readonly string[];
  /** States after which the search gives up. */
  readonly max_states: number;
  /** Only where it was what cut a weak search off: steps fetched and not performed at most. */
  readonly max_window?: number;
  /** Only where runs were sampled: how, from which seed, how many. */
  readonly sampled?: { readonly by: 'random' | 'pct'; readonly seed: number; readonly runs: number; readonly depth?: number }; // biome-ignore format: one line
}

/** What an engine says: 'safe' only if every run within the bounds was covered. */
export interface Verdict {
  readonly scenario: string;
  readonly scheme: string;
  readonly memory: Memory;
  readonly verdict: 'safe' | 'bug' | 'cut off';
  readonly kind: FaultKind | null;
  /** Steps of the counterexample that others can see; null without one. */
  readonly steps: number | null;
  readonly states: number;
  readonly transitions: number;
  /** Interleavings covered ('safe'), runs made (sampled), 1 for a counterexample; null where there is no such number. */
  readonly runs: number | null;
  readonly bounds: Bounds;
  /** For `ptlab replay`; null without a counterexample. */
  readonly token: string | null;
  readonly counterexample: readonly Move[];
  /** What went wrong, in a sentence; null without a counterexample. */
  readonly explanation: string | null;
}
