import { type Scenario, sizesOf } from '../../linux/scenario.js';
import type { Scheme } from '../../linux/scheme.js';
import type { System } from '../../linux/system.js';
import { type ExploreOptions, explained, explore, tokenOf } from '../explore.js';
import type { Bounds, Memory, Verdict } from '../verdict.js';
import { MAX_WINDOW } from './flat-moves.js';
import { replayFlat, scheduleTo } from './flat-run.js';
import { searchFlat } from './flat-search.js';

/** States after which a search of a weak memory model gives up, unless told otherwise. */
export const MAX_WEAK_STATES = 3_000_000;

export interface WeakOptions extends Omit<ExploreOptions, 'grain'> {
  /** Look under sequential consistency before; off in tests of the search itself. */
  readonly scFirst?: boolean;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Search a scenario under a scheme in a weak memory model, every step of every task performed in every order that the model
 * allows: `arm64`, or `tso` and `sc` as the same with stronger accesses. States are hashed, so orders that come to the same
 * are looked at once. A run under sequential consistency is a run of every weaker model: it is looked for first, and where
 * one goes wrong the verdict is its; the counterexample then needs no reordering. Deadlocks and sleeping in atomic context are
 * looked for there only, since here a waiting writer blocks nobody.
 * @throws RangeError for sizes the scenario lacks; Unsupported for steps without rules (alloc, hardware walks).
 */
export function exploreWeak(
  scenario: Scenario,
  scheme: Scheme,
  memory: Memory,
  options: WeakOptions = {},
): Verdict {
  const sizes = sizesOf(scenario, options.sizes ?? {});
  const variant = [...(options.variant ?? [])].sort();
  const maxStates = options.maxStates ?? MAX_WEAK_STATES;
  const { progress, scFirst = true } = options;
  const sc = scFirst ? explore(scenario, scheme, { ...options, maxStates }) : undefined;
  if (sc?.verdict === 'bug') return { ...sc, memory };
  const build = (): System => scenario.build(scheme, sizes, variant);
  const model = { strength: memory, omit: NOTHING };
  const search = {
    ...model,
    eager: true,
    merge: true,
    maxStates,
    ...(progress && { progress }),
  };
  const { m, s } = searchFlat(build(), search);
  const narrow = m.known.narrow ? { max_window: MAX_WINDOW } : {};
  const bounds: Bounds = { sizes, variant, max_states: maxStates, ...narrow };
  const base = { scenario: scenario.name, scheme: scheme.name, memory, states: s.states.count, transitions: s.transitions, bounds }; // biome-ignore format: one line
  if (!s.found)
    return { ...base, verdict: s.cutOff ? 'cut off' : 'safe', kind: null, steps: null, runs: null, token: null, counterexample: [], explanation: null }; // biome-ignore format: one line
  const schedule = scheduleTo(m, s, s.found.state);
  const { steps } = replayFlat(build(), model, schedule);
  return {
    ...base,
    verdict: 'bug',
    kind: s.found.fault.fault.kind,
    steps: steps.length,
    runs: 1,
    token: tokenOf(scenario, scheme, memory, bounds, schedule),
    counterexample: steps,
    explanation: explained(m.sys, s.found.fault.fault, steps),
  };
}
