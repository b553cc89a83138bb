// The one loop that follows a schedule: counterexamples, replay and samples all are told by it.
import type { Fault, System, Task } from '../linux/system.js';
import { type Done, describe, objectName, placeOf, telling } from './describe.js';
import { begin, type Machine, move, type Watch } from './machine.js';
import { decodeMove } from './search.js';
import type { Choice } from './token.js';
import type { Move } from './verdict.js';

/** A run as it went: its moves, each with all its steps. */
export interface Trail {
  /** Steps done before the first move, then those of each move. */
  readonly moves: Done[][];
  readonly schedule: Choice[];
  fault: Fault | undefined;
}

/** Locks each task holds, from the steps it does. */
export function lockWatch(sys: System): (task: Task, d: Omit<Done, 'held'>) => readonly string[] {
  const held = sys.tasks.map(() => [] as string[]);
  return (task, { step, value, queued }) => {
    const mine = held[task.id]!;
    const before = [...mine];
    if (queued || !/lock$/.test(step.op) || !('kind' in step)) return before;
    const name = `${objectName(sys, placeOf(step))} ${step.mode === 'read' ? 'R' : 'W'}`;
    if (step.op === 'unlock') mine.splice(mine.lastIndexOf(name), 1);
    else if (step.op === 'lock' || value === 1) mine.push(name);
    return before;
  };
}

/** What a step is told to have given: stores tell what they stored, keys their count. */
export function told(sys: System, step: Done['step'], result: number): number {
  if (step.op === 'write') return step.value;
  if (step.op === 'key') return sys.cells[step.on]!;
  return step.op === 'text' && step.mode === 'patch' ? (step.value ?? 0) : result;
}

/** Make the moves `codes` from the start, and tell of every step. */
export function follow(m: Machine, codes: readonly number[]): Trail {
  const { sys } = m;
  const trail: Trail = { moves: [[]], schedule: [], fault: undefined };
  const locks = lockWatch(sys);
  const watch: Watch = (task, step, result, queued, outcome) => {
    const d = { task, step, value: told(sys, step, result), queued };
    trail.moves[trail.moves.length - 1]!.push({ ...d, held: locks(task, d) });
    trail.schedule.push({ task: task.id, outcome, queues: queued });
  };
  begin(m, watch);
  for (const code of codes) {
    const { task, outcome, queues } = decodeMove(code);
    trail.moves.push([]);
    move(m, sys.tasks[task]!, outcome, queues, watch);
  }
  trail.fault = sys.fault;
  return trail;
}

/** One step as a row of a counterexample. */
export const row = (sys: System, n: number, d: Done): Move => ({
  n,
  cpu: d.task.cpu,
  task: d.task.name,
  op: d.step.by ?? d.step.op,
  on: objectName(sys, placeOf(d.step)),
  value: d.value,
  text: describe(sys, d),
  held: d.held,
  ...(d.faulty && { faulty: true }),
});

/** The rows of a trail: one per move, and the step at fault where it is another. */
export function rows(sys: System, trail: Trail): Move[] {
  const out: Move[] = [];
  for (const steps of trail.moves) {
    if (steps.length === 0) continue;
    const last = steps[steps.length - 1]!;
    const bad = trail.fault && last.step === trail.fault.step ? last : undefined;
    const first = trail.moves[0] === steps ? undefined : telling(steps);
    if (first) out.push(row(sys, out.length + 1, first));
    if (bad && bad !== first && trail.moves[trail.moves.length - 1] === steps)
      out.push(row(sys, out.length + 1, bad));
  }
  return out;
}
