import {
  fence,
  pickOf,
  put,
  type Read,
  reads,
  type Scope,
  viewOf,
  type Write,
  writes,
} from './arm64-access.js';
import { fork, type State } from './arm64-state.js';
import { ENDLESS, evaluate, type Instr } from './program.js';

const { max } = Math;

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

/**
 * A CAS that fails on a message not yet there. Whether a CAS writes (and releases) depends on what it reads, with no
 * dependency to later stores: so these may be promised before the message that makes it fail.
 */
function failsLater(s: State, i: Extract<Instr, { op: 'cas' }>, cell: number): State {
  const n = fork(s);
  const later = Number.POSITIVE_INFINITY;
  n.guessed = true;
  n.coh[cell] = later;
  n.cap = max(n.cap, pickOf(n, i.addr));
  if (!i.noReturn) n.rOld = n.rOldPick = later;
  if (i.acquire && !i.noReturn) n.rNew = n.wNew = later;
  put(n, i.dst, evaluate(i.compare, s.val) ^ 1n, later, later);
  return n;
}

function atomic(s: State, scope: Scope, i: Extract<Instr, { op: 'rmw' | 'cas' }>): State[] {
  const cell = scope.cellOf(s.pc - 1, evaluate(i.addr, s.val));
  const acquire = i.acquire && !i.noReturn ? 'A' : '';
  const kind = { acquire, counts: !i.noReturn } as const;
  if (i.op === 'rmw')
    return reads(s, scope, i.addr, cell, kind).flatMap((r) =>
      atomicWrite(r, scope, i, cell, i.update(r.value, evaluate(i.data, r.s.val)), r),
    );
  const guess = scope.isPrivate(cell) ? [] : [failsLater(s, i, cell)];
  const now = reads(s, scope, i.addr, cell, kind).flatMap((r) => {
    const data = evaluate(i.data, r.s.val);
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
  return [...guess, ...now];
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

/** Count a jump back; false if that was one too many. */
function goneBack(s: State, i: Extract<Instr, { op: 'branch' }>, scope: Scope): boolean {
  const at = i.settled ? scope.thread.code.length + i.target : i.target;
  const rounds = (s.rounds[at] ?? 0) + 1;
  s.rounds[at] = rounds;
  return rounds <= (i.settled ? ENDLESS : scope.unroll);
}

/** All states one instruction later; undefined where a loop was cut off. `s` is used up. */
export function step(s: State, scope: Scope): State[] | undefined {
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
      return goneBack(s, i, scope) ? [s] : undefined;
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
