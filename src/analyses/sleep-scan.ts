import type { RecordBatch } from 'apache-arrow';
import { bool, cursor, dictValues, has, ns, type Trace, u64 } from '../events/trace.js';
import { kindsOf } from './kinds.js';

const known = [
  'vmalloc_range',
  'vmalloc_range_ret',
  'alloc_vmap_area',
  'pmd_free_pte_page',
  'pud_free_pmd_page',
  'pmd_set_huge',
  'pud_set_huge',
  'pte_alloc_kernel',
  'walk',
  'walk_ret',
  'mmap_lock_start_locking',
  'mmap_lock_acquire_returned',
  'mmap_lock_released',
  'contention_begin',
  'contention_end',
  'sched_switch',
  'console',
  'print',
  'rcu_sr_normal',
  'vfree',
] as const;
type Name = (typeof known)[number];

/** A call of vmalloc, or a walk of ptdump, and what it cost. */
export interface Call {
  readonly role: 'vmalloc' | 'ptdump';
  readonly pid: number;
  readonly begin_ns: number;
  /** Size asked for; a nested call for the page array is part of its parent. */
  readonly size_bytes: number;
  /** 'GFP_ATOMIC', where the event says so; then 'irqs off' or 'preempt off' by the trace's flags. */
  gfp: string;
  state: string;
  /** Last event that belongs to it; the return, where that is probed. */
  last_ns: number;
  asleep_ns: number;
  /** Waits for init_mm's lock. */
  read_wait_ns: number | null;
  write_wait_ns: number | null;
  spins: number;
  lost_huge: number;
  grace_periods: number;
  violations: number;
  /** From a table's free to its block being set. */
  in_free_ns: number;
  frees: number;
}

interface TaskState {
  call: Call | null;
  depth: number;
  sleep_ns: number | null;
  contended: { from_ns: number; spin: boolean } | null;
  wait_ns: number | null;
  free_ns: number | null;
  /** Slept, but no event has shown yet that the call went on: it may have been over. */
  doubtful_ns: number;
}

/** Everything one pass collects. */
export interface SleepState {
  readonly mm: bigint | null;
  readonly calls: Call[];
  readonly tasks: Map<number, string>;
  /** Waits for init_mm by tasks outside any call. */
  readonly seen: {
    sched: number;
    contention: number;
    lock: number;
    ret: number;
    range: number;
    walk: number;
  };
  /** Violations of tasks that were in no call. */
  strayViolations: number;
}

const VIOLATION = /BUG: (?:sleeping function called from invalid context|scheduling while atomic)/;
const SWITCH = /prev_pid=(-?\d+) .*?prev_state=(\S+) ==> .*?next_pid=(-?\d+)/;

const viewOf = (b: RecordBatch) => ({
  pid: cursor(b, 'pid'),
  task: cursor(b, 'task'),
  ts: cursor(b, 'ts_ns'),
  size: cursor(b, 'size_bytes'),
  entry: cursor(b, 'entry'),
  lock: cursor(b, 'lock'),
  mode: cursor(b, 'lock_mode'),
  ok: cursor(b, 'ok'),
  flags: cursor(b, 'flags'),
  given: cursor(b, 'detail'),
  detail: b.getChild('detail')!,
});
type View = ReturnType<typeof viewOf>;

interface Scan {
  readonly s: SleepState;
  readonly tasks: Map<number, TaskState>;
  readonly modes: readonly string[];
  readonly flags: readonly string[];
  /** Has the trace returns of vmalloc? Has it sched_switch? */
  readonly returns: boolean;
  readonly switches: boolean;
}

function stateOf(c: Scan, pid: number): TaskState {
  let t = c.tasks.get(pid);
  if (!t) {
    t = {
      call: null, depth: 0, sleep_ns: null, contended: null, wait_ns: null, free_ns: null,
      doubtful_ns: 0,
    }; // biome-ignore format: a table
    c.tasks.set(pid, t);
  }
  return t;
}

