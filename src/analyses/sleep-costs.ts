import type { Trace } from '../events/trace.js';
import { initMm } from './init-mm.js';
import { quantiles } from './quantiles.js';
import { raceWindows } from './race-windows.js';
import { type Call, type SleepState, scanSleeps } from './sleep-scan.js';

/** Spread in microseconds; only `n` where there is nothing. Elements at floor(p n) of the list. */
export interface Spread99 {
  readonly n: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p99?: number;
  readonly max?: number;
}

/** What a group of calls cost. A figure of which the trace can tell nothing is null. */
export interface Costs {
  /** Calls of vmalloc, or walks of ptdump. */
  readonly calls: number;
  /** Of these, those that slept at least once. */
  readonly slept: number | null;
  /** Time asleep, per call that slept. */
  readonly asleep_us: Spread99 | null;
  /** Time from asking for init_mm's lock to having it, per call that asked, by mode. */
  readonly lock_wait_us: { readonly read: Spread99; readonly write: Spread99 } | null;
  /** Contended spins seen (contention events with SPIN). */
  readonly spins: number | null;
  /** mmap_read_trylock() failures: huge mappings mapped by pages instead. */
  readonly lost_huge: number | null;
  /** synchronize_rcu() calls. */
  readonly grace_periods: number;
  /** "BUG: sleeping function called from invalid context", "BUG: scheduling while atomic". */
  readonly violations: number;
}

/** Result of `sleepCosts`. */
export interface SleepCosts {
  readonly scheme: string;
  readonly by_scheme: (Costs & { scheme: string; role: string })[];
  readonly by_task: (Costs & { task: string; pid: number; role: string })[];
  readonly by_context: (Costs & { context: string; role: string })[];
  readonly vmalloc: {
    readonly calls: number;
    readonly time_us: number;
    /** Of that time: from pmd_free_pte_page (pud_free_pmd_page) to the block being set. */
    readonly share_in_free_tables: number | null;
    readonly calls_that_free_tables: number;
    readonly share_of_calls: number | null;
  };
  /** Time asleep per call that slept, by role, for charts. */
  readonly sleeps: readonly { role: string; asleep_ns: number }[];
  readonly read_waits_ns: readonly number[];
  readonly calls: readonly Call[];
  readonly tasks: ReadonlyMap<number, string>;
  readonly missing: readonly string[];
}

function spread99(list_ns: readonly number[]): Spread99 {
  const q = quantiles(list_ns);
  if (!q) return { n: 0 };
  const us = (v: number): number => Number((v / 1000).toFixed(3));
  return { n: q.n, p50: us(q.p50), p90: us(q.p90), p99: us(q.p99), max: us(q.max) };
}

const sum = (list: readonly Call[], of: (c: Call) => number): number =>
  list.reduce((n, c) => n + of(c), 0);

const waits = (list: readonly Call[], of: (c: Call) => number | null): number[] =>
  list.flatMap((c) => {
    const w = of(c);
    return w === null ? [] : [w];
  });

function costs(s: SleepState, list: readonly Call[]): Costs {
  const sleeping = list.filter((c) => c.asleep_ns > 0);
  const tellsSleep = s.seen.sched > 0 || s.seen.contention > 0;
  // Lock events and walks are there, and no walk or free takes a lock: then nobody took init_mm's.
  const tellsLock = s.seen.lock > 0 && (s.mm !== null || s.seen.walk > 0);
  return {
    calls: list.length,
    slept: tellsSleep ? sleeping.length : null,
    asleep_us: tellsSleep ? spread99(sleeping.map((c) => c.asleep_ns)) : null,
    lock_wait_us: tellsLock
      ? {
          read: spread99(waits(list, (c) => c.read_wait_ns)),
          write: spread99(waits(list, (c) => c.write_wait_ns)),
        }
      : null,
    spins: s.seen.contention > 0 ? sum(list, (c) => c.spins) : null,
    lost_huge: tellsLock ? sum(list, (c) => c.lost_huge) : null,
    grace_periods: sum(list, (c) => c.grace_periods),
    violations: sum(list, (c) => c.violations),
  };
}

function groups<K>(list: readonly Call[], key: (c: Call) => K): Map<K, Call[]> {
  const out = new Map<K, Call[]>();
  for (const c of list) {
    const k = key(c);
    const g = out.get(k);
    if (g) g.push(c);
    else out.set(k, [c]);
  }
  return out;
}

