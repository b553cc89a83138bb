import {
  type Fresh,
  fork,
  hopeful,
  initial,
  interrupted,
  type Messages,
  readable,
  type State,
} from './arm64-state.js';
import { type Expr, evaluate, type Fence, type Instr, type Thread } from './program.js';

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

/** What one thread can do alone against a memory. */
export interface Runs {
  /** Ends in which every promise was kept and nothing was written beside: [registers, own cells]. */
  readonly finals: ReadonlyMap<string, readonly bigint[]>;
  /** Writes that the thread may promise next. */
  readonly next: ReadonlyMap<string, Fresh>;
  readonly cutOff: boolean;
}

const viewOf = (s: State, e: Expr): number => e.regs.reduce((v, r) => max(v, s.view[r]!), 0);
const pickOf = (s: State, e: Expr): number => e.regs.reduce((v, r) => max(v, s.pick[r]!), 0);

function put(s: State, reg: number, value: bigint, view: number, pick: number): void {
  if (reg < 0) return;
  s.val[reg] = value;
  s.view[reg] = view;
  s.pick[reg] = pick;
}

/** A read that was made: time, value, and the views of its result. */
interface Read {
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
function reads(s: State, scope: Scope, addr: Expr, cell: number, kind: ReadKind): Read[] {
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
interface Write {
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
function writes(s: State, scope: Scope, w: Write): State[] {
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

function fence(s: State, kind: Fence): void {
  if (kind === 'isb') s.rNew = max(s.rNew, s.cap);
  if (kind === 'full' || kind === 'ld') {
    s.rNew = max(s.rNew, s.rOld);
    s.wNew = max(s.wNew, s.rOldPick);
  }
  if (kind === 'full' || kind === 'dsb.st') s.rNew = max(s.rNew, s.wOld);
  if (kind === 'full' || kind === 'st' || kind === 'dsb.st') s.wNew = max(s.wNew, s.wOld);
}

/** The write half of an atomic whose read half was `r`. */
function atomicWrite(
  r: Read,
  scope: Scope,
  i: Extract<Instr, { op: 'rmw' | 'cas' }>,
  cell: number,
  value: bigint,
  result: { view: number; pick: number },
): State[] {
  const { s } = r;
  const carried = i.op === 'rmw' && i.carries ? r : { view: 0, pick: 0 };
  const chosen = i.op === 'cas' ? max(r.pick, pickOf(s, i.compare)) : carried.pick;
  const addrPick = pickOf(s, i.addr);
  const pick = max(addrPick, pickOf(s, i.data), chosen);
  const view = max(viewOf(s, i.addr), viewOf(s, i.data), carried.view);
  const pre = max(pick, r.pick);
  put(s, i.dst, r.value, result.view, result.pick);
  const w: Write = { cell, value, pre, view, pick, addrPick, release: i.release, since: r };
  const out = writes(s, scope, w);
  if (i.acquire && i.release && !i.noReturn)
    for (const n of out) {
      n.rNew = max(n.rNew, n.coh[cell]!);
      n.wNew = max(n.wNew, n.coh[cell]!);
    }
  return out;
}

function atomic(s: State, scope: Scope, i: Extract<Instr, { op: 'rmw' | 'cas' }>): State[] {
  const cell = scope.cellOf(s.pc - 1, evaluate(i.addr, s.val));
  const acquire = i.acquire && !i.noReturn ? 'A' : '';
  return reads(s, scope, i.addr, cell, { acquire, counts: !i.noReturn }).flatMap((r) => {
    const data = evaluate(i.data, r.s.val);
    if (i.op === 'rmw') return atomicWrite(r, scope, i, cell, i.update(r.value, data), r);
    if (evaluate(i.compare, r.s.val) !== r.value) {
      put(r.s, i.dst, r.value, r.view, r.pick);
      return [r.s];
    }
    // The result of a CAS that succeeds may be the old register or the value read: both are equal,
    // but what depends on it differs.
    const old = { view: viewOf(r.s, i.compare), pick: max(r.pick, pickOf(r.s, i.compare)) };
    const twin = { ...r, s: fork(r.s) };
    return [
      ...atomicWrite(r, scope, i, cell, data, r),
      ...atomicWrite(twin, scope, i, cell, data, old),
    ];
  });
}

function store(s: State, scope: Scope, i: Extract<Instr, { op: 'store' | 'stxr' }>): State[] {
  const cell = scope.cellOf(s.pc - 1, evaluate(i.addr, s.val));
  const addrPick = pickOf(s, i.addr);
  const pick = max(addrPick, pickOf(s, i.data));
  const view = max(viewOf(s, i.addr), viewOf(s, i.data));
  const value = evaluate(i.data, s.val);
  const w: Write = {
    cell, value, view, pick, addrPick, pre: pick, release: i.release, since: undefined,
  }; // biome-ignore format: one line of fields
  if (i.op === 'store') return writes(s, scope, w);
  const { xCell, xPick } = s;
  const since = { time: s.xTime, view: s.xView };
  s.xCell = -1;
  const failed = fork(s);
  put(failed, i.status, 1n, 0, 0);
  if (xCell !== cell) return [failed];
  put(s, i.status, 0n, 0, 0);
  return [failed, ...writes(s, scope, { ...w, pre: max(pick, xPick), since })];
}

/** All states one instruction later; undefined where a loop was cut off. `s` is used up. */
function step(s: State, scope: Scope): State[] | undefined {
  const at = s.pc;
  const i = scope.thread.code[at]!;
  s.pc = at + 1;
  switch (i.op) {
    case 'set':
      put(s, i.dst, evaluate(i.e, s.val), viewOf(s, i.e), pickOf(s, i.e));
      return [s];
    case 'select': {
      const chosen = i.test(s.val[i.flags]!) ? i.yes : i.no;
      const pick = max(pickOf(s, chosen), s.pick[i.flags]!);
      put(s, i.dst, evaluate(chosen, s.val), viewOf(s, chosen), pick);
      return [s];
    }
    case 'branch': {
      if (i.cond) s.cap = max(s.cap, pickOf(s, i.cond));
      if (i.cond && evaluate(i.cond, s.val) === 0n) return [s];
      s.pc = i.target;
      if (i.target > at) return [s];
      s.rounds[at] = (s.rounds[at] ?? 0) + 1;
      return s.rounds[at]! > scope.unroll ? undefined : [s];
    }
    case 'fence':
      fence(s, i.kind);
      return [s];
    case 'clrex':
      s.xCell = -1;
      return [s];
    case 'load': {
      const cell = scope.cellOf(at, evaluate(i.addr, s.val));
      return reads(s, scope, i.addr, cell, { acquire: i.acquire, counts: true }).map((r) => {
        put(r.s, i.dst, i.extend(r.value), r.view, r.pick);
        if (i.exclusive) {
          [r.s.xCell, r.s.xTime] = [cell, r.time];
          [r.s.xView, r.s.xPick] = [r.view, r.pick];
        }
        return r.s;
      });
    }
    case 'store':
    case 'stxr':
      return store(s, scope, i);
    default:
      return atomic(s, scope, i);
  }
}

/** Everything a thread can do alone, from its first instruction, against the messages of `mem`. */
export function runAlone(scope: Scope, mem: Messages): Runs {
  const finals = new Map<string, readonly bigint[]>();
  const next = new Map<string, Fresh>();
  const seen = mem.cell.length - 1;
  let cutOff = false;
  const stack = [initial(scope.thread, scope.cells.length, mem)];
  const offer = (s: State): void => {
    if (s.left.length > 0) return;
    for (const f of s.fresh) if (f.needs <= seen) next.set(`${f.cell}=${f.value}`, f);
  };
  while (stack.length > 0) {
    const s = stack.pop()!;
    if (!hopeful(s)) continue;
    if (s.pc >= scope.thread.code.length) {
      offer(s);
      if (s.left.length > 0 || s.fresh.length > 0) continue;
      const values = scope.thread.observed.map((r) => s.val[r]!);
      const final = [...values, ...s.own.map((v, c) => v ?? scope.cells[c]!.init)];
      finals.set(final.join(), final);
      continue;
    }
    const after = step(s, scope);
    if (after) stack.push(...after);
    else {
      cutOff = true;
      offer(s);
    }
  }
  return { finals, next, cutOff };
}
