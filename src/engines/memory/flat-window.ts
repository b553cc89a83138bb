// What must wait for what in a task's window: Arm's locally-ordered-before, read off the entries that stand before.
// A store, once performed, is seen by all (other-multi-copy atomicity): memory is flat. Pulte, Flur, Deacon, French, Sarkar,
// Sewell, "Simplifying ARM Concurrency", POPL 2018; the order relations are those of Arm's axiomatic model (aarch64.cat).
import type { Entry, Strength } from './flat-entry.js';

export type Window = readonly Entry[];

/** What stands before a point of a window. */
export interface Ahead {
  /** Reads and stores that are still to be performed. */
  reads: boolean;
  writes: boolean;
  /** Later reads, later stores may not be performed. */
  blocksReads: boolean;
  blocksWrites: boolean;
  /** A branch, or an address, hangs on a read still to be performed: later stores and an ISB wait. */
  control: boolean;
  /** A store-release is still to be performed: a load-acquire waits. */
  released: boolean;
  /** A DSB waits for something. */
  completes: boolean;
}

const isAccess = (e: Entry): boolean => e.r || e.w;

/** Is the read that `window[i]` depends on through `place` still to be performed? */
export function depends(window: Window, i: number, place: number): boolean {
  if (place === 0) return false;
  for (let j = i - 1; j >= 0; j--) {
    const e = window[j]!;
    if (e.at === place && (e.kind === 'read' || e.kind === 'rmw' || e.kind === 'lock')) return e.r;
  }
  return false;
}

function passFence(a: Ahead, e: Entry): void {
  if (e.step.op !== 'fence') return;
  const { mode } = e.step;
  const reads = a.reads && !mode.endsWith('ishst');
  const writes = a.writes && !mode.endsWith('ishld');
  if (!reads && !writes) return;
  a.blocksWrites = true;
  if (mode !== 'dmb ishst') a.blocksReads = true;
  if (mode.startsWith('dsb')) a.completes = true;
}

/** Note what `window[i]`, still to be performed, keeps from being performed. */
function pass(a: Ahead, window: Window, i: number): void {
  const e = window[i]!;
  if (e.kind === 'fence') {
    passFence(a, e);
    return;
  }
  if (e.kind === 'isb') a.blocksReads = true;
  if (e.kind === 'branch' ? depends(window, i, e.at) : depends(window, i, e.addr)) a.control = true;
  if (e.r) a.reads = true;
  if (e.w) a.writes = true;
  if (e.w && e.release) a.released = true;
  if ((e.r && e.acquire !== '') || (e.w && e.full)) a.blocksReads = a.blocksWrites = true;
}

/** What stands before index `end`. */
export function ahead(window: Window, end: number): Ahead {
  const a: Ahead = {
    reads: false,
    writes: false,
    blocksReads: false,
    blocksWrites: false,
    control: false,
    released: false,
    completes: false,
  };
  for (let i = 0; i < end; i++) pass(a, window, i);
  return a;
}

/** Is anything of the window still to be performed? */
export const pending = (window: Window): boolean => window.some(isAccess);

/** Do the two touch the same word (a free touches its whole table)? */
const meet = (e: Entry, f: Entry): boolean =>
  e.kind === 'free' || f.kind === 'free'
    ? e.table !== 0 && e.table === f.table
    : e.at === f.at && e.kind !== 'branch' && f.kind !== 'branch';

/** How a read may be performed: from memory, from a store of its own that is still to come, or not now. */
export type Source = 'memory' | 'wait' | Entry;

/** May a later read take its value from store `window[j]`, which is still to be performed? */
function forwards(window: Window, j: number, reader: Entry): boolean {
  const e = window[j]!;
  if (e.kind !== 'write' && e.kind !== 'rmw') return false;
  if (depends(window, j, e.addr) || depends(window, j, e.data)) return false;
  const carries = e.step.op === 'rmw' && (e.step.fn !== 'xchg' || reader.acquire !== '');
  return !(carries && e.r);
}

/** Where read `window[i]` would take its value from, as far as the own earlier accesses to its word go. */
function source(window: Window, i: number): Source {
  const f = window[i]!;
  for (let j = i - 1; j >= 0; j--) {
    const e = window[j]!;
    if (!isAccess(e) || !meet(e, f)) continue;
    if (e.w) return f.kind !== 'lock' && forwards(window, j, f) ? e : 'wait';
    // A read that could be performed is performed before. One that waits for its address may come later, if it reads the same store.
    if (f.kind === 'lock' || !depends(window, j, e.addr)) return 'wait';
  }
  return 'memory';
}

/** May the read of `window[i]` be performed, and from where? */
export function readable(window: Window, i: number, strength: Strength): Source {
  const a = ahead(window, i);
  const f = window[i]!;
  if (a.blocksReads || depends(window, i, f.addr)) return 'wait';
  if (f.acquire === 'A' && a.released) return 'wait';
  const strong = strength !== 'arm64';
  if (a.writes && (strength === 'sc' || (strong && f.kind === 'rmw'))) return 'wait';
  if (strong && f.kind === 'lock' && (a.reads || a.writes || a.control)) return 'wait';
  return source(window, i);
}

/** May the store of `window[i]` be performed? Not asked whether another task keeps the word from changing. */
export function writable(window: Window, i: number): boolean {
  const f = window[i]!;
  if (f.r || depends(window, i, f.addr) || depends(window, i, f.data)) return false;
  const a = ahead(window, i);
  if (a.blocksWrites || a.control || (f.release && (a.reads || a.writes))) return false;
  for (let j = 0; j < i; j++) if (isAccess(window[j]!) && meet(window[j]!, f)) return false;
  return true;
}

/** May the ISB `window[i]` be performed? */
export function synchronisable(window: Window, i: number): boolean {
  const a = ahead(window, i);
  return !a.control && !a.completes && !window.some((e, j) => j < i && e.kind === 'isb');
}

/** A performed read that must stay known: an earlier read of the same word has to read the same store, or a dependency is on it. */
export const recalled = (window: Window, i: number): boolean =>
  window.some((e, j) => j < i && e.r && e.at === window[i]!.at);

/**
 * Words that other tasks may not write: an atomic has read and not yet stored; a later read was performed before an earlier
 * one, which has to read the same store; a lock is being taken.
 */
export function reserved(window: Window): number[] {
  const out: number[] = [];
  window.forEach((e, i) => {
    const own = window.some((x, j) => j < i && x.w && meet(x, e));
    if (own) return;
    if (e.w && !e.r && (e.kind === 'rmw' || e.kind === 'lock')) out.push(e.at);
    if (e.r && e.kind === 'read' && passed(window, i)) out.push(e.at);
  });
  return out;
}

/** Has a later read of the word of `window[i]` been performed, with no store of its own between the two? */
function passed(window: Window, i: number): boolean {
  const e = window[i]!;
  for (let j = i + 1; j < window.length; j++) {
    const f = window[j]!;
    if (!meet(f, e)) continue;
    if (f.w) return false;
    if (f.kind === 'read' && !f.r) return true;
  }
  return false;
}
