import type { Task } from '../linux/system.js';
import { words } from './footprint.js';
import { begin, type Machine, move, movesOf, refresh } from './machine.js';
import { gcd } from './packed.js';

/** A scout gives up then: a task may spin for ever on a word that only another changes. */
const MAX_MOVES = 10_000;

/**
 * Learn who touches what, and what values words take, from a few runs, each task first once and then by turns, so that
 * the search that follows seldom finds an assumption wrong. A pure matter of speed.
 */
export function scout(m: Machine): void {
  const { tasks, cells } = m.sys;
  const touched: number[] = [];
  const note = (word: number) => touched.push(word);
  m.asked = (task, step) => {
    for (const word of touched.splice(0)) {
      const value = cells[word]!;
      if (value < m.least[word]!) m.least[word] = value;
      if (value > m.most[word]!) m.most[word] = value;
      m.unit[word] = gcd(m.unit[word]!, Math.abs(value - m.start[word]!));
    }
    words(m.sys, task, step, note);
  };
  for (let run = 0; run < 2 * tasks.length; run++) {
    refresh(m);
    begin(m);
    const turns = tasks.map((_, i) => tasks[(run + i) % tasks.length]!);
    let left = MAX_MOVES;
    if (run < tasks.length) while (left-- > 0 && scoutMove(m, turns[0]!, run));
    while (left-- > 0 && turns.filter((task) => scoutMove(m, task, run)).length > 0);
  }
  delete m.asked;
}

/** One move of `task`, whatever it leads to; false if it has none. */
function scoutMove(m: Machine, task: Task, run: number): boolean {
  const { n, queues } = movesOf(m, task);
  if (n === 0) return false;
  move(m, task, run % n, queues);
  m.sys.fault = undefined;
  return true;
}
