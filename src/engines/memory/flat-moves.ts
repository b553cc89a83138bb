// All a task can do next: perform any part of a fetched step that nothing before it holds back, fetching further steps past
// those that wait. Reads that are passed are assumed to give each value their word may hold; a run in which one does not come
// true is no run.
import type { Step } from '../../linux/step.js';
import { assumed, barrier, type Entry, failed, hasRead } from './flat-entry.js';
import { learn, valuesOf } from './flat-known.js';
import { behind, type Draft, type Effect, entryFor, fetchOrder, intern, lags, openBefore, type Seat, settle, stepAt, withoutStore } from './flat-local.js'; // biome-ignore format: one line
import { type Ahead, ahead, pending, readable, synchronisable, type Window, writable } from './flat-window.js'; // biome-ignore format: one line

/** The local a move leads to, and what is done besides. */
export interface After {
  readonly to: number;
  readonly effects: readonly Effect[];
}

export interface Move {
  /** A read, a store, an ISB of the window; patched text executed or a choice made; a whole step with nothing pending. */
  readonly part: 'read' | 'store' | 'isb' | 'fetch' | 'whole';
  readonly step: Step;
  /** The task as it is fetched so far. */
  readonly draft: Draft;
  /** Index of the entry in the window; behind its end if `fresh`. */
  readonly index: number;
  readonly entry: Entry | undefined;
  /** The step is the next one: its result is not assumed yet. */
  readonly fresh: boolean;
  /** The read takes this value from a store of its own that is still to come. */
  readonly forward: number | undefined;
  /** What the reads that were passed are assumed to give, in the order they were fetched. */
  readonly guesses: readonly number[];
  /** By the result. */
  readonly after: Map<number, After>;
}

type Chance = Pick<Move, 'part' | 'forward'>;

/** Steps fetched and not performed at most: a loop could go on for ever. */
export const MAX_WINDOW = 80;

/** What can be done to entry `i` of `window` now, if anything. */
function chance(s: Seat, window: Window, i: number): Chance | undefined {
  const e = window[i]!;
  if (e.r) {
    const from = readable(window, i, s.strength);
    if (from === 'wait') return undefined;
    return { part: 'read', forward: from === 'memory' ? undefined : from.store };
  }
  if (e.w) return writable(window, i) ? { part: 'store', forward: undefined } : undefined;
  if (e.kind === 'isb' && lags(s) && synchronisable(window, i))
    return { part: 'isb', forward: undefined };
  return undefined;
}

/** One walk along a task's coming steps, with those before it still to be performed. */
class Path {
  constructor(
    readonly s: Seat,
    readonly d: Draft,
    readonly guesses: readonly number[],
    readonly out: Move[],
  ) {}
}

function add(p: Path, step: Step, parts: Partial<Move> & Pick<Move, 'part'>): void {
  const { d: draft, guesses, out } = p;
  const index = draft.window.length;
  out.push({ step, draft, index, entry: undefined, fresh: true, forward: undefined, guesses, after: new Map(), ...parts }); // biome-ignore format: one line
}

/** `window` with `e` behind it; behind a patch stands a full barrier. */
const fetched = (window: Window, e: Entry): Window =>
  e.step.op === 'text' ? [...window, e, barrier(e.step)] : [...window, e];

/** On past the next step, entry `x`, which is not performed. */
function pass(p: Path, x: Entry, result: number, guess: boolean): void {
  const { s, d, guesses, out } = p;
  const draft = { ...behind(s, d, result), window: fetched(d.window, x) };
  extend(new Path(s, draft, guess ? [...guesses, result] : guesses, out));
}

/** The next step is an access: perform it, or pass it. */
function access(p: Path, step: Step): void {
  const { s, d } = p;
  const e = entryFor(s, step)!;
  const forms = step.op === 'trylock' ? [e, failed(e)] : [e];
  for (const x of forms) {
    const now = chance(s, [...d.window, x], d.window.length);
    if (now) add(p, step, { ...now, entry: x });
  }
  if (step.op === 'trylock') pass(p, assumed(failed(e), 0), 0, true);
  else if (!e.r) pass(p, e, 0, false);
  else if (e.acquire === '')
    for (const v of valuesOf(s.known, step.op === 'rmw' ? step.on : e.at))
      pass(p, assumed(e, v), v, true);
}

/** The next step only orders others, or does nothing here. */
function order(p: Path): void {
  const { s, d, guesses, out } = p;
  const next = fetchOrder(s, d);
  if (!next) {
    s.known.narrow = true;
    return;
  }
  const i = next.window.length - 1;
  const e = next.window[i];
  if (e?.kind === 'isb' && next.window.length > d.window.length) {
    const now = chance(s, next.window, i);
    if (now) add(p, e.step, { ...now, entry: e });
  }
  extend(new Path(s, next, guesses, out));
}

const nothingPasses = (a: Ahead): boolean => a.blocksReads && (a.blocksWrites || a.control);

/** Moves at the next step that is not fetched yet, and behind it. */
function extend(p: Path): void {
  const { s, d } = p;
  const step = stepAt(s, d);
  if (!step) return;
  const a = ahead(d.window, d.window.length);
  if (nothingPasses(a)) return;
  if (d.window.length >= MAX_WINDOW) {
    s.known.narrow = true;
    return;
  }
  const left = step.by !== undefined && s.omit.has(step.by);
  const tests = step.op === 'text' && step.mode === 'test';
  if (left) order(p);
  else if (step.op === 'key' || step.op === 'gp' || step.op === 'ipi') {
    if (!pending(d.window)) add(p, step, { part: 'whole' });
  } else if (tests || step.op === 'choose') {
    if (tests) learn(s.known.testers, s.task.cpu);
    if (!a.blocksReads) add(p, step, { part: 'fetch' });
  } else if (entryFor(s, step) && step.op !== 'fence' && step.op !== 'branch') {
    if (step.op === 'trylock') learn(s.known.tried, step.on);
    access(p, step);
  } else order(p);
}

/** All moves of local `id`. */
export function movesOf(s: Seat, id: number): Move[] {
  const local = s.locals[id]!;
  if (local.moves) return local.moves;
  const out: Move[] = [];
  local.window.forEach((entry, index) => {
    const now = chance(s, local.window, index);
    if (now) add(new Path(s, local, [], out), entry.step, { ...now, entry, index, fresh: false });
  });
  extend(new Path(s, local, [], out));
  local.moves = out;
  return out;
}

/** The window after `move` was done with `result`. */
function windowAfter(move: Move, result: number): Window {
  const { draft, entry, index, fresh, part } = move;
  if (!entry) return openBefore(draft.window, index);
  const window = fresh ? fetched(draft.window, entry) : draft.window;
  if (part === 'store') return withoutStore(window, index);
  const rest = part === 'isb' ? [] : [hasRead(entry, result)];
  return openBefore([...window.slice(0, index), ...rest, ...window.slice(index + 1)], index);
}

/** Where `move` leads with `result`. */
export function after(s: Seat, move: Move, result: number): After {
  const same = move.after.get(result);
  if (same) return same;
  const { draft, fresh } = move;
  const ordered = move.part === 'isb' && fresh;
  const next = fresh ? behind(s, draft, ordered ? 0 : result) : draft;
  const { draft: to, effects } = settle(s, { ...next, window: windowAfter(move, result) });
  const made = { to: intern(s, to), effects };
  move.after.set(result, made);
  return made;
}
