import type { Scope } from './arm64-access.js';
import { type Runs, runAlone } from './arm64-run.js';
import type { Messages } from './arm64-state.js';
import { locator, type Outcomes, type Program, TooLarge } from './program.js';

/** One promised write in the memory all threads share; its place in the list is its timestamp. */
interface Message {
  readonly cell: number;
  readonly value: bigint;
  readonly who: number;
}

/** Thrown when a thread turns out to touch a cell it was not known to touch. */
class Grown extends Error {}

/** Which cells each thread touches; grows while exploring. */
type Touched = readonly Set<number>[];

function scopes(p: Program, touched: Touched): Scope[] {
  const locate = locator(p);
  return p.threads.map((thread, who) => ({
    thread,
    cells: p.cells,
    unroll: p.unroll,
    cellOf(pc, address) {
      const cell = locate(who, pc, address);
      if (!touched[who]!.has(cell)) {
        touched[who]!.add(cell);
        throw new Grown();
      }
      return cell;
    },
    isPrivate: (cell) => touched.every((set, other) => other === who || !set.has(cell)),
  }));
}

/** The part of the memory that thread `who` can tell apart, as a list of messages and as a key. */
function project(
  memory: readonly Message[],
  who: number,
  cells: Set<number>,
): { key: string; mem: Messages } {
  const mem: Messages = { cell: [-1], value: [0n], mine: [false] };
  let key = '';
  for (const m of memory) {
    if (!cells.has(m.cell)) continue;
    mem.cell.push(m.cell);
    mem.value.push(m.value);
    mem.mine.push(m.who === who);
    key += `${m.cell}${m.who === who ? '!' : '='}${m.value},`;
  }
  return { key, mem };
}

/** All final states of a memory in which every thread kept all its promises. */
function collect(
  p: Program,
  memory: readonly Message[],
  runs: readonly Runs[],
  touched: Touched,
  into: Map<string, readonly bigint[]>,
): void {
  const last = (cell: number, ends: readonly (readonly bigint[])[]): bigint => {
    for (let i = memory.length - 1; i >= 0; i--)
      if (memory[i]!.cell === cell) return memory[i]!.value;
    const owner = touched.findIndex((set) => set.has(cell));
    if (owner < 0) return p.cells[cell]!.init;
    return ends[owner]![p.threads[owner]!.observed.length + cell]!;
  };
  const pick = (who: number, ends: readonly (readonly bigint[])[]): void => {
    if (who < runs.length) {
      for (const end of runs[who]!.finals.values()) pick(who + 1, [...ends, end]);
      return;
    }
    const registers = ends.flatMap((e, i) => e.slice(0, p.threads[i]!.observed.length));
    const state = [...registers, ...p.observed.map((cell) => last(cell, ends))];
    into.set(state.join(), state);
  };
  pick(0, []);
}

function search(p: Program, touched: Touched, limit: number): Outcomes {
  const all = scopes(p, touched);
  const known = all.map(() => new Map<string, Runs>());
  const finals = new Map<string, readonly bigint[]>();
  const visited = new Set(['']);
  const stack: (readonly Message[])[] = [[]];
  let cutOff = false;
  while (stack.length > 0) {
    const memory = stack.pop()!;
    const runs = all.map((scope, who) => {
      const { key, mem } = project(memory, who, touched[who]!);
      let r = known[who]!.get(key);
      if (!r) known[who]!.set(key, (r = runAlone(scope, mem)));
      return r;
    });
    cutOff ||= runs.some((r) => r.cutOff);
    if (runs.every((r) => r.finals.size > 0)) collect(p, memory, runs, touched, finals);
    for (let who = 0; who < runs.length; who++)
      for (const { cell, value } of runs[who]!.next.values()) {
        const longer = [...memory, { cell, value, who }];
        const key = longer.map((m) => `${m.who}:${m.cell}=${m.value}`).join();
        if (visited.has(key)) continue;
        if (visited.size >= limit) throw new TooLarge(`more than ${limit} memories`);
        visited.add(key);
        stack.push(longer);
      }
  }
  return { states: [...finals.values()], cutOff, nodes: visited.size };
}

/**
 * Every final state of a program under Promising-ARM, explored promise first: the writes are put
 * into one global order, and in each such memory every thread runs alone and must keep its
 * promises. Threads are memoised on the part of memory they touch; cells that one thread alone
 * touches take no part in the order.
 * @throws TooLarge after `limit` memories; BadAccess for a wild access.
 */
export function arm64(p: Program, limit = 2_000_000): Outcomes {
  const touched = p.threads.map(() => new Set<number>());
  for (;;) {
    try {
      return search(p, touched, limit);
    } catch (e) {
      if (!(e instanceof Grown)) throw e;
    }
  }
}
