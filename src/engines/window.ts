import { type Scenario, sizesOf } from '../linux/scenario.js';
import type { Scheme } from '../linux/scheme.js';
import { countRuns } from './count.js';
import { type ExploreOptions, MAX_STATES } from './explore.js';
import { machine } from './machine.js';
import { search } from './search.js';

/** The size of a race, in interleavings; nulls where they cannot be counted. */
export interface RaceWindow {
  readonly scenario: string;
  readonly scheme: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly variant: readonly string[];
  /** All interleavings (a run ends where it goes wrong). */
  readonly runs: number | null;
  /** Those that go wrong. */
  readonly bad: number | null;
  /** bad / runs: no probability on a machine, where steps take different times. */
  readonly share: number | null;
  readonly states: number;
}

/**
 * Count the interleavings of `scenario` under `scheme`, and how many go wrong, under sequential consistency.
 * @throws RangeError for sizes the scenario does not have.
 */
export function raceWindow(
  scenario: Scenario,
  scheme: Scheme,
  options: ExploreOptions = {},
): RaceWindow {
  const sizes = sizesOf(scenario, options.sizes ?? {});
  const variant = [...(options.variant ?? [])].sort();
  const maxStates = options.maxStates ?? MAX_STATES;
  const s = search(machine(scenario.build(scheme, sizes, variant)), { maxStates, exhaust: true });
  const counted = s.complete ? countRuns(s) : null;
  return {
    scenario: scenario.name,
    scheme: scheme.name,
    sizes,
    variant,
    runs: counted?.all ?? null,
    bad: counted?.bad ?? null,
    share: counted ? counted.bad / counted.all : null,
    states: s.states.set.count,
  };
}
