import type { Trace } from '../events/trace.js';
import { initMm } from './init-mm.js';
import { type RaceState, type RawWindow, scanRace } from './race-scan.js';

/** Spread of times in microseconds, as ftrace prints them; only `n` where there are none. */
export type Spread = { n: number; p50?: number; p90?: number; max?: number };

/** One table freed: who, where, and how near a walker was. */
export interface RaceWindow {
  readonly ts_ns: number;
  readonly cpu: number | null;
  readonly pid: number;
  readonly task: string;
  /** Start of what the table mapped, hexadecimal; null if the probe has no address. */
  readonly va: string | null;
  /** Another task held init_mm for write at the free: its pid and name; null if none did. */
  readonly walker: { readonly pid: number; readonly task: string } | null;
  /** The freeing task's own hold on init_mm. */
  readonly lock: 'held at free' | 'taken before free' | 'none' | null;
  /** The key walkers switch was on; null without key events. */
  readonly key_on: boolean | null;
  /** In a walk, with no lock; and the walker still held init_mm when the block was set. */
  readonly unlocked: boolean | null;
  readonly to_the_end: boolean | null;
  /** From pmd_free_pte_page to the block being set: the free lies within; null if never set. */
  readonly window_ns: number | null;
  /** From the free to the nearest hold of init_mm by a walker: 0 inside one; null if none. */
  readonly to_walk_ns: number | null;
}

/** Result of `raceWindows`; a figure of which the trace can tell nothing is null, never 0. */
export interface RaceWindows {
  readonly walks: number | null;
  readonly write_holds: number | null;
  readonly frees: {
    readonly total: number | null;
    readonly in_walk: number | null;
    readonly read_lock_held_at_free: number | null;
    readonly read_lock_taken_before_free: number | null;
    readonly in_walk_unlocked: number | null;
    readonly in_walk_unlocked_to_the_end: number | null;
  };
  readonly read_lock: {
    readonly acquired: number | null;
    readonly trylock_failed: number | null;
    readonly wait_us: Spread | null;
  };
  readonly write_lock: { readonly wait_us: Spread | null; readonly hold_us: Spread | null };
  readonly key: { readonly flips: number; readonly off_under_walk: number } | null;
  readonly windows: readonly RaceWindow[];
  /** Each wait for init_mm's read lock and each hold for write, in ns: for charts. */
  readonly read_waits_ns: readonly number[];
  readonly write_waits_ns: readonly number[];
  readonly holds: readonly { from_ns: number; to_ns: number | null; pid: number; task: string }[];
  readonly first_ns: number;
  /** What the trace lacks, with what to record. */
  readonly missing: readonly string[];
}

/** Quantiles at floor(p n) of the sorted list, in microseconds. */
export function spread(list_us: readonly number[]): Spread {
  if (list_us.length === 0) return { n: 0 };
  const sorted = Float64Array.from(list_us).sort();
  const at = (p: number): number => sorted[Math.floor(p * sorted.length)]!;
  return { n: sorted.length, p50: at(0.5), p90: at(0.9), max: sorted[sorted.length - 1]! };
}

const recipe = {
  free: "echo 'p:pmd_free_pte_page pmd_free_pte_page pmdp=$arg1:x64 addr=$arg2:x64 pmd=+0($arg1):x64' >> kprobe_events",
  set: "echo 'p:pmd_set_huge pmd_set_huge pmdp=$arg1:x64 phys=$arg2:x64 old=+0($arg1):x64' >> kprobe_events",
  walk: "echo 'p:walk ptdump_walk_pgd' >> kprobe_events; echo 'r:walk_ret ptdump_walk_pgd' >> kprobe_events",
  lock: 'echo 1 > events/mmap_lock/enable',
  key: "echo 'p:key_en static_key_enable key=$arg1:x64' >> kprobe_events (key_dis: static_key_disable; v6: static_key_slow_inc and _dec)",
};

function missingOf(s: RaceState): string[] {
  const list: string[] = [];
  const lack = (is: boolean, what: string, how: string): void => {
    if (is) list.push(`No ${what}. Record it with: ${how}`);
  };
  lack(s.seen.walk === 0, 'ptdump walk (probe on ptdump_walk_pgd)', recipe.walk);
  lack(s.seen.free === 0, 'freed table (probe on pmd_free_pte_page)', recipe.free);
  lack(s.seen.free > 0 && s.seen.set === 0, 'block being set (probe on pmd_set_huge)', recipe.set);
  lack(s.seen.lock === 0, 'mmap_lock event', recipe.lock);
  if (s.seen.lock > 0 && s.mm === null) {
    list.push(
      tellsLocks(s)
        ? 'No lock is taken inside a walk or a free, so the figures of the lock are 0; locks taken before the lock events were on are not seen.'
        : 'Which mm is init_mm cannot be told: no lock is taken inside a walk or a free.',
    );
  }
  lack(s.seen.key === 0, 'static key event: the key figures are null', recipe.key);
  return list;
}

/**
 * Can anything be said of init_mm's lock? Its mm is known, or lock events and walks are there and no walk or free takes any:
 * then nobody took it.
 */
const tellsLocks = (s: RaceState): boolean => s.seen.lock > 0 && (s.mm !== null || s.seen.walk > 0);

