import type { Scenario } from '../linux/scenario.js';
import { sizesOf } from '../linux/scenario.js';
import type { Scheme } from '../linux/scheme.js';
import { type Fault, FREED, type System } from '../linux/system.js';
import { objectName, placeOf } from './describe.js';
import { type Grain, type Machine, machine, unfinished } from './machine.js';
import { countRuns, pathTo, type Search, search } from './search.js';
import { encodeToken } from './token.js';
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
  const { sys } = m;
  const last = moves[moves.length - 1];
  if (fault.kind === 'deadlock') return `deadlock: ${waiters(m).join('; ')}`;
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

/** Tables freed at the end of a trail, for tests and messages. */
export const freedTables = (sys: System): string[] =>
  sys.regions
    .filter((r) => r.kind === 'table' && sys.cells[r.base - 1] === FREED)
    .map((r) => r.name);

/** The verdict a finished search gives. */
function verdictOf(
  scenario: string,
  scheme: string,
  m: Machine,
  s: Search,
  bounds: Bounds,
  memory: Memory,
): Verdict {
  // biome-ignore format: short
  const base = {
    scenario,
    scheme,
    memory,
    kind: null,
    steps: null,
    states: s.states.count,
    transitions: s.transitions,
    bounds,
    token: null,
    counterexample: [],
    explanation: null,
  };
  if (!s.found) {
    if (!s.complete) return { ...base, verdict: 'cut off', runs: null };
    return { ...base, verdict: 'safe', runs: countRuns(s) };
  }
  const { state, code, fault } = s.found;
  const trail: Trail = follow(m, [...pathTo(s, state), ...(code >= 0 ? [code] : [])]);
  const counterexample = rows(m.sys, trail);
  const run = { scenario, scheme, memory, sizes: bounds.sizes, variant: bounds.variant };
  return {
    ...base,
    verdict: 'bug',
    kind: fault.kind,
    steps: counterexample.length,
    runs: 1,
    token: encodeToken({ ...run, schedule: trail.schedule }),
    counterexample,
    explanation: explanation(m, fault, counterexample),
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
  return verdictOf(scenario.name, scheme.name, m, s, bounds, 'sc');
}
