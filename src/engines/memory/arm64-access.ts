// Reads and writes of a litmus thread in Promising-ARM (arm64-state.ts).
import { fork, interrupted, readable, type State } from './arm64-state.js';
import type { Expr, Fence, Thread } from './program.js';

const { max } = Math;

/** What a thread needs to know of the program around it. */
export interface Scope {
  readonly thread: Thread;
  readonly cells: readonly { readonly init: bigint }[];
  readonly unroll: number;
  /** Index of the cell at an address; throws for a wild one, and notes what the thread touches. */
  cellOf(pc: number, address: bigint): number;
  /** No other thread touches this cell: its writes need no timestamps of their own. */
  isPrivate(cell: number): boolean;
}

export const viewOf = (s: State, e: Expr): number => e.regs.reduce((v, r) => max(v, s.view[r]!), 0);
export const pickOf = (s: State, e: Expr): number => e.regs.reduce((v, r) => max(v, s.pick[r]!), 0);

export function put(s: State, reg: number, value: bigint, view: number, pick: number): void {
  if (reg < 0) return;
  s.val[reg] = value;
  s.view[reg] = view;
  s.pick[reg] = pick;
}

/** A read that was made: time, value, and the views of its result. */
export interface Read {
  readonly s: State;
  readonly time: number;
  readonly value: bigint;
  readonly view: number;
  readonly pick: number;
}

interface ReadKind {
  readonly acquire: '' | 'Q' | 'A';
  /** False for the read of an atomic that returns nothing: barriers for loads skip it. */
  readonly counts: boolean;
}

/** Every way to read `cell` now, each with a state of its own. */
export function reads(s: State, scope: Scope, addr: Expr, cell: number, kind: ReadKind): Read[] {
  const pre = max(viewOf(s, addr), s.rNew, kind.acquire === 'A' ? s.rel : 0);
  const hidden = scope.isPrivate(cell);
  const times = hidden ? [max(s.fwdTime[cell]!, 0)] : readable(s, cell, pre);
  return times.map((time, k) => {
    const n = k === times.length - 1 ? s : fork(s);
    const forwarded = time === n.fwdTime[cell];
    // rmw; lrs; [A|Q]: an acquire that reads an atomic's write comes after the atomic's read.
    const read = kind.acquire === '' ? -1 : n.fwdRead[cell]!;
    const view = max(pre, forwarded ? max(n.fwdView[cell]!, read) : time);
    const pick = max(view, pickOf(n, addr), forwarded ? n.fwdPick[cell]! : 0);
    n.coh[cell] = max(n.coh[cell]!, view);
    if (kind.counts) {
      n.rOld = max(n.rOld, view);
      n.rOldPick = max(n.rOldPick, pick);
    }
    if (kind.acquire !== '') {
      n.rNew = max(n.rNew, view);
      n.wNew = max(n.wNew, pick);
    }
    n.cap = max(n.cap, pickOf(n, addr));
    const first = scope.cells[cell]!.init;
    const value = hidden ? (n.own[cell] ?? first) : time === 0 ? first : n.mem.value[time]!;
    return { s: n, time, value, view, pick };
  });
}

/** What a store brings along: its cell, value and the views of its parts. */
export interface Write {
  readonly cell: number;
  readonly value: bigint;
  readonly pre: number;
  readonly view: number;
  readonly pick: number;
  readonly addrPick: number;
  readonly release: boolean;
  /** Of an exclusive or atomic: time and view of its read. */
  readonly since: { readonly time: number; readonly view: number } | undefined;
}

function perform(s: State, w: Write, time: number): State {
  s.coh[w.cell] = time;
  s.wOld = max(s.wOld, time);
  s.cap = max(s.cap, w.addrPick);
  if (w.release) s.rel = max(s.rel, time);
  s.fwdTime[w.cell] = time;
  s.fwdView[w.cell] = w.view;
  s.fwdPick[w.cell] = w.pick;
  s.fwdRead[w.cell] = w.since?.view ?? -1;
  return s;
}

/** Every way to store: keep a promise of this cell and value, or append a new message. */
export function writes(s: State, scope: Scope, w: Write): State[] {
  const floor = max(w.pre, s.wNew, s.cap, w.release ? max(s.rOldPick, s.wOld) : 0);
  const needs = max(floor, s.coh[w.cell]!);
  if (scope.isPrivate(w.cell)) {
    s.own[w.cell] = w.value;
    return [perform(s, w, needs)];
  }
  const out: State[] = [];
  const broken = (time: number): boolean =>
    w.since !== undefined && interrupted(s, w.cell, w.since.time, time);
  for (const time of s.left) {
    if (time <= needs || s.mem.cell[time] !== w.cell || s.mem.value[time] !== w.value) continue;
    if (broken(time)) continue;
    const n = fork(s);
    n.left = n.left.filter((t) => t !== time);
    out.push(perform(n, w, time));
  }
  const end = s.mem.cell.length;
  if (broken(end)) return out;
  s.fresh.push({ cell: w.cell, value: w.value, needs });
  s.mem.cell.push(w.cell);
  s.mem.value.push(w.value);
  s.mem.mine.push(true);
  out.push(perform(s, w, end));
  return out;
}

export function fence(s: State, kind: Fence): void {
  if (kind === 'isb') s.rNew = max(s.rNew, s.cap);
  if (kind === 'full' || kind === 'ld') {
    s.rNew = max(s.rNew, s.rOld);
    s.wNew = max(s.wNew, s.rOldPick);
  }
  if (kind === 'full' || kind === 'dsb.st') s.rNew = max(s.rNew, s.wOld);
  if (kind === 'full' || kind === 'st' || kind === 'dsb.st') s.wNew = max(s.wNew, s.wOld);
}