const hex = (va: bigint): string => `0x${va.toString(16)}`;

/** Distance from `ts` to the nearest hold of another task; holds are in order of their begin. */
function toWalk(s: RaceState, w: RawWindow): number | null {
  if (w.walker) return 0;
  let low = 0;
  let high = s.holds.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (s.holds[mid]!.from_ns <= w.ts_ns) low = mid + 1;
    else high = mid;
  }
  const after = s.holds.slice(low).find((h) => h.pid !== w.pid);
  const before = s.holds.slice(0, low).findLast((h) => h.pid !== w.pid && h.to_ns !== null);
  const gaps = [
    ...(after ? [after.from_ns - w.ts_ns] : []),
    ...(before ? [w.ts_ns - before.to_ns!] : []),
  ];
  return gaps.length === 0 ? null : Math.min(...gaps);
}

function windowOf(s: RaceState, w: RawWindow, task: (pid: number) => string): RaceWindow {
  const blind = !tellsLocks(s);
  const lock = w.heldRead ? 'held at free' : w.tookRead ? 'taken before free' : 'none';
  const unlocked = w.walker !== null && lock === 'none';
  return {
    ts_ns: w.ts_ns,
    cpu: w.cpu,
    pid: w.pid,
    task: task(w.pid),
    va: w.va === null ? null : hex(w.va),
    walker: w.walker && { pid: w.walker.pid, task: task(w.walker.pid) },
    lock: blind ? null : lock,
    key_on: s.seen.key === 0 ? null : w.keyOn,
    unlocked: blind ? null : unlocked,
    to_the_end: blind ? null : unlocked && w.toTheEnd,
    window_ns: w.set_ns === null ? null : w.set_ns - w.ts_ns,
    to_walk_ns: blind ? null : toWalk(s, w),
  };
}

/**
 * Could a walker touch a table that vmalloc was freeing? Figures over the whole trace:
 * - walks: ptdump_walk_pgd() entries; write_holds: successful write acquisitions of init_mm;
 * - frees.total: pmd_free_pte_page() on a table; in_walk: of these, another task held init_mm for
 *   write at that event; read_lock_held_at_free: the freeing task held it for read (trylock
 *   scheme); read_lock_taken_before_free: it began to take it between that event and its
 *   pmd_set_huge() (v3 to v6); in_walk_unlocked: in_walk, and neither of the two;
 *   in_walk_unlocked_to_the_end: of these, the same writer still held the lock at the
 *   pmd_set_huge(), so the free itself lay within the walk;
 * - read_lock: acquired; trylock_failed, each a huge mapping lost; wait_us from start_locking to
 *   acquire_returned of those acquired. write_lock: wait_us, hold_us (holds that ended);
 * - key: flips = enable and disable calls; off_under_walk = disabled by one task while another held
 *   init_mm for write. Null without key events.
 *
 * Times in _us are differences of stamps in whole microseconds, as the trace file prints them, so a
 * binary trace of the same run gives the same figures; quantiles are elements at floor(p n).
 * C: arch/arm64/mm/mmu.c, mm/ptdump.c. Left out: PTE tables that v3's own pud_free_pmd_page frees
 * through a static function, which no probe sees; locks taken before the lock events were on.
 */
export function raceWindows(trace: Trace): RaceWindows {
  const s = scanRace(trace, initMm(trace));
  const task = (pid: number): string => s.tasks.get(pid) ?? '?';
  const windows = s.windows.map((w) => windowOf(s, w, task));
  const freed = s.seen.free > 0 || s.seen.set > 0 || s.seen.walk > 0;
  const locks = <T>(v: T): T | null => (tellsLocks(s) ? v : null);
  const count = (p: (w: RaceWindow) => boolean): number | null =>
    locks(windows.reduce((n, w) => n + (p(w) ? 1 : 0), 0));
  return {
    walks: s.seen.walk > 0 ? s.seen.walk : null,
    write_holds: locks(s.holds.length),
    frees: {
      total: freed ? windows.length : null,
      in_walk: count((w) => w.walker !== null),
      read_lock_held_at_free: count((w) => w.lock === 'held at free'),
      // A free may both hold the lock and take it again (nested schemes): counted from the events.
      read_lock_taken_before_free: locks(s.windows.filter((w) => w.tookRead).length),
      in_walk_unlocked: count((w) => w.unlocked === true),
      in_walk_unlocked_to_the_end: count((w) => w.to_the_end === true),
    },
    read_lock: {
      acquired: locks(s.readAcquired),
      trylock_failed: locks(s.trylockFailed),
      wait_us: locks(spread(s.readWaits_us)),
    },
    write_lock: {
      wait_us: locks(spread(s.writeWaits_us)),
      hold_us: locks(spread(s.holds_us)),
    },
    key: s.seen.key > 0 ? { flips: s.seen.key, off_under_walk: s.offUnderWalk } : null,
    windows,
    read_waits_ns: s.readWaits_ns,
    write_waits_ns: s.writeWaits_ns,
    holds: s.holds.map((h) => ({ ...h, task: task(h.pid) })),
    first_ns: s.first_ns,
    missing: missingOf(s),
  };
}
