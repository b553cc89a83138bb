import { type Scenario, sizesOf } from '../../linux/scenario.js';
import type { Scheme } from '../../linux/scheme.js';
import { objectName } from '../describe.js';
import type { ExploreOptions } from '../explore.js';
import type { Memory, Verdict } from '../verdict.js';
import { type SearchResult, searchMemories } from './kernel-search.js';
import { weakMoves } from './kernel-trail.js';

/** Memories after which a weak-memory search gives up, unless told otherwise. */
export const MAX_MEMORIES = 100_000;

/**
 * The block that vmalloc sets behind a free is left out: a walk does the same at a block as at an empty entry, and its
 * place in the order of all writes would multiply the memories.
 */
const OMITTED = ['set_pmd'];

export interface PromisesOptions extends Pick<ExploreOptions, 'sizes' | 'variant' | 'maxStates'> {
  /** Steps left out, by kernel function; the default is set_pmd. */
  readonly omit?: readonly string[];
}

function explanation(
  sys: ReturnType<Scenario['build']>,
  found: NonNullable<SearchResult['bug']>,
): string {
  const task = sys.tasks[found.who]!;
  const fault = found.runs[found.who]!.fault!;
  return `${fault.kind}: ${task.name} (cpu ${task.cpu}) touched ${objectName(sys, fault.on)}`;
}

/**
 * Search a scenario under a scheme in the promising model: `arm64`, or `tso` and `sc` as the same with stronger accesses.
 * 'safe' covers every order of all writes, lock acts, key flips and interrupts, with every promise; one by one, so this is the
 * engine to hold exploreWeak against where there are few. Here a waiting writer blocks nobody, which only adds runs; `omit` is
 * left out; deadlocks and sleeping in atomic context are not looked for. A counterexample has no token.
 * `states` are memories, `transitions` runs of single tasks, `runs` memories in which every task comes to its end.
 * @throws RangeError for sizes the scenario lacks; Unsupported for steps without rules (alloc, hardware walks).
 */
export function explorePromises(
  scenario: Scenario,
  scheme: Scheme,
  memory: Memory,
  options: PromisesOptions = {},
): Verdict {
  const sizes = sizesOf(scenario, options.sizes ?? {});
  const variant = [...(options.variant ?? [])].sort();
  const memories = options.maxStates ?? MAX_MEMORIES;
  const sys = scenario.build(scheme, sizes, variant);
  const omit = new Set(options.omit ?? OMITTED);
  const found = searchMemories(sys, { strength: memory, memories, omit });
  const moves = weakMoves(sys, found);
  const { bug } = found;
  return {
    scenario: scenario.name,
    scheme: scheme.name,
    memory,
    verdict: bug ? 'bug' : found.cutOff ? 'cut off' : 'safe',
    kind: bug ? bug.runs[bug.who]!.fault!.kind : null,
    steps: bug ? moves.length : null,
    states: found.memories,
    transitions: found.taskRuns,
    runs: bug ? 1 : found.cutOff ? null : found.complete,
    bounds: { sizes, variant, max_states: memories },
    token: null,
    counterexample: moves,
    explanation: bug ? explanation(sys, bug) : null,
  };
}
