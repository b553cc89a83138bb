import { type Scenario, type Sizes, sizesOf } from '../linux/scenario.js';
import type { Scheme } from '../linux/scheme.js';
import type { Fault, System } from '../linux/system.js';
import { countRuns } from './count.js';
import { objectName, placeOf } from './describe.js';
import { type Grain, type Machine, machine, unfinished } from './machine.js';
import { pathTo, type Search, search } from './search.js';
import { type Choice, encodeToken } from './token.js';
import { follow, rows, type Trail } from './trail.js';
import type { Bounds, Memory, Move, Verdict } from './verdict.js';

/** What to explore, and how far. */
export interface ExploreOptions {
  readonly sizes?: Readonly<Record<string, number>>;
  readonly variant?: readonly string[];
  /** States after which the verdict is 'cut off'; 5 million unless told. */
  readonly maxStates?: number;
  readonly grain?: Grain;
  /** Told now and then how many states there are. */
  readonly progress?: (states: number) => void;
}

/** States after which a search gives up, unless told otherwise. */
export const MAX_STATES = 5_000_000;

/** What went wrong, where and by whom, in one sentence. */
function explanation(m: Machine, fault: Fault, moves: readonly Move[]): string {
  if (fault.kind === 'deadlock') return `deadlock: ${waiters(m).join('; ')}`;
  return explained(m.sys, fault, moves);
}

/** What went wrong at the step of `moves` that is marked, or at the last, in one sentence. */
export function explained(sys: System, fault: Fault, moves: readonly Move[]): string {
  const last = moves.find((r) => r.faulty) ?? moves[moves.length - 1];
  const who = last ? `${last.task} (cpu ${last.cpu})` : 'a task';
  const what = objectName(sys, fault.on) || last?.text || '';
  if (fault.kind === 'wild access')
    return `wild access: ${who} followed an entry that was cleared under it`;
  if (fault.kind === 'sleeping in atomic context')
    return `sleeping in atomic context: ${who} at ${last?.op ?? fault.step.op}`;
  const freed = moves.find((r) => r.text.startsWith('free(') && r.on === what && r !== last);
  const by = freed ? `, freed at step ${freed.n} by ${freed.task} (cpu ${freed.cpu})` : '';
  return `${fault.kind}: ${who} touched ${what}${by}`;
}

/** Who waits for what, once nobody moves. */
function waiters(m: Machine): string[] {
  return unfinished(m).map((t) => {
    const step = m.automata[t.id]!.steps[m.nodes[t.id]!]!;
    return `${t.name} waits at ${step.by ?? step.op}(${objectName(m.sys, placeOf(step))})`;
  });
}

/** Sizes that are not the scenario's own: a token carries those. */
const unusual = (scenario: Scenario, sizes: Sizes): Sizes =>
  Object.fromEntries(Object.entries(sizes).filter(([name, n]) => n !== scenario.sizes[name]!.preset)); // biome-ignore format: one line

/** The token of a run of `scenario` under `scheme`. */
export const tokenOf = (
  scenario: Scenario,
  scheme: Scheme,
  memory: Memory,
  { sizes, variant }: Bounds,
  schedule: readonly Choice[],
): string =>
  encodeToken({ scenario: scenario.name, scheme: scheme.name, memory, sizes: unusual(scenario, sizes), variant, schedule }); // biome-ignore format: one line

/** The verdict 'bug' for the run that makes the moves `codes`. */
export function bugVerdict(
  scenario: Scenario,
  scheme: Scheme,
  m: Machine,
  codes: readonly number[],
  fault: Fault,
  bounds: Bounds,
  seen: { readonly states: number; readonly transitions: number },
): Verdict {
  const trail: Trail = follow(m, codes);
  const counterexample = rows(m.sys, trail);
  const { schedule } = trail;
  return {
    scenario: scenario.name,
    scheme: scheme.name,
    memory: 'sc',
    verdict: 'bug',
    kind: fault.kind,
    steps: counterexample.length,
    ...seen,
    runs: 1,
    bounds,
    token: tokenOf(scenario, scheme, 'sc', bounds, schedule),
    counterexample,
    explanation: explanation(m, fault, counterexample),
  };
}

/** The verdict a finished search gives. */
function verdictOf(
  scenario: Scenario,
  scheme: Scheme,
  m: Machine,
  s: Search,
  bounds: Bounds,
): Verdict {
  // biome-ignore format: short
  const seen = { states: s.states.set.count, transitions: s.transitions };
  if (s.found) {
    const { state, code, fault } = s.found;
    const codes = [...pathTo(s, state), ...(code >= 0 ? [code] : [])];
    return bugVerdict(scenario, scheme, m, codes, fault, bounds, seen);
  }
  return {
    scenario: scenario.name,
    scheme: scheme.name,
    memory: 'sc',
    verdict: s.complete ? 'safe' : 'cut off',
    kind: null,
    steps: null,
    ...seen,
    runs: s.complete ? (countRuns(s)?.all ?? null) : null,
    bounds,
    token: null,
    counterexample: [],
    explanation: null,
  };
}

/**
 * Explore every interleaving of `scenario` under `scheme` with sequential consistency: 'bug' with a shortest
 * counterexample, 'safe' over all runs, or 'cut off' at `maxStates`.
 * @throws RangeError for sizes the scenario does not have.
 * @example explore(scenarios['pmd-free'], schemes.v3, { sizes: { readers: 2 } }).steps // 13
 */
export function explore(scenario: Scenario, scheme: Scheme, options: ExploreOptions = {}): Verdict {
  const sizes = sizesOf(scenario, options.sizes ?? {});
  const variant = [...(options.variant ?? [])].sort();
  const maxStates = options.maxStates ?? MAX_STATES;
  const m = machine(scenario.build(scheme, sizes, variant), options.grain);
  const { progress } = options;
  const s = search(m, progress ? { maxStates, progress } : { maxStates });
  const bounds: Bounds = { sizes, variant, max_states: maxStates };
  return verdictOf(scenario, scheme, m, s, bounds);
}
