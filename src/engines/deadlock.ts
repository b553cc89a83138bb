import type { Fault } from '../linux/system.js';
import { placeOf } from './describe.js';
import { type Machine, unfinished } from './machine.js';

/** Somebody is left, and nobody can go on: told of the first who waits. */
export function deadlock(m: Machine): Fault {
  const [task] = unfinished(m);
  const step = m.automata[task!.id]!.steps[m.nodes[task!.id]!]!;
  return { kind: 'deadlock', on: placeOf(step), step };
}