/** The scheme of a simulated run; of a measured one, what its locks show. */
export function schemeOf(trace: Trace): string {
  if (trace.meta.run) return trace.meta.run.scheme;
  const r = raceWindows(trace);
  if ((r.read_lock.trylock_failed ?? 0) > 0 || (r.frees.read_lock_held_at_free ?? 0) > 0) {
    return 'trylock (seen)';
  }
  if ((r.frees.read_lock_taken_before_free ?? 0) > 0) return 'read lock before the free (seen)';
  return r.walks === null || r.frees.total === null ? 'not to be seen' : 'no lock (seen)';
}

const contextName = (c: Call): string =>
  c.role === 'ptdump'
    ? 'ptdump'
    : [c.gfp, c.state].filter((t) => t !== '').join(', ') || 'may sleep';

function missingOf(s: SleepState): string[] {
  const list: string[] = [];
  if (s.seen.sched === 0) {
    list.push(
      s.seen.contention > 0
        ? 'No sched_switch: time asleep is that between contention_begin and _end.'
        : 'No sched_switch and no contention event: who slept cannot be told. Record them with: ' +
            'echo 1 > events/sched/sched_switch/enable; echo 1 > events/lock/enable',
    );
  }
  if (s.seen.lock === 0) {
    list.push('No mmap_lock event. Record it with: echo 1 > events/mmap_lock/enable');
  }
  if (s.seen.range === 0) {
    list.push(
      "No probe on vmalloc. Record it with: echo 'p:vmalloc_range __vmalloc_node_range_noprof " +
        "size=$arg1:u64 align=$arg2:u64' >> kprobe_events",
    );
  } else if (s.seen.ret === 0) {
    list.push(
      'No return of vmalloc: a call lasts to its last event, so time_us is a lower bound. Record ' +
        "it with: echo 'r:vmalloc_range_ret __vmalloc_node_range_noprof' >> kprobe_events",
    );
  }
  if (s.strayViolations > 0) list.push(`${s.strayViolations} violations in no call of vmalloc.`);
  return list;
}

function vmallocOf(list: readonly Call[]): SleepCosts['vmalloc'] {
  const own = list.filter((c) => c.role === 'vmalloc');
  const time = sum(own, (c) => c.last_ns - c.begin_ns);
  const frees = own.filter((c) => c.frees > 0).length;
  return {
    calls: own.length,
    time_us: Number((time / 1000).toFixed(3)),
    share_in_free_tables: time > 0 ? sum(own, (c) => c.in_free_ns) / time : null,
    calls_that_free_tables: frees,
    share_of_calls: own.length > 0 ? frees / own.length : null,
  };
}

/**
 * What the locking scheme costs: who slept, how long, and might it. A call runs from
 * __vmalloc_node_range() to its return (without a return probe: to its last event), a walk from
 * ptdump_walk_pgd() to its return; a nested call for the page array belongs to its parent. A task
 * is asleep from the sched_switch that takes it off in a state other than R to the one that brings
 * it back; without sched events from contention_begin to contention_end of a lock that sleeps.
 */
export function sleepCosts(trace: Trace): SleepCosts {
  const s = scanSleeps(trace, initMm(trace));
  const scheme = schemeOf(trace);
  const task = (pid: number): string => s.tasks.get(pid) ?? '?';
  const of = <L extends object>(label: (c: Call) => L, key: (c: Call) => unknown) =>
    [...groups(s.calls, key).values()]
      .map((list) => ({ ...label(list[0]!), role: list[0]!.role, ...costs(s, list) }))
      .sort((a, b) => b.calls - a.calls);
  return {
    scheme,
    by_scheme: of(
      () => ({ scheme }),
      (c) => c.role,
    ),
    by_task: of(
      (c) => ({ task: task(c.pid), pid: c.pid }),
      (c) => `${c.role} ${c.pid}`,
    ),
    by_context: of((c) => ({ context: contextName(c) }), contextName),
    vmalloc: vmallocOf(s.calls),
    sleeps: s.calls.flatMap((c) =>
      c.asleep_ns > 0 ? [{ role: c.role, asleep_ns: c.asleep_ns }] : [],
    ),
    read_waits_ns: waits(s.calls, (c) => c.read_wait_ns),
    calls: s.calls,
    tasks: s.tasks,
    missing: missingOf(s),
  };
}
