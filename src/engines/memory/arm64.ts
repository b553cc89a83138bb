import type { Scope } from './arm64-access.js';
import { type Runs, runAlone } from './arm64-run.js';
import type { Fresh, Messages } from './arm64-state.js';
import { locator, type Outcomes, type Program, TooLarge } from './program.js';

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

/**
 * The part of a memory that one thread can tell apart: the writes to cells it touches, in their order. Memories with the
 * same projections for every thread have the same future, so they are one node of the search.
 */
interface Projection {
  readonly id: number;
  readonly mem: Messages;
  runs: Runs | undefined;
  /** By the next message. */
  readonly longer: Map<string, Projection>;
}

/** All projections of one thread, made on demand from an empty memory. */
function projections(scope: Scope) {
  let made = 0;
  const add = (mem: Messages): Projection => ({ id: made++, mem, runs: undefined, longer: new Map() }); // biome-ignore format: one line
  return {
    empty: add({ cell: [-1], value: [0n], mine: [false] }),
    append(p: Projection, { cell, value }: Fresh, mine: boolean): Projection {
      const key = `${cell}${mine ? '!' : '='}${value}`;
      let next = p.longer.get(key);
      if (next) return next;
      const { mem } = p;
      next = add({ cell: [...mem.cell, cell], value: [...mem.value, value], mine: [...mem.mine, mine] }); // biome-ignore format: one line
      p.longer.set(key, next);
      return next;
    },
    runs: (p: Projection): Runs => (p.runs ??= runAlone(scope, p.mem)),
  };
}

/** All final states of a memory in which every thread kept all its promises. */
function collect(
  p: Program,
  memory: readonly Projection[],
  runs: readonly Runs[],
  touched: Touched,
  into: Map<string, readonly bigint[]>,
): void {
  const last = (cell: number, ends: readonly (readonly bigint[])[]): bigint => {
    const owner = touched.findIndex((set) => set.has(cell));
    if (owner < 0) return p.cells[cell]!.init;
    const { mem } = memory[owner]!;
    const at = mem.cell.lastIndexOf(cell);
    if (at > 0) return mem.value[at]!;
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
  const threads = scopes(p, touched).map(projections);
  const finals = new Map<string, readonly bigint[]>();
  const visited = new Set<string>();
  const stack: (readonly Projection[])[] = [];
  const push = (memory: readonly Projection[]): void => {
    const key = memory.map((m) => m.id).join();
    if (visited.has(key)) return;
    if (visited.size >= limit) throw new TooLarge(`more than ${limit} memories`);
    visited.add(key);
    stack.push(memory);
  };
  let cutOff = false;
  push(threads.map((t) => t.empty));
  while (stack.length > 0) {
    const memory = stack.pop()!;
    const runs = threads.map((t, who) => t.runs(memory[who]!));
    cutOff ||= runs.some((r) => r.cutOff);
    if (runs.every((r) => r.finals.size > 0)) collect(p, memory, runs, touched, finals);
    runs.forEach((r, who) => {
      for (const message of r.next.values())
        push(
          threads.map((t, k) =>
            touched[k]!.has(message.cell) ? t.append(memory[k]!, message, k === who) : memory[k]!,
          ),
        );
    });
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
