import type { Scenario } from '../linux/scenario.js';
import { preempt_disable, preempt_enable } from '../linux/sched.js';
import type { Kernel, Place } from '../linux/step.js';
import { lock, newSystem, type System } from '../linux/system.js';
import { dumpTask, freers, overwritesPmds, pmdEntries, readers, tables, vmallocTask, walks } from './parts.js'; // biome-ignore format: one line

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
  build(scheme, { readers: r, freers: f, tables: t, walks: w }, variant) {
    const sys = newSystem(scheme, variant);
    lock(sys, 'init_mm');
    const entries = f! * t!;
    const pmds = pmdEntries(sys, entries);
    for (let cpu = 0; cpu < f!; cpu++)
      vmallocTask(sys, cpu, () => caller(sys, pmds + cpu * t!, t!, cpu));
    const shape = { top: entries, pmds: 0, ptes: 1 };
    for (let i = 0; i < r!; i++) dumpTask(sys, `ptdump ${i}`, f! + i, pmds, shape, w!);
    scheme.setUp?.(sys);
    return sys;
  },
};
