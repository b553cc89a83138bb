import type { System } from '../linux/system.js';
import type { Done } from './describe.js';
import { type Ending, type Recorder, runSchedule } from './run.js';
import type { Choice } from './token.js';
import { lockWatch, row, told } from './trail.js';
import type { Move } from './verdict.js';

/** A schedule, followed again: every step, and how it ended. */
export interface Replay extends Ending {
  readonly steps: readonly Move[];
}

/**
 * Follow `schedule` in `sys` (fresh from its scenario), and hand each step to `record` (`recorder` of run.ts
 * makes it an event). The same schedule gives
 * the same steps.
 * @throws RangeError if the schedule does not fit the system.
 */
export function replay(sys: System, schedule: readonly Choice[], record?: Recorder): Replay {
  const locks = lockWatch(sys);
  const steps: Move[] = [];
  const ending = runSchedule(sys, schedule, (task, step, result, queued) => {
    const d = { task, step, value: told(sys, step, result), queued };
    const done: Done = { ...d, held: locks(task, d) };
    steps.push(row(sys, steps.length + 1, done));
    record?.(done, steps.length);
  });
  return { ...ending, steps };
}
