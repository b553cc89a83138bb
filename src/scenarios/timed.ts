// Workloads in time: vmalloc callers beside readers of the dump, for every scheme and era.
import { geometry } from '../linux/arm64/geometry.js';
import type { Era } from '../linux/eras.js';
import { type Dumping, reads_dump } from '../linux/mm/ptdump-timed.js';
import { drain_vmap_area_work } from '../linux/mm/vmalloc.js';
import type { Machine } from '../linux/mm/vmalloc-fast.js';
import { type VmallocState, vmallocOn } from '../linux/mm/vmalloc-state.js';
import type { Scheme } from '../linux/scheme.js';
import type { Kernel } from '../linux/step.js';
import { newSystem, type System, task } from '../linux/system.js';
import { workItem } from '../linux/workqueue.js';

/** A caller of vmalloc: a name, its CPU, its code. */
export interface Caller {
  readonly name: string;
  readonly cpu: number;
  readonly run: (vm: VmallocState) => Kernel<unknown>;
}

export interface TimedSetup {
  readonly scheme: Scheme;
  readonly variant?: readonly string[];
  readonly era: Era;
  readonly cpus: number;
  readonly callers: readonly Caller[];
  /** Tasks that read the dump. */
  readonly readers: number;
  /** Their CPUs, in turn; default: those behind the callers'. */
  readonly readerCpus?: readonly number[];
  readonly dump: Dumping;
  /** The rest of the machine; default: 4K pages, 48 bits, an image of 11 MiB. */
  readonly machine?: Machine;
  /** Puts things into vmalloc's address space before the run. */
  readonly prepare?: (vm: VmallocState) => void;
}

/** Room for tables that are freed later (rcu-free, async-free lay out a list as long as the tables there are). */
const LATER = 4096;

/** The schemes that free later size their lists by the tables laid out: show them as many as a run may free. */
function setUpScheme(sys: System): void {
  const phantom = { base: 0, size: 0, name: '', kind: 'table' } as const;
  const real = sys.regions.length;
  for (let i = 0; i < LATER; i++) sys.regions.unshift(phantom);
  sys.scheme.setUp?.(sys);
  sys.regions.splice(0, LATER);
  if (sys.regions.length < real) throw new Error('a scheme removed regions');
}

/**
 * Lay out a run: vmalloc on a fresh machine, its callers, N readers that read again and again until the callers are done.
 * More than 30 tasks do not fit the locks' words.
 */
export function timedSystem(s: TimedSetup): { sys: System; vm: VmallocState } {
  const variant = ['handoff', ...(s.variant ?? [])];
  const sys = newSystem(s.scheme, variant, { grows: true });
  const machine = s.machine ?? { geometry: geometry('4K', 48), cpus: s.cpus, image_pages: 2816 };
  const vm = vmallocOn(sys, { ...machine, era: s.era, cpus: s.cpus });
  s.prepare?.(vm);
  let left = s.callers.length;
  for (const c of s.callers) {
    sys.textCpus.push(c.cpu);
    task(sys, c.name, c.cpu, function* () {
      yield* c.run(vm);
      left--;
    });
  }
  for (let i = 0; i < s.readers; i++) {
    const cpu = s.readerCpus?.[i % s.readerCpus.length] ?? (s.callers.length + i) % s.cpus;
    task(sys, `cat`, cpu, () => reads_dump(vm, s.dump, cpu, Number.POSITIVE_INFINITY, () => left === 0)); // biome-ignore format: one line
  }
  setUpScheme(sys);
  const cpus = new Set(s.callers.map((c) => c.cpu));
  vm.drain_vmap_work = workItem(sys, 'drain_vmap_work', cpus, () => drain_vmap_area_work(vm));
  return { sys, vm };
}
