// One task under out-of-order execution: the node of its automaton, and the window of steps that were fetched but are not
// all performed. Equal ones are kept once.
import type { Step } from '../../linux/step.js';
import type { System, Task } from '../../linux/system.js';
import { type Automaton, follow } from '../automaton.js';
import { bound, changed, type Entry, entryOf, type Strength } from './flat-entry.js';
import { head } from './flat-futures.js';
import type { Known } from './flat-known.js';
import type { Move } from './flat-moves.js';
import { ahead, depends, pending, recalled, reserved, synchronisable, type Window, writable } from './flat-window.js'; // biome-ignore format: one line

/** A task's fetched steps, and where its automaton stands behind them. */
export interface Draft {
  readonly node: number;
  /** Depth of RCU sections behind the window. */
  readonly depth: number;
  readonly window: Window;
}

/** A draft that was reached, by number. */
export interface Local extends Draft {
  readonly id: number;
  /** Something was fetched and is still to be performed: this CPU takes no interrupt now. */
  readonly busy: boolean;
  readonly ended: boolean;
  readonly reserved: readonly number[];
  /** RCU sections of which something, but not all, was performed: bits. */
  readonly open: number;
  /** What it can do next, once asked. */
  moves: Move[] | undefined;
}

/** What is done besides, at once, because nothing can come of doing it later. */
export interface Effect {
  readonly step: Step;
  /** Number of the section that ends. */
  readonly section: number;
}

/** A task with all its locals. */
export interface Seat {
  readonly sys: System;
  readonly task: Task;
  readonly automaton: Automaton;
  readonly strength: Strength;
  /** Steps left out, by the name of the kernel function that does them. */
  readonly omit: ReadonlySet<string>;
  readonly known: Known;
  /** Of some nodes, the one that stands for them. */
  readonly futures: ReadonlyMap<number, number>;
  /** Of each step, its entry as fetched. */
  readonly entries: Map<Step, Entry>;
  /** Do at once what may be; off in a replay, whose schedule names every step. */
  readonly eager: boolean;
  readonly locals: Local[];
  readonly byKey: Map<string, number>;
}

export const seat = (parts: Omit<Seat, 'locals' | 'byKey'>): Seat => ({
  ...parts,
  locals: [],
  byKey: new Map(),
});

/** Steps that neither touch memory nor order anything here. */
const silent = new Set<Step['op']>(['tlbi', 'might-sleep', 'context', 'work', 'trace', 'forget']);

/** Sections of one task told apart at one time. */
export const SECTIONS = 3;

/** The entry of `step` as it is fetched; undefined for steps that have none. @throws Unsupported */
export function entryFor(s: Seat, step: Step): Entry | undefined {
  const same = s.entries.get(step);
  if (same) return same;
  const e = entryOf(s.sys, step, s.strength);
  if (e) s.entries.set(step, e);
  return e;
}

export const stepAt = (s: Seat, d: Draft): Step | undefined => s.automaton.steps[d.node];

/** `d` behind its next step, which gave `result`. */
export function behind(s: Seat, d: Draft, result: number): Draft {
  const node = head(s.automaton, follow(s.sys, s.automaton, d.node, result));
  return { ...d, node: s.futures.get(node) ?? node };
}

const isSilent = (s: Seat, step: Step): boolean =>
  silent.has(step.op) || (step.by !== undefined && s.omit.has(step.by));

/** Is executed text of this task's CPU something that an ISB changes? */
export const lags = (s: Seat): boolean =>
  s.sys.keys.length > 0 &&
  s.task.cpu >= 0 &&
  (s.sys.variant.has('jump-label') || !s.sys.textCpus.includes(s.task.cpu));

/** Does an ISB behind `window` order anything: what is executed of patched text, or reads behind a branch still to be decided? */
const isbOrders = (s: Seat, window: Window): boolean =>
  lags(s) || ahead(window, window.length).control;

/** `d` with its next step, a bound of an RCU section, fetched; undefined where too many sections are under way. */
export function fetchBound(s: Seat, d: Draft, step: Step): Draft | undefined {
  if (step.op !== 'rcu') return undefined;
  const next = behind(s, d, 0);
  const depth = d.depth + (step.mode === 'lock' ? 1 : -1);
  if (step.mode === 'lock' ? d.depth > 0 : depth > 0) return { ...next, depth };
  const used = d.window.filter((e) => e.kind === 'enter').map((e) => e.at);
  if (step.mode === 'unlock')
    return { ...next, depth, window: [...d.window, bound(step, 'leave', used[used.length - 1]!)] };
  const at = [0, 1, 2].find((n) => !used.includes(n));
  if (at === undefined) return undefined;
  return { ...next, depth, window: [...d.window, bound(step, 'enter', at)] };
}