function open(c: Scan, t: TaskState, role: Call['role'], pid: number, at: number, size: number) {
  t.call = {
    role, pid, begin_ns: at, size_bytes: size, gfp: '', state: '', last_ns: at, asleep_ns: 0,
    read_wait_ns: null, write_wait_ns: null, spins: 0, lost_huge: 0, grace_periods: 0,
    violations: 0, in_free_ns: 0, frees: 0,
  }; // biome-ignore format: a table
  c.s.calls.push(t.call);
  t.doubtful_ns = 0;
}

/** The call is still going on: what was slept was slept in it. */
function goesOn(t: TaskState, at: number): void {
  if (!t.call) return;
  t.call.last_ns = at;
  t.call.asleep_ns += t.doubtful_ns;
  t.doubtful_ns = 0;
}

const text = (v: View, i: number): string => (has(v.given, i) ? String(v.detail.get(i)) : '');

/** A vmalloc of this size is the page array of the call in progress: 8 bytes a page. */
const isPageArray = (outer: Call, size: number): boolean =>
  [4096, 16384, 65536].some((page) => Math.ceil(outer.size_bytes / page) * 8 === size);

function onRange(c: Scan, t: TaskState, v: View, i: number, pid: number, at: number): void {
  c.s.seen.range++;
  const size = has(v.size, i) ? v.size.values[i]! : 0;
  const nested = t.call?.role === 'vmalloc' && (c.returns || isPageArray(t.call, size));
  if (nested) {
    t.depth++;
    return;
  }
  open(c, t, 'vmalloc', pid, at, size);
  t.depth = 1;
  t.call!.gfp = /\bgfp(?:_flags|_mask)?=(\S+)/.exec(text(v, i))?.[1] ?? '';
}

/** What the flags column says of an event that is no probe: 'irqs off', 'preempt off', ''. */
function contextOf(flags: string): string {
  if (/^[dD]/.test(flags)) return 'irqs off';
  return /^...[1-9a-f]/.test(flags) ? 'preempt off' : '';
}

function onLock(c: Scan, t: TaskState, v: View, i: number, name: Name, at: number): void {
  c.s.seen.lock++;
  if (c.s.mm === null || !has(v.lock, i) || u64(v.lock, i) !== c.s.mm) return;
  goesOn(t, at);
  if (name === 'mmap_lock_start_locking') t.wait_ns = at;
  if (name !== 'mmap_lock_acquire_returned' || !t.call) return;
  const ok = !has(v.ok, i) || bool(v.ok, i);
  const write = has(v.mode, i) && c.modes[v.mode.values[i]!] === 'write';
  if (!ok && !write) t.call.lost_huge++;
  if (!ok || t.wait_ns === null) return;
  const waited = at - t.wait_ns;
  if (write) t.call.write_wait_ns = (t.call.write_wait_ns ?? 0) + waited;
  else t.call.read_wait_ns = (t.call.read_wait_ns ?? 0) + waited;
  t.wait_ns = null;
}

function onContention(c: Scan, t: TaskState, v: View, i: number, begin: boolean, at: number): void {
  c.s.seen.contention++;
  if (begin) {
    const mode = has(v.mode, i) ? (c.modes[v.mode.values[i]!] ?? '') : '';
    t.contended = { from_ns: at, spin: /\bSPIN\b/.test(mode) };
    return;
  }
  const was = t.contended;
  t.contended = null;
  if (!was || !t.call) return;
  if (was.spin) t.call.spins++;
  else if (!c.switches) t.doubtful_ns += at - was.from_ns;
}

function onSwitch(c: Scan, v: View, i: number, at: number): void {
  c.s.seen.sched++;
  const m = SWITCH.exec(text(v, i));
  if (!m) return;
  if (!m[2]!.startsWith('R')) stateOf(c, Number(m[1])).sleep_ns = at;
  const next = stateOf(c, Number(m[3]));
  if (next.sleep_ns !== null && next.call) next.doubtful_ns += at - next.sleep_ns;
  next.sleep_ns = null;
}

function onFree(t: TaskState, v: View, i: number, at: number): void {
  if (has(v.entry, i) && (v.entry.values[i * 2]! & 3) !== 3) return;
  if (t.free_ns === null) t.free_ns = at;
  if (t.call) t.call.frees++;
}

