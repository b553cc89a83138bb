import type { Scenario } from '../linux/scenario.js';
import type { Scheme } from '../linux/scheme.js';
import { type ExploreOptions, explore } from './explore.js';
import { exploreWeak } from './memory/weak.js';
import type { Memory, Verdict } from './verdict.js';

/** An exhaustive engine. */
export type Explorer = (scenario: Scenario, scheme: Scheme, options?: ExploreOptions) => Verdict;

/** The exhaustive engine of each memory model that has one; the CLI, tests and docs iterate over this. */
export const explorers: Partial<Record<Memory, Explorer>> = {
  sc: explore,
  tso: (scenario, scheme, options) => exploreWeak(scenario, scheme, 'tso', options),
  arm64: (scenario, scheme, options) => exploreWeak(scenario, scheme, 'arm64', options),
};
