// A bug of the promising model told as a list of steps. Messages stand in the order of the memory; a task's other steps
// stand where they are in its program. A store that others see before steps that precede it in its program is marked.
import type { System } from '../../linux/system.js';
import { type Done, describe, objectName, placeOf } from '../describe.js';
import { lockWatch } from '../trail.js';
import type { Move } from '../verdict.js';
import type { SearchResult } from './kernel-search.js';
import type { TaskState, Trace } from './kernel-state.js';

/** A step of one task, waiting to be told. */
interface Entry {
  readonly who: number;
  readonly trace: Trace;
  told: boolean;
}

const silent = new Set([
  'fence', 'branch', 'tlbi', 'might-sleep', 'context', 'work', 'trace', 'forget',
]); // biome-ignore format: a list

/** The steps of a run that matter: to its last message within the memory, or to its fault. */
function entries(s: TaskState | undefined, who: number, last: number, faulty: boolean): Entry[] {
  const list: Entry[] = [];
  for (let t = s?.trace; t; t = t.before) list.unshift({ who, trace: t, told: false });
  const ends = faulty
    ? list.findIndex((e) => e.trace.faulty)
    : list.findLastIndex((e) => e.trace.time !== undefined && e.trace.time <= last);
  // What precedes in program order, and what is promised already though it follows the fault.
  return list.filter(
    (e, i) => i <= ends || (faulty && e.trace.time !== undefined && e.trace.time <= last),
  );
}

/** An order of all steps: programs' order, but no message before an older one, and no read before what it read. */
function linear(lists: Entry[][], last: number): { entry: Entry; early: boolean }[] {
  const out: { entry: Entry; early: boolean }[] = [];
  let next = 1;
  const tell = (entry: Entry, early: boolean): void => {
    entry.told = true;
    out.push({ entry, early });
    if (entry.trace.time === next) next++;
  };
  const possible = ({ trace }: Entry): boolean =>
    (trace.time === undefined || trace.time <= next || trace.time > last) &&
    (trace.reads ?? 0) < next;
  for (;;) {
    const heads = lists.flatMap((l) => l.find((e) => !e.told) ?? []);
    if (heads.length === 0) return out;
    const ready = heads.find((e) => possible(e) && !e.trace.faulty) ?? heads.find(possible);
    const waiting = lists.flat().find((e) => !e.told && e.trace.time === next);
    if (ready) tell(ready, false);
    else tell(waiting ?? heads[0]!, waiting !== undefined);
  }
}

/** The rows of the counterexample that `r` found; empty if it found none. */
export function weakMoves(sys: System, r: SearchResult): Move[] {
  const { bug, memory } = r;
  if (!bug) return [];
  const last = memory.length - 1;
  const lists = bug.runs.map((s, who) => entries(s, who, last, who === bug.who));
  const locks = lockWatch(sys);
  const rows: Move[] = [];
  for (const { entry, early } of linear(lists, last)) {
    const { step, result } = entry.trace;
    if (silent.has(step.op)) continue;
    const task = sys.tasks[entry.who]!;
    const value = step.op === 'write' ? step.value : result;
    const d: Omit<Done, 'held'> = { task, step, value, queued: false };
    const done: Done = { ...d, held: locks(task, d) };
    const text = `${describe(sys, done)}${early ? ' (early)' : ''}`;
    const on = objectName(sys, placeOf(step));
    const op = step.by ?? step.op;
    rows.push({
      n: rows.length + 1,
      cpu: task.cpu,
      task: task.name,
      op,
      on,
      value,
      text,
      held: done.held,
    });
  }
  return rows;
}
