// Reads of words that no other task stores to are done at once: done later they give the same, and hold back more. Who stores
// where is learnt while searching. Not before the beginning of an RCU section: what is done behind it opens the section.
import type { Entry } from './flat-entry.js';
import { readsAlone } from './flat-known.js';
import type { Draft } from './flat-local.js';
import { type FlatMachine, type FlatWatch, localOf, make } from './flat-machine.js';
import { type Move, movesOf } from './flat-moves.js';
import { results } from './flat-results.js';

const isPending = (e: Entry): boolean => e.r || e.w;
const waiting = (d: Draft): number => d.window.filter(isPending).length;

/** The read of `task` that is to be done at once, if there is one. One that passes steps not fetched so far is none. */
function alone(m: FlatMachine, task: number): Move | undefined {
  const local = localOf(m, task);
  return movesOf(m.seats[task]!, local.id).find(({ part, step, draft, entry, index }) => {
    if (part !== 'read' || step.op !== 'read' || waiting(draft) !== waiting(local)) return false;
    if (draft.window.some((e, i) => i < index && e.kind === 'enter' && !e.open)) return false;
    return readsAlone(m.known, entry!.at, task);
  });
}

/** Make `move` and, where the machine is eager, the reads that are done at once; false if one of them gave what it was not assumed to give. */
export function makeOn(
  m: FlatMachine,
  task: number,
  move: Move,
  result: number,
  watch?: FlatWatch,
): boolean {
  make(m, task, move, result, watch);
  if (!m.options.eager) return true;
  for (let next = alone(m, task); next; next = alone(m, task)) {
    const [value] = results(m, task, next);
    if (value === undefined) return false;
    make(m, task, next, value, watch && ((who, step, part, got) => watch(who, step, part, got, undefined))); // biome-ignore format: one line
  }
  return true;
}
