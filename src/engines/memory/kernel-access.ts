// Reads, writes and messages of modelled kernel code in the promising model. Rules: arm64-step.ts and the paper named there; for
// patched text: a fetch is ordered before all that follows it, and must see what is before an ISB or an interrupt.
import type { Deps, Rmw, Write } from '../../linux/step.js';
import { NULL_PAGE, type System, type Task } from '../../linux/system.js';
import { intern, type Message, type Messages, tableAt, writesTo } from './kernel-messages.js';
import { fork, get, order, put, type TaskState } from './kernel-state.js';

const { max } = Math;

/** sc and tso are arm64 with stronger accesses: loads acquire (RCpc), stores release, SC loads wait for stores. */
export type Strength = 'sc' | 'tso' | 'arm64';

/** What a task's run needs to know. */
export interface World {
  readonly sys: System;
  readonly task: Task;
  readonly all: Messages;
  readonly strength: Strength;
  /** Steps left out, by the name of the kernel function that does them. */
  readonly omit: ReadonlySet<string>;
  /** Notes that the task touches this word, lock or key. */
  readonly touch: (at: number) => void;
  readonly isPrivate: (at: number) => boolean;
}

/** A step's outcome: the state after it, and its result. */
export interface Outcome {
  readonly s: TaskState;
  readonly result: number;
  readonly time?: number;
  readonly reads?: number;
}

export const viewAt = (s: TaskState, place: number | undefined): number =>
  place === undefined ? 0 : get(s.seen, place);

/** Coherence view of a word: its own, and that of its table as a whole. */
const coherence = (w: World, s: TaskState, at: number): number => {
  const table = tableAt(w.sys, at);
  return max(get(s.coh, at), table === 0 ? 0 : get(s.coh, -table));
};

interface ReadRules {
  readonly acquire: '' | 'Q' | 'A';
  readonly accept?: (value: number) => boolean;
}

/** Timestamps that a read with pre-view `pre` may take its value from. */
function choices(w: World, s: TaskState, at: number, pre: number): number[] {
  const floor = max(pre, coherence(w, s, at));
  const times = writesTo(w.sys, w.all, s.mem, at);
  const hidden = times.filter((t) => t <= floor);
  const first = hidden[hidden.length - 1] ?? 0;
  return [first, ...times.filter((t) => t > floor)].filter((t) => !s.left.includes(t));
}

/** A table that no other task touches, and this one has freed. */
function overOwnFreed(w: World, s: TaskState, at: number): void {
  const table = tableAt(w.sys, at);
  if (table !== 0 && get(s.own, -table) !== 0)
    s.fault ??= { kind: 'use after free', on: at, freed: 0 };
}

function privateRead(w: World, s: TaskState, at: number, pre: number): Outcome {
  const view = max(pre, get(s.storeView, at));
  s.rOld = max(s.rOld, view);
  s.seen = put(s.seen, at, view);
  s.coh = put(s.coh, at, max(get(s.coh, at), view));
  overOwnFreed(w, s, at);
  return { s, result: get(s.own, at, w.sys.cells[at]!) };
}

/** Every way to read the word at `at`. Reading poison is a use after free; the run goes on with 0. */
export function readWord(
  w: World,
  s: TaskState,
  at: number,
  deps: Deps,
  rules: ReadRules,
): Outcome[] {
  w.touch(at);
  if (at < NULL_PAGE) s.fault ??= { kind: 'wild access', on: at, freed: 0 };
  const address = viewAt(s, deps.addr);
  const acquire = rules.acquire === '' && w.strength !== 'arm64' ? 'Q' : rules.acquire;
  const waits = max(acquire === 'A' ? s.rel : 0, w.strength === 'sc' ? s.wOld : 0);
  const pre = max(address, s.rNew, waits);
  s.cap = max(s.cap, address);
  if (w.isPrivate(at)) {
    const only = privateRead(w, s, at, pre);
    return rules.accept && !rules.accept(only.result) ? [] : [only];
  }
  const out: Outcome[] = [];
  const times = choices(w, s, at, pre);
  for (let i = 0; i < times.length; i++) {
    const time = times[i]!;
    const m = time === 0 ? undefined : w.all.list[s.mem[time]!]!;
    const poison = m?.kind === 'free';
    const value = poison ? 0 : (m?.value ?? w.sys.cells[at]!);
    if (rules.accept && !rules.accept(value)) continue;
    const n = i === times.length - 1 ? s : fork(s);
    const own = get(n.storeTime, at);
    const forwarded = time > 0 && (own === time || own === -time);
    const read = own < 0 && acquire !== '' ? get(n.storeRead, at) : 0;
    const view = max(pre, forwarded ? max(get(n.storeView, at), read) : time);
    n.coh = put(n.coh, at, max(coherence(w, n, at), view));
    n.rOld = max(n.rOld, view);
    if (acquire !== '') order(n, view);
    n.seen = put(n.seen, at, view);
    if (poison) n.fault ??= { kind: 'use after free', on: at, freed: time };
    out.push({ s: n, result: value, reads: time });
  }
  return out;
}

