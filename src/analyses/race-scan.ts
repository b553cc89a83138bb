import type { RecordBatch } from 'apache-arrow';
import { bool, cursor, dictValues, has, ns, type Trace, u64 } from '../events/trace.js';
import { kindsOf } from './kinds.js';

const known = [
  'walk',
  'pmd_free_pte_page',
  'pmd_set_huge',
  'pud_set_huge',
  'mmap_lock_start_locking',
  'mmap_lock_acquire_returned',
  'mmap_lock_released',
  'key_en',
  'key_dis',
] as const;
const TABLE = 3;

/** A hold of init_mm for write; `to_ns` null if the trace ends, or its task dies, before it does. */
export interface Hold {
  readonly from_ns: number;
  to_ns: number | null;
  readonly pid: number;
}

/** One table freed, as the events tell it. */
export interface RawWindow {
  readonly ts_ns: number;
  readonly pid: number;
  readonly cpu: number | null;
  readonly va: bigint | null;
  /** The hold of another task it fell into. */
  readonly walker: Hold | null;
  readonly heldRead: boolean;
  readonly keyOn: boolean;
  tookRead: boolean;
  toTheEnd: boolean;
  set_ns: number | null;
}

/** Everything one pass over a trace collects. */
export interface RaceState {
  readonly mm: bigint | null;
  readonly seen: { walk: number; free: number; set: number; lock: number; key: number };
  readonly windows: RawWindow[];
  readonly holds: Hold[];
  readonly holds_us: number[];
  readonly readWaits_us: number[];
  readonly readWaits_ns: number[];
  readonly writeWaits_us: number[];
  readonly writeWaits_ns: number[];
  readonly tasks: Map<number, string>;
  readAcquired: number;
  trylockFailed: number;
  offUnderWalk: number;
  first_ns: number;
}

/** What is true at the event being read. */
interface Now {
  readonly writers: Map<number, Hold>;
  readonly readers: Map<number, number>;
  /** pid -> when it began to lock init_mm. */
  readonly waits: Map<number, number>;
  /** pid -> its frees whose block is not set yet. */
  readonly open: Map<number, RawWindow[]>;
  /** Address of a static key -> how often it is on. */
  readonly keys: Map<bigint, number>;
  /** Keys that a task switched which walks. */
  readonly walkKeys: Set<bigint>;
  readonly lastKey: Map<number, bigint>;
  /** Ids of places in static_key_slow_inc() and _dec(), which count; enable and disable do not. */
  readonly countingPlaces: ReadonlySet<number>;
}

/** The columns of one batch that the scan reads. */
const viewOf = (b: RecordBatch) => ({
  pid: cursor(b, 'pid'),
  cpu: cursor(b, 'cpu'),
  task: cursor(b, 'task'),
  ts: cursor(b, 'ts_ns'),
  at: cursor(b, 'at'),
  va: cursor(b, 'va'),
  entry: cursor(b, 'entry'),
  lock: cursor(b, 'lock'),
  mode: cursor(b, 'lock_mode'),
  ok: cursor(b, 'ok'),
  object: cursor(b, 'object'),
});
type View = ReturnType<typeof viewOf>;

/** Whole microseconds as ftrace prints them. C: kernel/trace/trace.c ns2usecs() */
const us = (t_ns: number): number => Math.floor((t_ns + 500) / 1000);

const otherHold = (now: Now, pid: number): Hold | null => {
  for (const [who, hold] of now.writers) if (who !== pid) return hold;
  return null;
};

function onFree(s: RaceState, now: Now, v: View, i: number, pid: number, t: number): void {
  s.seen.free++;
  if (has(v.entry, i) && (v.entry.values[i * 2]! & 3) !== TABLE) return;
  const w: RawWindow = {
    ts_ns: t,
    pid,
    cpu: has(v.cpu, i) ? v.cpu.values[i]! : null,
    va: has(v.va, i) ? u64(v.va, i) : null,
    walker: otherHold(now, pid),
    heldRead: (now.readers.get(pid) ?? 0) > 0,
    keyOn: [...now.walkKeys].some((k) => (now.keys.get(k) ?? 0) > 0),
    tookRead: false,
    toTheEnd: false,
    set_ns: null,
  };
  s.windows.push(w);
  const list = now.open.get(pid);
  if (list) list.push(w);
  else now.open.set(pid, [w]);
}

function onSet(now: Now, pid: number, t: number): void {
  for (const w of now.open.get(pid) ?? []) {
    w.set_ns = t;
    w.toTheEnd = w.walker !== null && w.walker.to_ns === null;
  }
  now.open.delete(pid);
}

