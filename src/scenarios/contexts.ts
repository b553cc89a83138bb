// Callers of vmalloc that say what they may do, in surroundings that allow it or not.
// C: lib/test_vmalloc.c no_block_alloc_test (6.19) and the rules of mm/vmalloc.c.
import { spin_lock, spin_unlock } from '../linux/lock.js';
import type { CallContext, Gfp } from '../linux/mm/gfp.js';
import { __vmalloc_node_range, purge_vmap_area_lazy, vfree } from '../linux/mm/vmalloc.js';
import { VM_ALLOW_HUGE_VMAP } from '../linux/mm/vmalloc-size.js';
import type { VmallocState } from '../linux/mm/vmalloc-state.js';
import { rcu_read_lock, rcu_read_unlock } from '../linux/rcu.js';
import {
  local_irq_restore,
  local_irq_save,
  preempt_disable,
  preempt_enable,
} from '../linux/sched.js';
import type { Kernel, Place } from '../linux/step.js';

/** What a caller does, `loops` times: allocate and free, so that each block replaces a table of the loop before. */
export interface ContextCalls {
  readonly gfp: Gfp;
  readonly context: CallContext;
  readonly loops: number;
  /** What if callers that cannot block were given blocks? No kernel does that. */
  readonly whatIf?: boolean;
  /** A spinlock laid out for the context 'spinlock'. */
  readonly lock: Place;
}

function* enter(c: ContextCalls): Kernel {
  if (c.context === 'preempt_disable') yield* preempt_disable();
  else if (c.context === 'rcu_read_lock') yield* rcu_read_lock();
  else if (c.context === 'spinlock') yield* spin_lock(c.lock);
  else if (c.context === 'irqs_off') yield* local_irq_save();
}

function* leave(c: ContextCalls): Kernel {
  if (c.context === 'preempt_disable') yield* preempt_enable();
  else if (c.context === 'rcu_read_lock') yield* rcu_read_unlock();
  else if (c.context === 'spinlock') yield* spin_unlock(c.lock);
  else if (c.context === 'irqs_off') yield* local_irq_restore();
}

const SMALL = 300;

/**
 * Page-mapped objects fill two slots and are freed, in a task that may sleep; then a request of 2 MiB that may be mapped by
 * a block, in the context asked for. Everything is purged between, so that the next loop finds the same addresses.
 */
export function* contextCalls(vm: VmallocState, c: ContextCalls, cpu: number): Kernel {
  const page = vm.geometry.pageSize_bytes;
  const block = vm.geometry.pmd_pages * page;
  for (let i = 0; i < c.loops; i++) {
    const small: number[] = [];
    for (let k = 0; k < 4; k++)
      small.push(yield* __vmalloc_node_range(vm, SMALL * page, 1, 0, cpu, { gfp: 'GFP_KERNEL' }));
    for (const at of small) if (at >= 0) yield* vfree(vm, at, cpu);
    yield* purge_vmap_area_lazy(vm);
    yield* enter(c);
    const how = { gfp: c.gfp, whatIf: c.whatIf ?? false };
    const at = yield* __vmalloc_node_range(vm, block, 1, VM_ALLOW_HUGE_VMAP, cpu, how);
    yield* leave(c);
    if (at >= 0) yield* vfree(vm, at, cpu);
    yield* purge_vmap_area_lazy(vm);
  }
}