/** How a message comes to be: what it needs, and what it changes in the task. */
export interface Making {
  readonly message: Message;
  readonly needs: number;
  /** Of an atomic on a word: no other task may write the word between its read and this message. */
  readonly since?: number;
  readonly perform: (s: TaskState, time: number) => void;
  /** Can it be appended now? Promised ones were checked when they were promised. */
  readonly legal?: boolean;
  readonly result?: (s: TaskState, time: number) => number;
}

function broken(w: World, s: TaskState, m: Making, time: number): boolean {
  if (m.since === undefined) return false;
  return writesTo(w.sys, w.all, s.mem, m.message.on).some(
    (t) => t > m.since! && t < time && w.all.list[s.mem[t]!]!.who !== w.task.id,
  );
}

/** Every way to make a message: keep a promise of it, or append it. */
export function make(w: World, s: TaskState, m: Making): Outcome[] {
  const id = intern(w.all, m.message);
  const out: Outcome[] = [];
  const done = (n: TaskState, time: number): void => {
    m.perform(n, time);
    out.push({ s: n, result: m.result?.(n, time) ?? 0, time });
  };
  // A store after an interrupt that is still to be taken: taking it later would be too late.
  const latest = s.pending.length > 0 ? s.pending[0]! : Number.POSITIVE_INFINITY;
  for (const time of s.left) {
    if (s.mem[time] !== id || time <= m.needs || time >= latest || broken(w, s, m, time)) continue;
    const n = fork(s);
    n.left = n.left.filter((t) => t !== time);
    done(n, time);
  }
  const end = s.mem.length;
  if (m.legal === false || end >= latest || broken(w, s, m, end)) return out;
  const n = fork(s);
  n.mem = [...n.mem, id];
  n.fresh = [...n.fresh, { id, needs: m.needs }];
  done(n, end);
  return out;
}

/** Was the word's table freed before `time`? Then writing it is a use after free. */
function overFreed(w: World, s: TaskState, at: number, time: number): void {
  const table = tableAt(w.sys, at);
  if (table === 0) return;
  for (let t = 1; t < time; t++) {
    const m = w.all.list[s.mem[t]!]!;
    if (m.kind === 'free' && m.on === table)
      s.fault ??= { kind: 'use after free', on: at, freed: t };
  }
}

interface WriteRules {
  readonly value: number;
  readonly release: boolean;
  readonly since?: number;
  /** View of the value read by an atomic; `carried` where it flows into the value written. */
  readonly readView?: number;
  readonly carried?: number;
}

export function writeWord(w: World, s: TaskState, step: Write | Rmw, rules: WriteRules): Outcome[] {
  const at = step.on;
  w.touch(at);
  const address = viewAt(s, step.addr);
  const data = viewAt(s, step.data);
  const release = rules.release || w.strength !== 'arm64';
  const view = max(address, data, rules.carried ?? 0);
  const before = max(view, s.wNew, s.cap, release ? max(s.rOld, s.wOld) : 0);
  const needs = max(before, coherence(w, s, at));
  const perform = (n: TaskState, time: number): void => {
    n.coh = put(n.coh, at, time);
    n.wOld = max(n.wOld, time);
    n.cap = max(n.cap, address);
    if (release) n.rel = max(n.rel, time);
    n.storeTime = put(n.storeTime, at, rules.since === undefined ? time : -time);
    n.storeView = put(n.storeView, at, view);
    if (rules.since !== undefined) n.storeRead = put(n.storeRead, at, rules.readView ?? 0);
    overFreed(w, n, at, time);
  };
  if (w.isPrivate(at)) {
    s.own = put(s.own, at, rules.value);
    overOwnFreed(w, s, at);
    perform(s, needs);
    return [{ s, result: 0 }];
  }
  const message: Message = { who: w.task.id, kind: 'write', on: at, value: rules.value, step };
  const since = rules.since === undefined ? {} : { since: rules.since };
  return make(w, s, { message, needs, perform, ...since });
}
