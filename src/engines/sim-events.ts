// Which steps are events, in the kernel's names and words, so that analyses of real traces read simulated ones.
import type { Step } from '../linux/step.js';
import { type Fault, nameOf } from '../linux/system.js';
import type { Sim, Thread } from './sim-state.js';

const KEY = 0xffff800080a72540n;

/** The event a step is known by between two neighbours (Profile.segments); '' for none. */
export function probeOf(sim: Sim, step: Step): string {
  switch (step.op) {
    case 'trace':
      return ignored.has(step.what) ? '' : step.what;
    case 'lock':
    case 'trylock':
      return step.on === sim.initMm ? `mmap_lock_start_locking.${step.mode}` : '';
    case 'unlock':
      return step.on === sim.initMm ? `mmap_lock_released.${step.mode}` : '';
    case 'key':
      return keyProbe(sim, step);
    default:
      return '';
  }
}

/** key_en, key_dis; '.noop' where the text stays as it is. */
function keyProbe(sim: Sim, step: Step & { op: 'key' }): string {
  const enabled = sim.sys.cells[step.on]!;
  if (step.mode === 'enable' || step.mode === 'inc')
    return enabled === 0 ? 'key_en' : 'key_en.noop';
  return enabled === 1 ? 'key_dis' : 'key_dis.noop';
}

/** Events between which no time is measured: their counts differ between model and probes. */
const ignored: ReadonlySet<string> = new Set([
  'print', 'tracing_mark_write', 'pmd_alloc', 'pud_alloc', 'pud_clear_huge', 'pmd_clear_huge',
  'decay_node', 'purge_node', 'drain', 'pud_set_huge', 'pud_free_pmd_page', 'vmalloc_range_ret',
]); // biome-ignore format: a list

/**
 * The event that times are measured from next: this one, if the time to it was measured, or there was none. Else it is
 * overlooked, so that a profile of one scheme serves another: its extra lock events fall between two that are known.
 */
function probed(sim: Sim, t: Thread, step: Step): void {
  if (sim.tables.segments.size === 0) return;
  const probe = probeOf(sim, step);
  if (probe === '') return;
  const known = t.probe === '' || sim.tables.segments.has(`${t.probe}>${probe}`);
  if (!known && t.overlooked++ < MOST_OVERLOOKED) return;
  restart(t, probe);
}
const MOST_OVERLOOKED = 3;

function restart(t: Thread, probe: string): void {
  t.probe = probe;
  t.worked = 0;
  t.overlooked = 0;
  t.flushed = false;
}

const places: Readonly<Record<string, string>> = {
  vmalloc_range: '__vmalloc_node_range_noprof',
  walk: 'ptdump_walk_pgd',
};

/** What is logged where a step begins. */
export function logBefore(sim: Sim, t: Thread, step: Step): void {
  probed(sim, t, step);
  if (step.op === 'trace') sim.sink.event(sim.now, t, step.what, withPlace(step.what, step.fields));
  else if (step.op === 'key') {
    const on = step.mode === 'enable' || step.mode === 'inc';
    const counted = step.mode === 'inc' || step.mode === 'dec';
    const at = `static_key_${counted ? `slow_${step.mode}` : step.mode}+0x0/0x28`;
    sim.sink.event(sim.now, t, on ? 'key_en' : 'key_dis', { at, object: KEY });
  } else if ((step.op === 'lock' || step.op === 'trylock') && step.on === sim.initMm) {
    sim.sink.lock(sim.now, t, 'mmap_lock_start_locking', step.mode, null);
  } else if (step.op === 'gp' && step.mode === 'begin') {
    sim.sink.event(sim.now, t, 'rcu_sr_normal', { detail: 'rcu_preempt event=request' });
  }
}

function withPlace(what: string, fields: Readonly<Record<string, number | bigint | string>>) {
  const at = places[what];
  return at === undefined ? fields : { at: `${at}+0x0/0x1`, ...fields };
}

/** What is logged when a step was done. */
export function logAfter(sim: Sim, t: Thread, step: Step, result: number): void {
  if (step.op === 'unlock' && step.on === sim.initMm) {
    sim.sink.lock(sim.now, t, 'mmap_lock_released', step.mode, null);
  } else if ((step.op === 'lock' || step.op === 'trylock') && step.on === sim.initMm) {
    const ok = step.op === 'lock' || result === 1;
    sim.sink.lock(sim.now, t, 'mmap_lock_acquire_returned', step.mode, ok);
    if (t.probe === '') return;
    const asked = `mmap_lock_start_locking.${step.mode}`;
    if (t.probe === asked)
      restart(t, `mmap_lock_acquire_returned.${step.mode}${ok ? '' : '.failed'}`);
  }
}

/** Where the kernel would complain: file of the function that may sleep. */
const files: Readonly<Record<string, string>> = {
  mmap_read_lock: 'kernel/locking/rwsem.c',
  mmap_write_lock: 'kernel/locking/rwsem.c',
  mutex_lock: 'kernel/locking/mutex.c',
  wait_event: 'kernel/sched/wait.c',
  synchronize_rcu: 'kernel/rcu/tree.c',
  percpu_down_read: 'include/linux/percpu-rwsem.h',
  might_alloc: 'include/linux/sched/mm.h',
};

/** "BUG: sleeping function called from invalid context" with its fields; the line is not known, so 0. */
function atomicSleep(sim: Sim, t: Thread, fault: Fault): string {
  const { cells } = sim.sys;
  const by = fault.step.by ?? '';
  const depth = cells[t.task.atomic]!;
  const rcu = cells[t.task.rcu]!;
  return [
    `BUG: sleeping function called from invalid context at ${files[by] ?? 'mm/vmalloc.c'}:0`,
    `in_atomic(): ${depth > 0 ? 1 : 0}, irqs_disabled(): 0, non_block: 0, pid: ${t.pid}, name: ${t.task.name}`,
    `preempt_count: ${depth}, expected: 0`,
    `RCU nest depth: ${rcu}, expected: 0`,
    `called by: ${by}`,
  ].join('\n');
}

/** Something went wrong at the last step: log it in the kernel's words, and go on as the kernel would. */
export function faulted(sim: Sim, t: Thread): void {
  const fault = sim.sys.fault!;
  sim.sys.fault = undefined;
  const detail =
    fault.kind === 'sleeping in atomic context'
      ? atomicSleep(sim, t, fault)
      : `BUG: KASAN: ${fault.kind === 'double free' ? 'double-free' : 'slab-use-after-free'} in ${fault.step.by ?? fault.step.op}: ${nameOf(sim.sys, fault.on)}`;
  sim.sink.event(sim.now, t, 'console', { detail });
}
