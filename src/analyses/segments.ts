import type { RecordBatch } from 'apache-arrow';
import { bool, cursor, dictValues, has, ns, type Trace, u64 } from '../events/trace.js';
import { drainLags } from './drain-lags.js';
import { initMm } from './init-mm.js';
import { kindsOf } from './kinds.js';
import { marks } from './phases.js';
import { raceWindows } from './race-windows.js';

const known = [
  'vmalloc_range', 'alloc_vmap_area', 'pte_alloc_kernel', 'pmd_free_pte_page', 'pmd_set_huge',
  'vfree', 'free_vmap_area_noflush', 'purge_vmap_area_lazy', 'walk', 'walk_ret', 'key_en',
  'key_dis', 'mmap_lock_start_locking', 'mmap_lock_acquire_returned', 'mmap_lock_released',
  'contention_begin',
] as const; // biome-ignore format: a list

/** Times of one machine, as one trace shows them. */
export interface Segments {
  /**
   * 'event>event' -> times between two neighbours of one task, ns, ascending; and 'event>event@walk' or '@idle' of those
   * that began while another task's walk was under way, or none: a machine is not equally fast in both.
   */
  readonly segments: Readonly<Record<string, readonly number[]>>;
  /** From asking for init_mm's lock to having it, where nobody was in the way. */
  readonly lock_ns: readonly number[];
  /** From a walker's release of the lock to the moment a waiting reader had it. */
  readonly wake_ns: readonly number[];
  /** How long a task went on after the free that made a drain due, until the worker took its CPU. */
  readonly work_item_ns: readonly number[];
  /** From the end of one read of the dump to the next one's begin. */
  readonly next_read_ns: readonly number[];
  /** From switching the key on to the walk, where no other task switched it meanwhile. */
  readonly key_flip_ns: readonly number[];
  /** Share of that time after which frees begin to see the key; null if no free fell into one. */
  readonly patch_share: number | null;
  readonly walks_per_read: number;
  /** Readers at work at a time, at most. */
  readonly readers: number;
  readonly missing: readonly string[];
}

const WALK = known.indexOf('walk');

interface Last {
  name: string;
  at: number;
  /** A walker held the lock then. */
  walk: boolean;
}

interface Scan {
  readonly mm: bigint | null;
  readonly write: number;
  readonly times: Map<string, number[]>;
  /** The same, by whether another task's walk was under way where they began. */
  readonly byState: Map<string, number[]>;
  readonly last: Map<number, Last>;
  readonly asked: Map<number, { at: number; contended: boolean }>;
  readonly lock: number[];
  readonly wake: number[];
  released: number;
  /** When each reader's last walk ended, of those whose read may be over; by pid. */
  readonly reads: Map<number, { last: number; walks: number }>;
  readonly gaps: number[];
  readonly counts: number[];
  keyOn: boolean;
  readonly active: Set<number>;
  readonly walkers: ReadonlySet<number>;
  /** Switching the key, begun; true once another did so meanwhile. */
  readonly flipping: Map<number, { at: number; disturbed: boolean }>;
  readonly flips: { from: number; to: number }[];
  /** Who holds the lock. */
  readonly holders: Set<number>;
}

const push = (m: Map<string, number[]>, key: string, v: number): void => {
  const list = m.get(key);
  if (list) list.push(v);
  else m.set(key, [v]);
};

/** Tasks of the workload: at least a twentieth of its vmalloc calls each; and who walks. */
function workers(trace: Trace, from: number, to: number) {
  const kinds = kindsOf(trace, known);
  const calls = new Map<number, number>();
  const walkers = new Set<number>();
  let base = 0;
  for (const b of trace.batches) {
    const kind = kinds(b);
    const pid = cursor(b, 'pid');
    for (let i = 0; i < kind.length; i++) {
      if (base + i < from || base + i >= to || !has(pid, i)) continue;
      const p = pid.values[i]!;
      if (kind[i] === 0) calls.set(p, (calls.get(p) ?? 0) + 1);
      else if (kind[i] === WALK) walkers.add(p);
    }
    base += b.numRows;
  }
  const total = [...calls.values()].reduce((a, b) => a + b, 0);
  const callers = [...calls].filter(([, n]) => n * 20 >= total).map(([p]) => p);
  return { walkers, who: new Set([...walkers, ...callers]) };
}

const viewOf = (b: RecordBatch) => ({
  pid: cursor(b, 'pid'),
  ts: cursor(b, 'ts_ns'),
  lock: cursor(b, 'lock'),
  mode: cursor(b, 'lock_mode'),
  ok: cursor(b, 'ok'),
});
type View = ReturnType<typeof viewOf>;