function onViolation(c: Scan, t: TaskState, v: View, i: number): void {
  if (!VIOLATION.test(text(v, i))) return;
  if (t.call) t.call.violations++;
  else c.s.strayViolations++;
}

/** Events that say that a vmalloc without a return probe is over. */
const endsCall: ReadonlySet<Name> = new Set<Name>(['print', 'vfree']);
const partOfCall: ReadonlySet<Name> = new Set<Name>([
  'alloc_vmap_area', 'pmd_free_pte_page', 'pud_free_pmd_page', 'pmd_set_huge', 'pud_set_huge',
  'pte_alloc_kernel',
]); // biome-ignore format: a list

function close(c: Scan, t: TaskState, name: Name, at: number): void {
  if (name === 'walk_ret' && t.call?.role === 'ptdump') {
    goesOn(t, at);
    t.call = null;
  } else if (name === 'vmalloc_range_ret' && t.call?.role === 'vmalloc' && --t.depth <= 0) {
    goesOn(t, at);
    t.call = null;
  } else if (endsCall.has(name) && !c.returns && t.call?.role === 'vmalloc') t.call = null;
}

function onRow(c: Scan, v: View, i: number, name: Name): void {
  const pid = has(v.pid, i) ? v.pid.values[i]! : -1;
  const at = ns(v.ts, i);
  if (name === 'sched_switch') {
    onSwitch(c, v, i, at);
    return;
  }
  const t = stateOf(c, pid);
  if (partOfCall.has(name)) goesOn(t, at);
  if (name === 'vmalloc_range') onRange(c, t, v, i, pid, at);
  else if (name === 'walk') {
    c.s.seen.walk++;
    open(c, t, 'ptdump', pid, at, 0);
  } else if (name === 'alloc_vmap_area' && t.call?.role === 'vmalloc' && has(v.flags, i)) {
    t.call.state = contextOf(c.flags[v.flags.values[i]!]!);
  } else if (name === 'pmd_free_pte_page' || name === 'pud_free_pmd_page') onFree(t, v, i, at);
  else if (name === 'pmd_set_huge' || name === 'pud_set_huge') {
    if (t.free_ns !== null && t.call) t.call.in_free_ns += at - t.free_ns;
    t.free_ns = null;
  } else if (name.startsWith('mmap_lock')) onLock(c, t, v, i, name, at);
  else if (name.startsWith('contention')) onContention(c, t, v, i, name.endsWith('begin'), at);
  else if (name === 'rcu_sr_normal') {
    if (t.call && /request|req/.test(text(v, i))) t.call.grace_periods++;
  } else if (name === 'console' || name === 'print') onViolation(c, t, v, i);
  close(c, t, name, at);
}

/** One pass over a trace; `mm` is init_mm as the trace writes it, or null. */
export function scanSleeps(trace: Trace, mm: bigint | null): SleepState {
  const names = dictValues(trace, 'event');
  const seen = { sched: 0, contention: 0, lock: 0, ret: 0, range: 0, walk: 0 };
  const s: SleepState = { mm, calls: [], tasks: new Map(), seen, strayViolations: 0 };
  const c: Scan = {
    s,
    tasks: new Map(),
    modes: dictValues(trace, 'lock_mode'),
    flags: dictValues(trace, 'flags'),
    returns: names.includes('vmalloc_range_ret'),
    switches: names.includes('sched_switch'),
  };
  s.seen.ret = c.returns ? 1 : 0;
  const comms = dictValues(trace, 'task');
  const kinds = kindsOf(trace, known);
  for (const b of trace.batches) {
    const kind = kinds(b);
    const v = viewOf(b);
    for (let i = 0; i < kind.length; i++) {
      if (kind[i]! < 0) continue;
      const pid = has(v.pid, i) ? v.pid.values[i]! : -1;
      if (!s.tasks.has(pid) && has(v.task, i)) s.tasks.set(pid, comms[v.task.values[i]!]!);
      onRow(c, v, i, known[kind[i]!]!);
    }
  }
  return s;
}
