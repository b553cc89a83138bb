// A run under out-of-order execution, told step by step: each store where it reaches memory, each read where it takes its
// value. A step done before steps that precede it in its program is marked early.
import type { System } from '../../linux/system.js';
import type { Done } from '../describe.js';
import type { Ending, Recorder } from '../run.js';
import type { Choice } from '../token.js';
import { lockWatch, row, told } from '../trail.js';
import type { Move as Row } from '../verdict.js';
import { makeOn } from './flat-alone.js';
import { Grown } from './flat-known.js';
import { type FlatMachine, type FlatOptions, flatMachine, make, restart } from './flat-machine.js'; // biome-ignore format: one line
import { type Move, movesOf } from './flat-moves.js';
import { results } from './flat-results.js';
import type { FlatSearch } from './flat-search.js';
import { stored } from './rmw.js';

/** A step of the run that was found: whose, which, what part of it. */
interface Performed {
  readonly task: number;
  readonly step: Move['step'];
  readonly part: Move['part'];
  readonly result: number;
  readonly guesses: readonly number[];
}

/** The steps performed on the way to state `to`; what is done besides behind the last fault is left out. */
function performedTo(m: FlatMachine, s: FlatSearch, to: number): Performed[] {
  const path: number[] = [];
  for (let at = to; at > 0; at = s.from.data[at]!) path.push(at);
  const out: Performed[] = [];
  let needed = 0;
  restart(m);
  for (const at of path.reverse()) {
    const by = s.by.data[at]!;
    const task = by % 32;
    const move = movesOf(m.seats[task]!, m.at[task]!)[by >> 5]!;
    const before = m.sys.fault;
    let last = before;
    makeOn(m, task, move, s.result.data[at]!, (who, step, part, result, made) => {
      out.push({ task: who, step, part, result, guesses: made?.guesses ?? [] });
      if (made || last === before) needed = out.length;
      last = m.sys.fault;
    });
  }
  return out.slice(0, needed);
}

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** The outcome a choice must name: all others follow from the memory. */
const named = (move: Move, result: number): number =>
  move.part === 'fetch' || move.step.op === 'trylock' ? result : 0;

/** The move of `task` that does this step, where nothing is done at once. */
function moveFor(m: FlatMachine, p: Performed): Move {
  const moves = movesOf(m.seats[p.task]!, m.at[p.task]!);
  const found = moves.find(
    (x) =>
      x.step === p.step &&
      x.part === p.part &&
      equal(x.guesses, p.guesses) &&
      results(m, p.task, x).includes(p.result),
  );
  if (!found) throw new Error(`a run cannot be told: ${p.step.op} of task ${p.task}`);
  return found;
}

/** The schedule of the run to state `to`: every step performed, one by one. */
export function scheduleTo(m: FlatMachine, s: FlatSearch, to: number): Choice[] {
  const steps = performedTo(m, s, to);
  const plain = flatMachine(m.sys, { ...m.options, eager: false }, m.automata);
  const { known, futures } = m;
  Object.assign(plain, { known, futures });
  restart(plain);
  return steps.map((p) => {
    const move = moveFor(plain, p);
    make(plain, p.task, move, p.result);
    const { index, guesses, fresh } = move;
    const more = { ...(index > 0 && { index }), ...(guesses.length > 0 && { guesses }) };
    return { task: p.task, outcome: named(move, p.result), queues: !fresh, ...more };
  });
}

/** The move that `choice` asks for, and its result. */
function chosen(m: FlatMachine, choice: Choice): { move: Move; result: number } | undefined {
  const seat = m.seats[choice.task];
  if (!seat) return undefined;
  for (const move of movesOf(seat, m.at[choice.task]!)) {
    if (move.index !== (choice.index ?? 0) || move.fresh === choice.queues) continue;
    if (!equal(move.guesses, choice.guesses ?? [])) continue;
    const result = results(m, choice.task, move).find((r) => named(move, r) === choice.outcome);
    if (result !== undefined) return { move, result };
  }
  return undefined;
}

/** Does the step show nothing: the store of a lock that was taken before? */
const shown = (move: Move): boolean => !(move.part === 'store' && move.entry!.kind === 'lock');

/** How `move` is told. */
function tell(
  m: FlatMachine,
  task: number,
  move: Move,
  result: number,
  locks: ReturnType<typeof lockWatch>,
): Done {
  const { sys } = m;
  const t = sys.tasks[task]!;
  const { step, draft, index, entry, part } = move;
  const early = draft.window.some((e, i) => i < index && (e.r || e.w));
  const d = { task: t, step, value: told(sys, step, result), queued: false };
  const stores =
    part === 'store' && step.op === 'rmw' ? { storesOnly: stored(step, entry!.value)! } : {};
  return { ...d, ...stores, ...(early && { early }), held: locks(t, d) };
}

function attempt(m: FlatMachine, schedule: readonly Choice[], told: Done[]): void {
  restart(m);
  const locks = lockWatch(m.sys);
  schedule.forEach((choice, i) => {
    const found = chosen(m, choice);
    if (!found)
      throw new RangeError(`step ${i + 1} of the schedule cannot be done: it was made with another version of the scheme or scenario`); // biome-ignore format: one line
    const { move, result } = found;
    const before = m.sys.fault;
    make(m, choice.task, move, result);
    if (!shown(move)) return;
    const d = tell(m, choice.task, move, result, locks);
    told.push(m.sys.fault === before ? d : { ...d, faulty: true });
  });
}

/**
 * Follow `schedule` in `sys` (fresh from its scenario): every step, and how it ended. The same schedule gives the same steps.
 * @throws RangeError naming the step that cannot be done.
 */
export function replayFlat(
  sys: System,
  options: Omit<FlatOptions, 'eager'>,
  schedule: readonly Choice[],
  record?: Recorder,
): Ending & { readonly steps: readonly Row[] } {
  const m = flatMachine(sys, { ...options, eager: false });
  m.known.named = [...new Set(schedule.flatMap((c) => c.guesses ?? []))];
  const seen: Done[] = [];
  for (;;) {
    seen.length = 0;
    try {
      attempt(m, schedule, seen);
      break;
    } catch (e) {
      if (!(e instanceof Grown)) throw e;
    }
  }
  const steps = seen.map((d, i) => row(sys, i + 1, d));
  for (const [i, d] of seen.entries()) record?.(d, i + 1);
  return { kind: sys.fault?.kind ?? null, stuck: [], steps };
}
