// A list of operations on vmalloc, each task's in its order with its rests: what was traced on one machine, run on the model.

import { vm_unmap_aliases } from '../mm/vm-map-ram.js';
import { __vmalloc_node_range, ioremap, vfree } from '../mm/vmalloc.js';
import type { VmallocState } from '../mm/vmalloc-state.js';
import { work } from '../sched.js';
import { flat } from '../step/flat.js';
import type { Kernel } from '../step.js';

/** One operation; `id` names the area it gives or takes, `rest_ns` is the time since the task's last one ended. */
export type TimedOp = { readonly rest_ns: number; readonly cpu: number } & (
  | {
      readonly op: 'vmalloc';
      readonly id: number;
      readonly size_bytes: number;
      readonly align_bytes: number;
      readonly flags: number;
      /** Range asked for, in pages; left out: all of vmalloc's. */
      readonly range?: { readonly vstart: number; readonly vend: number };
    }
  | { readonly op: 'ioremap'; readonly id: number; readonly phys_bytes: number; readonly size_bytes: number }
  | { readonly op: 'vfree'; readonly id: number }
  | { readonly op: 'purge' }
); // biome-ignore format: a table

/** Where the areas of a run lie, by id: the first page; -1 if the model could not give it. */
export type Areas = Map<number, number>;

/** How long a task waits between looks for an area that another is still to allocate. */
const LOOK_NS = 20_000;
/** So often; then its free is left out. */
const MOST_LOOKS = 1_000;

function* free(vm: VmallocState, areas: Areas, id: number, cpu: number): Kernel {
  for (let i = 0; !areas.has(id) && i < MOST_LOOKS; i++) yield* work('sleep', LOOK_NS);
  const page = areas.get(id) ?? -1;
  areas.delete(id);
  if (page >= 0) yield* vfree(vm, page, cpu);
}

/** Do one operation, without its rest. */
function* once(vm: VmallocState, areas: Areas, o: TimedOp): Kernel {
  switch (o.op) {
    case 'vmalloc':
      areas.set(o.id, yield* __vmalloc_node_range(vm, o.size_bytes, o.align_bytes, o.flags, o.cpu, o.range ?? {})); // biome-ignore format: one line
      return;
    case 'ioremap':
      areas.set(o.id, yield* ioremap(vm, o.phys_bytes, o.size_bytes, o.cpu));
      return;
    case 'vfree':
      yield* free(vm, areas, o.id, o.cpu);
      return;
    case 'purge':
      yield* vm_unmap_aliases(vm, o.cpu);
  }
}

/** Run the operations of one task; `rests` false: without the time between them. */
export function* runOps(
  vm: VmallocState,
  ops: readonly TimedOp[],
  areas: Areas,
  rests = true,
): Kernel {
  for (const o of ops) {
    if (rests && o.rest_ns > 0) yield* work('sleep', o.rest_ns);
    yield* once(vm, areas, o);
  }
}

flat(free, once, runOps);
