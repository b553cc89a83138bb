import type { Scenario } from '../linux/scenario.js';
import { preempt_disable, preempt_enable } from '../linux/sched.js';
import type { Kernel, Place } from '../linux/step.js';
import type { System } from '../linux/system.js';
import { dumpTask, freers, overwritesPmds, pmdFreers, readers, tables, walks } from './parts.js'; // biome-ignore format: one line

function* caller(sys: System, first: Place, n: number, cpu: number): Kernel {
  yield* preempt_disable();
  yield* overwritesPmds(sys, first, n, cpu);
  yield* preempt_enable();
}

/**
 * Callers of vmalloc that may not sleep (GFP_NOWAIT, GFP_ATOMIC, preemption off): may the scheme be used there? Left out:
 * vmap_range_noflush()'s own might_sleep(), and that kvmalloc() has dropped VM_ALLOW_HUGE_VMAP for them since 6.19.
 */
export const nowait: Scenario = {
  name: 'nowait',
  about: 'pmd_free_pte_page() of F CPUs that may not sleep, against R dumps',
  sizes: { readers, freers, tables, walks },
  build(scheme, sizes, variant) {
    const { readers: r, freers: f, walks: w } = sizes;
    const { sys, pmds, shape } = pmdFreers(scheme, sizes, variant, caller);
    for (let i = 0; i < r!; i++) dumpTask(sys, `ptdump ${i}`, f! + i, pmds, shape, w!);
    scheme.setUp?.(sys);
    return sys;
  },
};
