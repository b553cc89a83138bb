// Sampling of runs, for what is too big to explore. It can find a bug, it can prove nothing: without one the verdict is
// 'cut off'. PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of
// Finding Bugs", ASPLOS 2010: with n tasks, k moves and depth d a run finds a bug of depth d with 1 / (n k^(d-1)) or more.
import type { Scenario } from '../linux/scenario.js';
import { sizesOf } from '../linux/scenario.js';
import type { Scheme } from '../linux/scheme.js';
import type { Task } from '../linux/system.js';
import { deadlock } from './deadlock.js';
import { moveCode } from './effects.js';
import { bugVerdict, type ExploreOptions } from './explore.js';
import { begin, type Machine, machine, move, movesOf, refresh, unfinished } from './machine.js'; // biome-ignore format: one line
import { type Draw, draws } from './random.js';
import { scout } from './scout.js';
import type { Bounds, Verdict } from './verdict.js';

export interface SampleOptions extends Omit<ExploreOptions, 'maxStates' | 'grain'> {
  readonly by: 'random' | 'pct';
  readonly runs: number;
  readonly seed: number;
  /** PCT's depth: the number of ordering constraints a bug needs; 3 unless told. */
  readonly depth?: number;
}

/** Moves after which a run is given up (it may never end). */
const MAX_MOVES = 100_000;

/** Picks the task of the next move, of those that can move. */
type Pick = (able: readonly Task[], n: number) => Task;

const randomly =
  (draw: Draw): Pick =>
  (able) =>
    able[draw(able.length)]!;

/** PCT: highest priority first; at depth - 1 random moves the task that would go falls below all others. */
function pct(draw: Draw, tasks: number, depth: number, length: number): Pick {
  const priority = Array.from({ length: tasks }, (_, i) => depth + i);
  for (let i = tasks - 1; i > 0; i--) {
    const j = draw(i + 1);
    [priority[i], priority[j]] = [priority[j]!, priority[i]!];
  }
  const changes = Array.from({ length: depth - 1 }, () => draw(Math.max(1, length)));
  const best = (able: readonly Task[]): Task =>
    able.reduce((a, b) => (priority[b.id]! > priority[a.id]! ? b : a));
  return (able, n) => {
    changes.forEach((at, i) => {
      if (at === n) priority[best(able).id] = depth - 1 - i;
    });
    return best(able);
  };
}

/** One run: its moves, and whether it went wrong. */
function run(m: Machine, pick: Pick, draw: Draw): number[] {
  const codes: number[] = [];
  begin(m);
  while (!m.sys.fault && codes.length < MAX_MOVES) {
    const able = m.sys.tasks.filter((t) => movesOf(m, t).n > 0);
    if (able.every((t) => movesOf(m, t).queues)) {
      if (unfinished(m).length > 0) m.sys.fault = deadlock(m);
      break;
    }
    const task = pick(able, codes.length);
    const { n, queues } = movesOf(m, task);
    const outcome = n > 1 ? draw(n) : 0;
    codes.push(moveCode(task.id, outcome, queues));
    move(m, task, outcome, queues);
  }
  return codes;
}

/**
 * Make `runs` runs of `scenario` under `scheme`: 'bug' with the run that showed it (not a shortest one), else 'cut off'.
 * @throws RangeError for sizes the scenario does not have.
 */
export function sample(scenario: Scenario, scheme: Scheme, options: SampleOptions): Verdict {
  const sizes = sizesOf(scenario, options.sizes ?? {});
  const variant = [...(options.variant ?? [])].sort();
  const { by, seed, runs } = options;
  const depth = options.depth ?? 3;
  const m = machine(scenario.build(scheme, sizes, variant));
  scout(m);
  const draw = draws(seed);
  let longest = 1;
  let made = 0;
  let moves = 0;
  const bounds = (): Bounds => ({ sizes, variant, max_states: 0, sampled: { by, seed, runs: made, ...(by === 'pct' ? { depth } : {}) } }); // biome-ignore format: one line
  const seen = { states: 0, transitions: 0 };
  while (made < runs) {
    refresh(m);
    const pick = by === 'random' ? randomly(draw) : pct(draw, m.sys.tasks.length, depth, longest);
    const codes = run(m, pick, draw);
    made++;
    moves += codes.length;
    longest = Math.max(longest, codes.length);
    const { fault } = m.sys;
    seen.transitions = moves;
    if (fault) return { ...bugVerdict(scenario, scheme, m, codes, fault, bounds(), seen), runs: made }; // biome-ignore format: one line
    if ((made & 0xff) === 0) options.progress?.(made);
  }
  return {
    scenario: scenario.name,
    scheme: scheme.name,
    memory: 'sc',
    verdict: 'cut off',
    kind: null,
    steps: null,
    ...seen,
    runs: made,
    bounds: bounds(),
    token: null,
    counterexample: [],
    explanation: null,
  };
}