/** Name of the event among neighbours; '' if it is none of ours. */
function nameAt(s: Scan, v: View, i: number, kind: number): string {
  const name = known[kind]!;
  if (name === 'contention_begin') return '';
  if (!name.startsWith('mmap_lock')) {
    if (name === 'key_en') {
      const noop = s.keyOn;
      s.keyOn = true;
      return noop ? 'key_en.noop' : name;
    }
    if (name === 'key_dis') {
      const noop = !s.keyOn;
      s.keyOn = false;
      return noop ? 'key_dis.noop' : name;
    }
    return name;
  }
  if (s.mm === null || !has(v.lock, i) || u64(v.lock, i) !== s.mm) return '';
  const mode = has(v.mode, i) && v.mode.values[i] === s.write ? 'write' : 'read';
  const failed = name.endsWith('returned') && has(v.ok, i) && !bool(v.ok, i);
  return `${name}.${mode}${failed ? '.failed' : ''}`;
}

function onLockEvent(s: Scan, name: string, pid: number, at: number): void {
  if (name.startsWith('mmap_lock_start')) {
    s.asked.set(pid, { at, contended: s.holders.size > 0 });
  } else if (name.startsWith('mmap_lock_released')) s.holders.delete(pid);
  if (name === 'mmap_lock_released.write') s.released = at;
  const asked = s.asked.get(pid);
  if (!name.startsWith('mmap_lock_acquire') || !asked) return;
  s.asked.delete(pid);
  if (!name.endsWith('.failed')) s.holders.add(pid);
  if (!asked.contended) s.lock.push(at - asked.at);
  else if (name.endsWith('.read') && s.released > asked.at) s.wake.push(at - s.released);
}

/** Switching that no other task disturbed, from key_en to the walk. */
function onKey(s: Scan, name: string, pid: number, at: number): void {
  if (name.startsWith('key_')) {
    for (const [who, f] of s.flipping) if (who !== pid) f.disturbed = true;
    if (name === 'key_en') s.flipping.set(pid, { at, disturbed: s.flipping.size > 0 });
    return;
  }
  const f = s.flipping.get(pid);
  if (name !== 'walk' || !f) return;
  s.flipping.delete(pid);
  if (!f.disturbed) s.flips.push({ from: f.at, to: at });
}

/** A walk begins or ends: reads of one pid belong together, a new pid takes up where one has ended. */
function onReader(s: Scan, name: string, pid: number, at: number): void {
  const mine = s.reads.get(pid);
  if (!mine) {
    const over = [...s.reads].find(([p]) => !s.active.has(p));
    if (over) {
      s.gaps.push(at - over[1].last);
      s.counts.push(over[1].walks);
      s.reads.delete(over[0]);
    }
    s.reads.set(pid, { last: at, walks: 0 });
  }
  const read = s.reads.get(pid)!;
  read.last = at;
  if (name === 'walk') {
    read.walks++;
    s.active.add(pid);
  }
}

function scan(trace: Trace, s: Scan, from: number, to: number, who: ReadonlySet<number>): number {
  const kinds = kindsOf(trace, known);
  const lastOf = lastRows(trace, s, who, from, to);
  let base = 0;
  let readers = 0;
  for (const b of trace.batches) {
    const kind = kinds(b);
    const v = viewOf(b);
    for (let i = 0; i < kind.length; i++) {
      if (kind[i]! < 0 || base + i < from || base + i >= to || !has(v.pid, i)) continue;
      const pid = v.pid.values[i]!;
      if (!who.has(pid)) continue;
      if (kind[i]! < WALK && s.walkers.has(pid)) continue; // a buffer of seq_file, not the workload
      const at = ns(v.ts, i);
      const asked = s.asked.get(pid);
      if (known[kind[i]!] === 'contention_begin' && asked) asked.contended = true;
      const name = nameAt(s, v, i, kind[i]!);
      if (name === '') continue;
      onLockEvent(s, name, pid, at);
      onKey(s, name, pid, at);
      if (/^(walk|key_)/.test(name)) onReader(s, name, pid, at);
      readers = Math.max(readers, s.active.size);
      const last = s.last.get(pid);
      if (last) {
        push(s.times, `${last.name}>${name}`, at - last.at);
        push(s.byState, `${last.name}>${name}@${last.walk ? 'walk' : 'idle'}`, at - last.at);
      }
      const walk = [...s.holders].some((p) => p !== pid && s.walkers.has(p));
      s.last.set(pid, { name, at, walk });
      if (lastOf.get(pid) === base + i) s.active.delete(pid);
    }
    base += b.numRows;
  }
  return readers;
}

