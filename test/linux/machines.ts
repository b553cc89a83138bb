import fc from 'fast-check';
import { runAlone } from '../../src/engines/run.js';
import { geometry } from '../../src/linux/arm64/geometry.js';
import { type EraName, eras } from '../../src/linux/eras.js';
import { asKernel, type Call, callFast, type Workload } from '../../src/linux/lib/workload.js';
import { GFPS, type Gfp } from '../../src/linux/mm/gfp.js';
import { bootMachine, type Machine } from '../../src/linux/mm/machine.js';
import { vmallocOn } from '../../src/linux/mm/vmalloc-state.js';
import type { Step } from '../../src/linux/step.js';
import { newSystem, task } from '../../src/linux/system.js';
import { schemes } from '../../src/schemes/index.js';

/** A machine like the ones that were recorded. */
export const machine = (over: Partial<Machine> = {}): Machine => ({
  geometry: geometry('4K', 48),
  cpus: 2,
  image_pages: 2785,
  memory_bytes: 2 ** 36,
  ...over,
});

/** What a random program does; `pick` chooses among what is held. */
export type Action =
  | { do: 'small'; pages: number }
  | { do: 'huge'; pages: number }
  | { do: 'aligned'; pages: number; shift: number }
  | { do: 'ioremap'; pages: number; phys_mib: number }
  | { do: 'ram'; pages: number }
  | { do: 'atomic'; pages: number }
  | { do: 'kvmalloc'; pages: number; gfp: Gfp }
  | { do: 'stack' }
  | { do: 'free'; pick: number }
  | { do: 'purge' };

/** Random programs: allocations of every kind, frees, purges. */
export const actions = (max = 120): fc.Arbitrary<Action[]> =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('small' as const), pages: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 700 })) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('huge' as const), pages: fc.constantFrom(512, 600, 1024, 1536) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('aligned' as const), pages: fc.integer({ min: 1, max: 10 }), shift: fc.integer({ min: 0, max: 22 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('ioremap' as const), pages: fc.constantFrom(1, 16, 512, 1024, 3840), phys_mib: fc.integer({ min: 0, max: 64 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('ram' as const), pages: fc.integer({ min: 1, max: 90 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('atomic' as const), pages: fc.integer({ min: 1, max: 700 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('kvmalloc' as const), pages: fc.constantFrom(0.1, 1, 2, 16, 100, 512, 1025, 2048), gfp: fc.constantFrom(...GFPS) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('stack' as const) }) },
      { weight: 8, arbitrary: fc.record({ do: fc.constant('free' as const), pick: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const) }) },
    ),
    { minLength: 10, maxLength: max },
  ); // biome-ignore format: a table

/** The program as a workload; gives every address it got. */
export function* program(list: readonly Action[], page_bytes = 4096): Workload<number[]> {
  const got: number[] = [];
  const held: Call[] = [];
  for (const a of list) {
    if (a.do === 'purge') yield { op: 'vm_unmap_aliases' };
    else if (a.do === 'free') {
      if (held.length > 0) yield held.splice(a.pick % held.length, 1)[0]!;
    } else if (a.do === 'ram') {
      const page: number = yield { op: 'vm_map_ram', pfn: 1 << 22, pages: a.pages };
      got.push(page);
      held.push({ op: 'vm_unmap_ram', page, pages: a.pages });
    } else {
      const page: number = yield callOf(a, page_bytes);
      got.push(page);
      if (page >= 0) held.push({ op: FREE[a.do] ?? 'vfree', page });
    }
  }
  return got;
}

const FREE: Partial<Record<Action['do'], 'kvfree' | 'free_thread_stack'>> = {
  kvmalloc: 'kvfree',
  stack: 'free_thread_stack',
};

function callOf(a: Exclude<Action, { do: 'purge' | 'free' | 'ram' }>, page_bytes: number): Call {
  if (a.do === 'stack') return { op: 'alloc_thread_stack' };
  const size_bytes = a.pages * page_bytes;
  if (a.do === 'kvmalloc') return { op: 'kvmalloc', size_bytes, gfp: a.gfp };
  if (a.do === 'atomic') return { op: 'vmalloc', size_bytes, gfp: 'GFP_ATOMIC' };
  if (a.do === 'small') return { op: 'vmalloc', size_bytes };
  if (a.do === 'huge') return { op: 'vmalloc_huge', size_bytes };
  if (a.do === 'ioremap') return { op: 'ioremap', size_bytes, phys_bytes: a.phys_mib * 2 ** 20 };
  return { op: '__vmalloc_node', size_bytes, align_bytes: 2 ** a.shift, node: 0 };
}

/** The plain functions, ready for calls on changing CPUs. */
export function fastMachine(m: Machine) {
  const v = bootMachine(m);
  return { v, call: (c: Call, cpu = 0) => callFast(v, c, cpu) };
}

/** Run a workload as modelled kernel code: result, state, the events it logged, every step. */
export function runKernel<T>(m: Machine, work: Workload<T>, cpu = 0) {
  const sys = newSystem(schemes.none, [], { grows: true });
  const vm = vmallocOn(sys, m);
  const t = task(sys, 'test', cpu, () => asKernel(vm, work, cpu));
  const events: { what: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const steps: Step[] = [];
  const result = runAlone(sys, t, asKernel(vm, work, cpu), (_, step) => {
    steps.push(step);
    if (step.op === 'trace') events.push({ what: step.what, fields: step.fields });
  });
  return { result, vm, sys, events, steps };
}

export const eraNames = Object.keys(eras) as EraName[];
