import type { System } from '../../linux/system.js';
import { type Automaton, automaton } from '../automaton.js';
import type { Strength, World } from './kernel-access.js';
import { type Message, type Messages, messages, tableAt } from './kernel-messages.js';
import { runTask, type TaskRuns } from './kernel-run.js';
import type { TaskState } from './kernel-state.js';
import { alike, canonical, twins } from './kernel-twins.js';

export interface SearchOptions {
  readonly strength: Strength;
  /** Memories (sequences of messages) visited at most. */
  readonly memories: number;
  /** Steps left out, by the name of the kernel function that does them. */
  readonly omit: ReadonlySet<string>;
  /** Told of each memory in which every task comes to its end, and of each task's own words there. */
  readonly ended?: (memory: readonly Message[], own: readonly ReadonlySet<string>[]) => void;
}

/** The end of a search: a bug with the runs that show it, or nothing found. */
export interface SearchResult {
  readonly bug:
    | { readonly who: number; readonly runs: readonly (TaskState | undefined)[] }
    | undefined;
  /** Memory of the bug, as message numbers from index 1. */
  readonly memory: readonly number[];
  readonly all: Messages;
  readonly cutOff: boolean;
  /** Memories visited; of these, with every task at its end; runs of single tasks; messages of the longest. */
  readonly memories: number;
  readonly complete: number;
  readonly taskRuns: number;
  readonly longest: number;
}

/** Thrown when a task touches what it was not known to touch. */
class Grown extends Error {}

interface Seat {
  readonly world: World;
  readonly automaton: Automaton;
  readonly touched: Set<number>;
  readonly known: Map<string, TaskRuns>;
  /** Runs made, not counting those that were known. */
  runs: number;
}

/** Does the message with this number concern the task of `seat`? */
function concerns(sys: System, all: Messages, seat: Seat, id: number): boolean {
  const m = all.list[id]!;
  const { task } = seat.world;
  if (m.who === task.id) return true;
  switch (m.kind) {
    case 'ipi':
      return m.on === task.cpu;
    case 'gp':
      return seat.touched.has(RCU);
    case 'key':
      return seat.touched.has(m.on) || sys.textCpus.includes(task.cpu);
    default:
      return seat.touched.has(m.on);
  }
}

/** Stands for 'has RCU sections' among the places a task touches. */
const RCU = -1;

function seats(sys: System, all: Messages, options: SearchOptions, touched: Set<number>[]): Seat[] {
  const note = (mine: Set<number>, at: number): void => {
    const table = tableAt(sys, at);
    if (mine.has(at) && (table === 0 || mine.has(table))) return;
    mine.add(at);
    if (table !== 0) mine.add(table);
    throw new Grown();
  };
  return sys.tasks.map((task) => {
    const mine = touched[task.id]!;
    const isPrivate = (at: number): boolean =>
      touched.every((other, id) => {
        const table = tableAt(sys, at);
        return id === task.id || !(other.has(at) || (table !== 0 && other.has(table)));
      });
    const touch = (at: number): void => note(mine, at);
    const { strength, omit } = options;
    const world: World = { sys, task, all, strength, omit, touch, isPrivate };
    return { world, automaton: automaton(sys, task), touched: mine, known: new Map(), runs: 0 };
  });
}

/** What one task can do against the part of `memory` that concerns it, computed once per such part. */
function runsOf(sys: System, all: Messages, seat: Seat, memory: readonly number[]): TaskRuns {
  const part = [-1];
  let key = '';
  for (let t = 1; t < memory.length; t++) {
    const id = memory[t]!;
    if (!concerns(sys, all, seat, id)) continue;
    part.push(id);
    key += String.fromCharCode(id);
  }
  const known = seat.known.get(key);
  if (known) return known;
  const made = runTask(seat.world, seat.automaton, part);
  // A memory is visited once: only a part of one can come again.
  if (part.length < memory.length) seat.known.set(key, made);
  seat.runs++;
  return made;
}

interface Tally {
  cutOff: boolean;
  complete: number;
  longest: number;
}

function search(
  sys: System,
  options: SearchOptions,
  touched: Set<number>[],
  groups: readonly number[][],
): SearchResult | undefined {
  const all = messages();
  const table = seats(sys, all, options, touched);
  const visited = new Set(['']);
  const queue = [''];
  const tally: Tally = { cutOff: false, complete: 0, longest: 0 };
  const result = (bug: SearchResult['bug'], memory: readonly number[]): SearchResult => {
    const taskRuns = table.reduce((n, seat) => n + seat.runs, 0);
    return { bug, memory, all, memories: visited.size, taskRuns, ...tally };
  };
  for (let head = 0; head < queue.length; head++) {
    const memory = [-1, ...Array.from(queue[head]!, (c) => c.charCodeAt(0))];
    queue[head] = '';
    const runs = table.map((seat) => runsOf(sys, all, seat, memory));
    if (!runs.every((r) => r.certified)) continue;
    tally.longest = Math.max(tally.longest, memory.length - 1);
    const who = runs.findIndex((r) => r.faulty);
    if (who >= 0) {
      // Once more against the whole memory, so that times are those of `memory`.
      const kept = table.map((seat) => runTask(seat.world, seat.automaton, memory, true));
      return result({ who, runs: kept.map((r, i) => (i === who ? r.faulty : r.sample)) }, memory);
    }
    if (runs.every((r, i) => r.complete || sys.tasks[i]!.daemon)) {
      tally.complete++;
      options.ended?.(memory.slice(1).map((id) => all.list[id]!), runs.map((r) => r.ends)); // biome-ignore format: one line
    }
    for (const r of runs)
      for (const id of r.next) {
        const longer = [...memory, id];
        const key = String.fromCharCode(...longer.slice(1));
        if (visited.has(key) || !canonical(groups, all, longer)) continue;
        if (visited.size >= options.memories) {
          tally.cutOff = true;
          continue;
        }
        visited.add(key);
        queue.push(key);
      }
  }
  const same = groups.every((g) =>
    g.every((id) => alike(table[g[0]!]!.automaton, table[id]!.automaton)),
  );
  return same ? result(undefined, [-1]) : undefined;
}

/**
 * Search every memory of `sys` under a memory model, promise first. Starts again whenever a task touches a word that it
 * was not known to touch, so that the last search rests on nothing it did not see itself.
 * @throws Unsupported for steps without rules (alloc, hardware walks).
 */
export function searchMemories(sys: System, options: SearchOptions): SearchResult {
  const touched = sys.tasks.map(() => new Set<number>([RCU]));
  let groups = twins(sys);
  for (;;) {
    try {
      const found = search(sys, options, touched, groups);
      if (found) return found;
      groups = []; // they were no twins after all
    } catch (e) {
      if (!(e instanceof Grown)) throw e;
    }
  }
}