/** `d` behind a next step that changes nothing but the order of others; undefined for any other. */
export function fetchOrder(s: Seat, d: Draft): Draft | undefined {
  const step = stepAt(s, d);
  if (!step) return undefined;
  if (isSilent(s, step)) return behind(s, d, 0);
  if (step.op === 'rcu') return fetchBound(s, d, step);
  if (step.op !== 'fence' && step.op !== 'branch') return undefined;
  const e = entryFor(s, step)!;
  if (e.kind === 'isb' && !isbOrders(s, d.window)) return behind(s, d, 0);
  const window = [...d.window, e];
  return { ...behind(s, d, 0), window };
}

/** Entries that still matter; the sections that are over are told. */
function tidy(s: Seat, window: Window, effects: Effect[]): Window {
  let out: Entry[] = [];
  for (const e of window) {
    const at = out.length;
    const with_ = [...out, e];
    if (e.kind === 'fence') {
      const a = ahead(with_, at + 1);
      const b = ahead(out, at);
      if (a.blocksWrites !== b.blocksWrites || a.blocksReads !== b.blocksReads || a.completes !== b.completes) out.push(e); // biome-ignore format: one line
    } else if (e.kind === 'branch') {
      if (depends(with_, at, e.at)) out.push(e);
    } else if (e.kind === 'isb') {
      if (isbOrders(s, out)) out.push(e);
    } else if (e.kind === 'leave') {
      if (pending(out)) out.push(e);
      else {
        if (out.some((x) => x.kind === 'enter' && x.at === e.at && x.open))
          effects.push({ step: e.step, section: e.at });
        out = out.filter((x) => x.kind !== 'enter' || x.at !== e.at);
      }
    } else if (e.kind === 'enter' || e.r || e.w || recalled(with_, at)) out.push(e);
  }
  return out;
}

/** Entry that is performed at once where it may be: nothing can come of doing it later. */
function isEager(s: Seat, window: Window, i: number): boolean {
  const e = window[i]!;
  if (e.kind === 'isb') return lags(s) && synchronisable(window, i);
  if (!e.w || e.r || (e.kind !== 'lock' && e.kind !== 'unlock')) return false;
  // Who waits for a lock never looks at it; a trylock does.
  if (e.kind === 'unlock' && s.known.tried.has(e.at)) return false;
  return writable(window, i);
}

/** Mark every section that begins before index `end` as begun. */
export const openBefore = (window: Window, end: number): Window =>
  window.map((e, i) => (i < end && e.kind === 'enter' && !e.open ? changed(e, { open: true }) : e));

/** `window` with entry `i` performed as a store (or an ISB). */
export const withoutStore = (window: Window, i: number): Window => {
  const e = window[i]!;
  const rest =
    e.kind === 'rmw' || e.kind === 'lock' ? [changed(e, { kind: 'read', w: false })] : [];
  return openBefore([...window.slice(0, i), ...rest, ...window.slice(i + 1)], i);
};

/** Fetch a next step that would be performed or dropped at once. */
function fetchEager(s: Seat, d: Draft): Draft | undefined {
  const step = stepAt(s, d);
  if (!step) return undefined;
  if (s.eager && step.op === 'unlock') {
    const window = [...d.window, entryFor(s, step)!];
    return isEager(s, window, window.length - 1) ? { ...behind(s, d, 0), window } : undefined;
  }
  const next = fetchOrder(s, d);
  if (!next || step.op === 'rcu' || next.window.length === d.window.length) return next;
  const i = next.window.length - 1;
  if (next.window[i]!.kind === 'isb' && lags(s))
    return s.eager && synchronisable(next.window, i) ? next : undefined;
  return tidy(s, next.window, []).length < next.window.length ? next : undefined;
}

/** `d` after all that is done at once, with what that does to memory. */
export function settle(s: Seat, from: Draft): { draft: Draft; effects: Effect[] } {
  const effects: Effect[] = [];
  let d: Draft = { ...from, window: tidy(s, from.window, effects) };
  for (;;) {
    const i = s.eager ? d.window.findIndex((_, at) => isEager(s, d.window, at)) : -1;
    if (i >= 0) {
      const e = d.window[i]!;
      effects.push({ step: e.step, section: -1 });
      const window = e.kind === 'isb' ? d.window.filter((_, at) => at !== i) : withoutStore(d.window, i); // biome-ignore format: one line
      d = { ...d, window: tidy(s, window, effects) };
      continue;
    }
    const next = fetchEager(s, d);
    if (!next) return { draft: d, effects };
    d = { ...next, window: tidy(s, next.window, effects) };
  }
}

/** The number of `d`, which is settled. */
export function intern(s: Seat, d: Draft): number {
  const key = `${d.node} ${d.depth} ${d.window.map((e) => e.key).join(';')}`;
  const same = s.byKey.get(key);
  if (same !== undefined) return same;
  const id = s.locals.length;
  const busy = pending(d.window);
  const open = d.window.reduce((n, e) => (e.kind === 'enter' && e.open ? n | (1 << e.at) : n), 0);
  const ended = !busy && stepAt(s, d) === undefined;
  s.locals.push({ ...d, id, busy, ended, reserved: reserved(d.window), open, moves: undefined });
  s.byKey.set(key, id);
  return id;
}
