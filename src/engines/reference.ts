// The explorer to believe: runs whole runs, flipping the last choice that has another. No hashing, no automata, no joining
// of steps, and a fresh system for each run. For small systems, as the peer the fast one is tested against.
import type { Step } from '../linux/step.js';
import { BLOCKED, outcomes, perform, QUEUES, queue, READY, ready } from '../linux/system/act.js';
import type { System } from '../linux/system.js';

/** What all runs together showed. */
export interface Reference {
  readonly runs: number;
  /** Kinds of faults, sorted. */
  readonly kinds: string[];
  /** Fewest steps to a fault; each step counts. */
  readonly shortest: number | null;
  /** Words of memory at the end of runs without fault: each set once, sorted. */
  readonly finals: string[];
  /** False if `maxRuns` was hit. */
  readonly complete: boolean;
}

/** Explore all runs of the systems `build` makes (the same each time), or the first `maxRuns`. */
export function exploreByRerun(build: () => System, maxRuns = 100_000): Reference {
  const kinds = new Set<string>();
  const finals = new Set<string>();
  let shortest: number | null = null;
  let choices: number[] = [];
  for (let runs = 1; ; runs++) {
    const { options, end, kind } = oneRun(build(), choices);
    if (kind === undefined) finals.add(end);
    else {
      kinds.add(kind);
      shortest = Math.min(shortest ?? Number.POSITIVE_INFINITY, options.length);
    }
    choices = choices.concat(new Array(options.length - choices.length).fill(0));
    while (choices.length > 0 && choices[choices.length - 1]! + 1 >= options[choices.length - 1]!)
      choices.pop();
    if (choices.length === 0 || runs >= maxRuns)
      return { runs, kinds: [...kinds].sort(), shortest, finals: [...finals].sort(), complete: choices.length === 0 }; // biome-ignore format: one line
    choices[choices.length - 1]!++;
  }
}

/** One run by `choices`, then first choices; how many there were at each step. */
function oneRun(sys: System, choices: readonly number[]) {
  const generators = sys.tasks.map((t) => t.run(sys));
  const next: (Step | undefined)[] = generators.map((g) => g.next(0)).map((r) => r.value as Step | undefined); // biome-ignore format: one line
  const options: number[] = [];
  for (;;) {
    const moves = sys.tasks.flatMap((task) => {
      const step = next[task.id];
      const is = step ? ready(sys, task, step) : BLOCKED;
      if (!step || is === BLOCKED) return [];
      return Array.from({ length: is === READY ? outcomes(sys, task, step) : 1 }, (_, outcome) => ({ task, step, is, outcome })); // biome-ignore format: one line
    });
    const stuck = moves.every((m) => m.is === QUEUES);
    const late = sys.tasks.some((t) => !t.daemon && next[t.id]);
    const kind = sys.fault?.kind ?? (stuck && late ? 'deadlock' : undefined);
    if (kind !== undefined || stuck)
      return { options, kind, end: sys.cells.subarray(0, sys.used).join() };
    const { task, step, is, outcome } = moves[choices[options.length] ?? 0]!;
    options.push(moves.length);
    if (is === QUEUES) queue(sys, task, step);
    else next[task.id] = generators[task.id]!.next(perform(sys, task, step, outcome)).value as Step | undefined; // biome-ignore format: one line
  }
}
