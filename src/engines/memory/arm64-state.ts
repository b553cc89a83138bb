// The state of one thread in Promising-ARM (Pulte, Pichon-Pharabod, Kang, Lee, Hur, "Promising-ARM/
// RISC-V: a simpler and faster operational concurrency model", PLDI 2019), section 5.
import type { Thread } from './program.js';

/**
 * The messages a thread can see: parallel lists, where index t holds the write of timestamp t.
 * Timestamp 0 is the first value of every cell.
 */
export interface Messages {
  readonly cell: number[];
  readonly value: bigint[];
  /** Written (promised or performed) by the thread itself. */
  readonly mine: boolean[];
}

/** A write appended in this run: a candidate for the next promise when `needs` is low enough. */
export interface Fresh {
  readonly cell: number;
  readonly value: bigint;
  readonly needs: number;
}

/**
 * A thread's state. A view is a timestamp; registers carry two: `view` orders whatever depends on
 * them, `pick` (>= view) orders only later writes, as a CSEL condition does.
 */
export interface State {
  pc: number;
  readonly val: bigint[];
  readonly view: number[];
  readonly pick: number[];
  /** Per cell: coherence view; last own write: its time, views of its address and data. */
  readonly coh: number[];
  readonly fwdTime: number[];
  readonly fwdView: number[];
  readonly fwdPick: number[];
  /** View of the read half, where the own write was that of an atomic or exclusive; else -1. */
  readonly fwdRead: number[];
  /** Per cell: the value of a cell that no other thread can see. */
  readonly own: (bigint | undefined)[];
  rOld: number;
  rOldPick: number;
  wOld: number;
  rNew: number;
  wNew: number;
  cap: number;
  rel: number;
  /** Exclusive bank: time and post-views of the last LDXR and its cell; cell -1 when empty. */
  xTime: number;
  xView: number;
  xPick: number;
  xCell: number;
  /** Timestamps promised and not yet fulfilled. */
  left: number[];
  /** A CAS was let fail on a message still to come: the run may find promises, but is no end. */
  guessed: boolean;
  readonly mem: Messages;
  fresh: Fresh[];
  rounds: number[];
}

const zeros = (n: number): number[] => new Array<number>(n).fill(0);

/** The state before the first instruction, with every own message of `mem` still a promise. */
export function initial(t: Thread, cells: number, mem: Messages): State {
  const n = t.regs.length;
  return {
    pc: 0,
    val: t.regs.slice(),
    view: zeros(n),
    pick: zeros(n),
    coh: zeros(cells),
    fwdTime: zeros(cells).fill(-1),
    fwdView: zeros(cells),
    fwdPick: zeros(cells),
    fwdRead: zeros(cells).fill(-1),
    own: new Array<bigint | undefined>(cells).fill(undefined),
    rOld: 0,
    rOldPick: 0,
    wOld: 0,
    rNew: 0,
    wNew: 0,
    cap: 0,
    rel: 0,
    xTime: 0,
    xView: 0,
    xPick: 0,
    xCell: -1,
    left: mem.mine.flatMap((m, time) => (m ? [time] : [])),
    guessed: false,
    mem: { cell: mem.cell.slice(), value: mem.value.slice(), mine: mem.mine.slice() },
    fresh: [],
    rounds: [],
  };
}

/** A copy that can go its own way. */
export const fork = (s: State): State => ({
  ...s,
  val: s.val.slice(),
  view: s.view.slice(),
  pick: s.pick.slice(),
  coh: s.coh.slice(),
  fwdTime: s.fwdTime.slice(),
  fwdView: s.fwdView.slice(),
  fwdPick: s.fwdPick.slice(),
  fwdRead: s.fwdRead.slice(),
  own: s.own.slice(),
  left: s.left.slice(),
  mem: { cell: s.mem.cell.slice(), value: s.mem.value.slice(), mine: s.mem.mine.slice() },
  fresh: s.fresh.slice(),
  rounds: s.rounds.slice(),
});

/** Can the promises still open be kept? A store's time must exceed wNew, CAP and its coherence view. */
export const hopeful = (s: State): boolean =>
  s.left.every((t) => t > s.wNew && t > s.cap && t > s.coh[s.mem.cell[t]!]!);

/** Timestamps a load of `cell` may read, given its pre-view: nothing newer hidden below the view. */
export function readable(s: State, cell: number, pre: number): number[] {
  const floor = Math.max(pre, s.coh[cell]!);
  const times: number[] = [];
  for (let t = s.mem.cell.length - 1; t > 0; t--) {
    if (s.mem.cell[t] !== cell) continue;
    if (!s.left.includes(t)) times.push(t);
    if (t <= floor) return times;
  }
  times.push(0);
  return times;
}

/** Did another thread write `cell` strictly between two timestamps? */
export function interrupted(s: State, cell: number, after: number, before: number): boolean {
  for (let t = after + 1; t < before; t++)
    if (s.mem.cell[t] === cell && !s.mem.mine[t]) return true;
  return false;
}