/** The last row of each task that is one of ours. */
function lastRows(trace: Trace, s: Scan, who: ReadonlySet<number>, from: number, to: number) {
  const kinds = kindsOf(trace, known);
  const out = new Map<number, number>();
  let base = 0;
  for (const b of trace.batches) {
    const kind = kinds(b);
    const pid = cursor(b, 'pid');
    const lock = cursor(b, 'lock');
    for (let i = 0; i < kind.length; i++) {
      if (kind[i]! < 0 || base + i < from || base + i >= to || !has(pid, i)) continue;
      const p = pid.values[i]!;
      if (kind[i]! < WALK && s.walkers.has(p)) continue; // a buffer of seq_file
      if (who.has(p) && !has(lock, i)) out.set(p, base + i);
    }
    base += b.numRows;
  }
  return out;
}

/**
 * Where in the time of a flip the new text stands: of the frees that looked at the key while it was being switched on,
 * those that did not see it came before. A free looks when its flush is over, just before it may take the lock.
 */
function patchShare(trace: Trace, s: Scan): number | null {
  const flush = sorted(s.times.get('pmd_free_pte_page>mmap_lock_start_locking.read') ?? []);
  const delay = flush[Math.floor(flush.length / 2)] ?? 0;
  let [seen, unseen, i] = [0, 0, 0];
  for (const w of raceWindows(trace).windows) {
    const looked = w.ts_ns + delay;
    while (i < s.flips.length && s.flips[i]!.to < looked) i++;
    const f = s.flips[i];
    if (!f || looked < f.from) continue;
    if (w.lock === 'taken before free') seen++;
    else unseen++;
  }
  return seen + unseen === 0 ? null : (unseen + 1) / (seen + unseen + 2);
}

/** Times seen at least so often in one state are kept by state, too. */
const ENOUGH = 50;

/** Waits are simulated, not drawn; so are the times between reads. */
const WAITED = /start_locking\.(read|write)>mmap_lock_acquire_returned\.\1$/;

const sorted = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);

const mostly = (list: readonly number[]): number => {
  const by = new Map<number, number>();
  for (const v of list) by.set(v, (by.get(v) ?? 0) + 1);
  return [...by].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 3;
};

/**
 * Times that a trace shows: between neighbouring events of one task, waits for init_mm's lock apart. The workload between
 * MARK wl_begin and wl_end if it is marked, else all of it. Tasks with less than a twentieth of the calls are left out.
 */
export function segmentsOf(trace: Trace): Segments {
  const all = marks(trace);
  const from = all.find((m) => m.name === 'wl_begin')?.row ?? 0;
  const to = all.find((m) => m.name === 'wl_end')?.row ?? Number.POSITIVE_INFINITY;
  const { walkers, who } = workers(trace, from, to);
  const s: Scan = {
    mm: initMm(trace), write: dictValues(trace, 'lock_mode').indexOf('write'), times: new Map(),
    byState: new Map(), last: new Map(), asked: new Map(), lock: [], wake: [], released: Number.NaN, reads: new Map(),
    gaps: [], counts: [], keyOn: false, active: new Set(), walkers, holders: new Set(),
    flipping: new Map(), flips: [],
  }; // biome-ignore format: a table
  const readers = scan(trace, s, from, to, who);
  const kept = [...s.times].filter(([k, v]) => !WAITED.test(k) && v.length >= 5);
  const twice = [...s.byState].filter(
    ([k, v]) => !WAITED.test(k.replace(/@.*/, '')) && v.length >= ENOUGH,
  );
  const missing: string[] = [];
  if (s.lock.length === 0) missing.push('lock: no mmap_lock event of init_mm');
  if (s.wake.length === 0) missing.push('wake-up: nobody waited for the lock and was seen waiting');
  if (s.gaps.length === 0) missing.push('next read: no task read the dump more than once');
  const lacks = ['vmalloc_range>alloc_vmap_area', 'vfree>free_vmap_area_noflush'];
  for (const k of lacks) if (!kept.some(([n]) => n === k)) missing.push(`${k}: not seen 5 times`);
  return {
    segments: Object.fromEntries([...kept, ...twice].map(([k, v]) => [k, sorted(v)])),
    lock_ns: sorted(s.lock),
    wake_ns: sorted(s.wake),
    work_item_ns: sorted(drainLags(trace)),
    next_read_ns: sorted(s.gaps),
    key_flip_ns: sorted(s.flips.map((f) => f.to - f.from)),
    patch_share: patchShare(trace, s),
    walks_per_read: mostly(s.counts),
    readers,
    missing,
  };
}