function onAcquired(s: RaceState, now: Now, pid: number, t: number, write: boolean): void {
  const began = now.waits.get(pid);
  now.waits.delete(pid);
  if (began !== undefined) {
    (write ? s.writeWaits_us : s.readWaits_us).push(us(t) - us(began));
    (write ? s.writeWaits_ns : s.readWaits_ns).push(t - began);
  }
  if (write) {
    const hold = { from_ns: t, to_ns: null, pid };
    now.writers.set(pid, hold);
    s.holds.push(hold);
  } else {
    s.readAcquired++;
    now.readers.set(pid, (now.readers.get(pid) ?? 0) + 1);
  }
}

function onReleased(s: RaceState, now: Now, pid: number, t: number, write: boolean): void {
  if (!write) {
    now.readers.set(pid, Math.max(0, (now.readers.get(pid) ?? 0) - 1));
    return;
  }
  const hold = now.writers.get(pid);
  if (!hold) return; // taken before the events were on
  hold.to_ns = t;
  s.holds_us.push(us(t) - us(hold.from_ns));
  now.writers.delete(pid);
}

function onKey(s: RaceState, now: Now, v: View, i: number, pid: number, on: boolean): void {
  s.seen.key++;
  if (!on && otherHold(now, pid)) s.offUnderWalk++;
  if (!has(v.object, i)) return;
  const key = u64(v.object, i);
  now.lastKey.set(pid, key);
  const counts = has(v.at, i) && now.countingPlaces.has(v.at.values[i]!);
  const n = now.keys.get(key) ?? 0;
  now.keys.set(key, counts ? Math.max(0, n + (on ? 1 : -1)) : on ? 1 : 0);
}

function onRow(s: RaceState, now: Now, v: View, i: number, kind: number, write: number): void {
  const pid = has(v.pid, i) ? v.pid.values[i]! : -1;
  const t = ns(v.ts, i);
  if (kind === 0) {
    s.seen.walk++;
    const key = now.lastKey.get(pid);
    if (key !== undefined) now.walkKeys.add(key);
  } else if (kind === 1) onFree(s, now, v, i, pid, t);
  else if (kind <= 3) {
    s.seen.set++;
    onSet(now, pid, t);
  } else if (kind <= 6) {
    s.seen.lock++;
    if (s.mm === null || !has(v.lock, i) || u64(v.lock, i) !== s.mm) return;
    const mode = has(v.mode, i) && v.mode.values[i] === write;
    if (kind === 4) {
      now.waits.set(pid, t);
      if (!mode) for (const w of now.open.get(pid) ?? []) w.tookRead = true;
    } else if (kind === 6) onReleased(s, now, pid, t, mode);
    else if (!has(v.ok, i) || bool(v.ok, i)) onAcquired(s, now, pid, t, mode);
    else if (!mode) s.trylockFailed++;
  } else onKey(s, now, v, i, pid, kind === 7);
}

function newState(mm: bigint | null): RaceState {
  return {
    mm,
    seen: { walk: 0, free: 0, set: 0, lock: 0, key: 0 },
    windows: [],
    holds: [],
    holds_us: [],
    readWaits_us: [],
    readWaits_ns: [],
    writeWaits_us: [],
    writeWaits_ns: [],
    tasks: new Map(),
    readAcquired: 0,
    trylockFailed: 0,
    offUnderWalk: 0,
    first_ns: 0,
  };
}

/** One pass over a trace; `mm` is init_mm as the trace writes it, or null. */
export function scanRace(trace: Trace, mm: bigint | null): RaceState {
  const s = newState(mm);
  const places = dictValues(trace, 'at');
  const now: Now = {
    writers: new Map(),
    readers: new Map(),
    waits: new Map(),
    open: new Map(),
    keys: new Map(),
    walkKeys: new Set(),
    lastKey: new Map(),
    countingPlaces: new Set(places.flatMap((p, i) => (/static_key_slow_/.test(p) ? [i] : []))),
  };
  const write = dictValues(trace, 'lock_mode').indexOf('write');
  const names = dictValues(trace, 'task');
  const kinds = kindsOf(trace, known);
  for (const [n, b] of trace.batches.entries()) {
    const kind = kinds(b);
    const v = viewOf(b);
    if (n === 0 && b.numRows > 0) s.first_ns = ns(v.ts, 0);
    for (let i = 0; i < kind.length; i++) {
      if (kind[i]! < 0) continue;
      const pid = has(v.pid, i) ? v.pid.values[i]! : -1;
      if (!s.tasks.has(pid) && has(v.task, i)) s.tasks.set(pid, names[v.task.values[i]!]!);
      onRow(s, now, v, i, kind[i]!, write);
    }
  }
  return s;
}
