// Which steps are events, in the kernel's names and words, so that analyses of real traces read simulated ones.
import type { Step } from '../linux/step.js';
import { type Fault, IRQS_OFF, nameOf } from '../linux/system.js';
import { answered } from './sim-probe.js';
import { emit, emitLock, type Sim, type Thread } from './sim-state.js';
import { GP, KEY, LOCK, TRACE, TRYLOCK, UNLOCK } from './step-code.js';

/** The key as the log writes it. */
const KEY_AT = 0xffff800080a72540n;

const places: Readonly<Record<string, string>> = {
  vmalloc_range: '__vmalloc_node_range_noprof',
  walk: 'ptdump_walk_pgd',
};

/** What is logged where a step begins. */
export function logBefore(sim: Sim, t: Thread, step: Step): void {
  switch (t.code) {
    case TRACE: {
      const { what, fields } = step as Extract<Step, { op: 'trace' }>;
      emit(sim, t, what, withPlace(what, fields));
      return;
    }
    case LOCK:
    case TRYLOCK:
      if (t.on === sim.initMm)
        emitLock(sim, t, ASKED, (step as Extract<Step, { op: 'lock' }>).mode, null);
      return;
    case KEY:
      logKey(sim, t, step as Extract<Step, { op: 'key' }>);
      return;
    case GP:
      if ((step as Extract<Step, { op: 'gp' }>).mode === 'begin')
        emit(sim, t, 'rcu_sr_normal', { detail: 'rcu_preempt event=request' });
  }
}

const ASKED = 'mmap_lock_start_locking';
const ANSWERED = 'mmap_lock_acquire_returned';
const RELEASED = 'mmap_lock_released';

function logKey(sim: Sim, t: Thread, step: Extract<Step, { op: 'key' }>): void {
  const on = step.mode === 'enable' || step.mode === 'inc';
  const counted = step.mode === 'inc' || step.mode === 'dec';
  const at = `static_key_${counted ? `slow_${step.mode}` : step.mode}+0x0/0x28`;
  emit(sim, t, on ? 'key_en' : 'key_dis', { at, object: KEY_AT });
}

function withPlace(what: string, fields: Readonly<Record<string, number | bigint | string>>) {
  const at = places[what];
  return at === undefined ? fields : { at: `${at}+0x0/0x1`, ...fields };
}

/** What is logged when a step was done. */
export function logAfter(sim: Sim, t: Thread, step: Step, result: number): void {
  const { code } = t;
  if (code !== LOCK && code !== UNLOCK && code !== TRYLOCK) return;
  if (t.on !== sim.initMm) return;
  const { mode } = step as Extract<Step, { op: 'lock' }>;
  if (code === UNLOCK) {
    emitLock(sim, t, RELEASED, mode, null);
    return;
  }
  const ok = code === LOCK || result === 1;
  emitLock(sim, t, ANSWERED, mode, ok);
  answered(sim, t, mode, ok);
}

/** Where the kernel would complain: file of the function that may sleep. */
const files: Readonly<Record<string, string>> = {
  mmap_read_lock: 'kernel/locking/rwsem.c',
  mmap_write_lock: 'kernel/locking/rwsem.c',
  mutex_lock: 'kernel/locking/mutex.c',
  wait_event: 'kernel/sched/wait.c',
  synchronize_rcu: 'kernel/rcu/tree.c',
  percpu_down_read: 'include/linux/percpu-rwsem.h',
  percpu_down_write: 'kernel/locking/percpu-rwsem.c',
  might_alloc: 'include/linux/sched/mm.h',
};

/** Sections without preemption, and with interrupts off, that a task is in. */
const depthsOf = (atomic: number) => ({
  preempt: atomic % IRQS_OFF,
  irqs: Math.floor(atomic / IRQS_OFF),
});

/** "BUG: sleeping function called from invalid context" with its fields; the line is not known, so 0. */
function atomicSleep(sim: Sim, t: Thread, fault: Fault): string {
  const { cells } = sim.sys;
  const by = fault.step.by ?? '';
  const { preempt, irqs } = depthsOf(cells[t.task.atomic]!);
  const rcu = cells[t.task.rcu]!;
  return [
    `BUG: sleeping function called from invalid context at ${files[by] ?? 'mm/vmalloc.c'}:0`,
    `in_atomic(): ${preempt > 0 ? 1 : 0}, irqs_disabled(): ${irqs > 0 ? 1 : 0}, non_block: 0, pid: ${t.pid}, name: ${t.task.name}`,
    `preempt_count: ${preempt.toString(16)}, expected: 0`,
    `RCU nest depth: ${rcu}, expected: 0`,
    `called by: ${by}`,
  ].join('\n');
}

/** A task goes to sleep: a bug where preemption is off, which schedule() itself counts as one more. C: __schedule_bug() */
export function scheduled(sim: Sim, t: Thread): void {
  const { preempt } = depthsOf(sim.sys.cells[t.task.atomic]!);
  if (preempt === 0) return;
  const count = (preempt + 1).toString(16).padStart(8, '0');
  emit(sim, t, 'console', { detail: `BUG: scheduling while atomic: ${t.task.name}/${t.pid}/0x${count}` }); // biome-ignore format: one line
}

/** Something went wrong at the last step: log it in the kernel's words, and go on as the kernel would. */
export function faulted(sim: Sim, t: Thread): void {
  const fault = sim.sys.fault!;
  sim.sys.fault = undefined;
  const detail =
    fault.kind === 'sleeping in atomic context'
      ? atomicSleep(sim, t, fault)
      : `BUG: KASAN: ${fault.kind === 'double free' ? 'double-free' : 'slab-use-after-free'} in ${fault.step.by ?? fault.step.op}: ${nameOf(sim.sys, fault.on)}`;
  emit(sim, t, 'console', { detail });
}
