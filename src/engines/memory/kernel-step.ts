// Atomics, frees, barriers and waits of modelled kernel code in the promising model.
import type { Fence, Read, Rmw, Step, Wait } from '../../linux/step.js';
import { make, type Outcome, readWord, viewAt, type World, writeWord } from './kernel-access.js';
import { type Message, tableAt } from './kernel-messages.js';
import { get, order, put, type TaskState } from './kernel-state.js';
import { stored } from './rmw.js';

const { max } = Math;

/** LSE atomics: acquire and release as named; the value read is written back as one. */
export function rmwWord(w: World, s: TaskState, step: Rmw): Outcome[] {
  const strong = w.strength !== 'arm64';
  const full = step.mode === 'full' || strong;
  if (strong) order(s, s.wOld);
  const acquire = full || step.mode === 'acquire' ? 'A' : '';
  return readWord(w, s, step.on, step, { acquire }).flatMap((r) => {
    const value = stored(step, r.result);
    if (value === undefined) return [r];
    const seen = viewAt(r.s, step.on);
    const carried = step.fn === 'xchg' ? {} : { carried: seen };
    const release = full || step.mode === 'release';
    // The write comes after the read, whatever its value depends on.
    const old = r.s.wNew;
    r.s.wNew = max(old, seen);
    return writeWord(w, r.s, step, {
      value,
      release,
      since: r.reads ?? 0,
      readView: seen,
      ...carried,
    }).map((o) => {
      o.s.wNew = old;
      if (full) order(o.s, get(o.s.coh, step.on)!);
      return { ...o, result: r.result, reads: r.reads ?? 0 };
    });
  });
}

export function freeTable(w: World, s: TaskState, step: Extract<Step, { op: 'free' }>): Outcome[] {
  const { on } = step;
  w.touch(on);
  const view = max(viewAt(s, step.addr), viewAt(s, step.data));
  let coh = get(s.coh, -on);
  for (let i = 0; i < s.coh.length; i += 2)
    if (s.coh[i]! > 0 && tableAt(w.sys, s.coh[i]!) === on) coh = max(coh, s.coh[i + 1]!);
  const release = w.strength !== 'arm64' ? max(s.rOld, s.wOld) : 0;
  const message: Message = { who: w.task.id, kind: 'free', on, value: 0, step };
  const perform = (n: TaskState, time: number): void => {
    for (let t = 1; t < time; t++) {
      const m = w.all.list[n.mem[t]!]!;
      if (m.kind === 'free' && m.on === on) n.fault ??= { kind: 'double free', on, freed: t };
    }
    n.coh = put(n.coh, -on, time);
    n.wOld = max(n.wOld, time);
    n.cap = max(n.cap, viewAt(n, step.addr));
  };
  const needs = max(view, s.wNew, s.cap, coh, release);
  if (w.isPrivate(on)) {
    if (get(s.own, -on) !== 0) s.fault ??= { kind: 'double free', on, freed: 0 };
    s.own = put(s.own, -on, 1);
    perform(s, needs);
    return [{ s, result: 0 }];
  }
  return make(w, s, { message, needs, perform });
}

export function barrier(s: TaskState, mode: Fence['mode']): void {
  if (mode === 'isb') {
    s.rNew = max(s.rNew, s.cap);
    s.fetch = max(s.fetch, s.cap, s.dsb);
    return;
  }
  const loads = mode.endsWith('ishst') ? 0 : s.rOld;
  const stores = mode.endsWith('ishld') ? 0 : s.wOld;
  s.wNew = max(s.wNew, loads, stores);
  if (mode !== 'dmb ishst') s.rNew = max(s.rNew, loads, stores);
  if (mode.startsWith('dsb')) s.dsb = max(s.dsb, loads, stores);
}

const compares = {
  eq: (a: number, b: number) => a === b,
  ne: (a: number, b: number) => a !== b,
  gt: (a: number, b: number) => a > b,
};

export const readStep = (w: World, s: TaskState, step: Read): Outcome[] =>
  readWord(w, s, step.on, step, { acquire: step.mode === 'acquire' ? 'A' : '' });

/** Nothing where no value that lets it go on can be read: the task waits. */
export const waitFor = (w: World, s: TaskState, step: Wait): Outcome[] =>
  readWord(
    w,
    s,
    step.on,
    {},
    {
      acquire: 'A',
      accept: (v) => compares[step.is](v, step.value),
    },
  );

/** The branch on what was last read, tried, or tested at `on`. */
export function branchOn(s: TaskState, on: number): void {
  s.cap = max(s.cap, viewAt(s, on));
}
