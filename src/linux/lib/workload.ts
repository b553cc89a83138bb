// A workload is a generator of calls to vmalloc, resumed with their results: written once, run by the plain functions or as
// modelled kernel code.

import type { Gfp } from '../mm/gfp.js';
import { kvfree, kvfreeFast, kvmalloc, kvmallocFast } from '../mm/kvmalloc.js';
import type { Vmalloc } from '../mm/machine.js';
import {
  alloc_thread_stack,
  allocStackFast,
  free_thread_stack,
  freeStackFast,
} from '../mm/thread-stack.js';
import { vm_map_ram, vm_unmap_aliases, vm_unmap_ram } from '../mm/vm-map-ram.js';
import * as slow from '../mm/vmalloc.js';
import * as fast from '../mm/vmalloc-fast.js';
import type { VmallocState } from '../mm/vmalloc-state.js';
import { trace, work } from '../sched.js';
import { flat } from '../step/flat.js';
import type { Kernel } from '../step.js';

/** One call. What it gives: the first page, -1 for NULL; 0 where a call gives nothing. */
export type Call =
  | { readonly op: 'vmalloc'; readonly size_bytes: number; readonly gfp?: Gfp }
  | { readonly op: 'vmalloc_huge'; readonly size_bytes: number }
  | {
      readonly op: '__vmalloc_node';
      readonly size_bytes: number;
      readonly align_bytes: number;
      /** NUMA node asked for, -1 for any. */
      readonly node: number;
    }
  | { readonly op: 'vfree'; readonly page: number }
  /** Gives a page of the linear mapping where kmalloc() served. */
  | { readonly op: 'kvmalloc'; readonly size_bytes: number; readonly gfp?: Gfp }
  | { readonly op: 'kvfree'; readonly page: number }
  | { readonly op: 'alloc_thread_stack' }
  | { readonly op: 'free_thread_stack'; readonly page: number }
  | { readonly op: 'vm_map_ram'; readonly pfn: number; readonly pages: number }
  | { readonly op: 'vm_unmap_ram'; readonly page: number; readonly pages: number }
  | { readonly op: 'ioremap'; readonly phys_bytes: number; readonly size_bytes: number }
  | { readonly op: 'vm_unmap_aliases' }
  /** Nothing, for a while; takes no time where a run has none. */
  | { readonly op: 'rest'; readonly time_ns: number }
  /** A line in the trace; `event` print (trace_printk) or tracing_mark_write. */
  | { readonly op: 'note'; readonly event: 'print' | 'tracing_mark_write'; readonly text: string };

/** A workload that gives `T` in the end. */
export type Workload<T = void> = Generator<Call, T, number>;

/** What `call` gives from the plain functions, on `cpu`. */
export function callFast(v: Vmalloc, call: Call, cpu: number): number {
  switch (call.op) {
    case 'vmalloc':
      return fast.vmalloc(v, call.size_bytes, cpu, call.gfp);
    case 'vmalloc_huge':
      return fast.vmalloc_huge(v, call.size_bytes, cpu);
    case '__vmalloc_node':
      return fast.__vmalloc_node_range(v, call.size_bytes, call.align_bytes, 0, cpu, {
        anyNode: call.node < 0,
      });
    case 'vm_map_ram':
      return fast.vm_map_ram(v, call.pfn, call.pages, cpu);
    case 'ioremap':
      return fast.ioremap(v, call.phys_bytes, call.size_bytes, cpu);
    case 'kvmalloc':
      return kvmallocFast(v, call.size_bytes, cpu, call.gfp);
    case 'alloc_thread_stack':
      return allocStackFast(v, cpu);
    case 'free_thread_stack':
      freeStackFast(v, call.page, cpu);
      return 0;
    case 'kvfree':
      kvfreeFast(v, call.page);
      return 0;
    case 'vfree':
      fast.vfree(v, call.page);
      return 0;
    case 'vm_unmap_ram':
      fast.vm_unmap_ram(v, call.page, call.pages);
      return 0;
    case 'vm_unmap_aliases':
      fast.vm_unmap_aliases(v);
      return 0;
    default:
      return 0;
  }
}

/** Run a workload to its end with the plain functions, on `cpu`. */
export function runFast<T>(v: Vmalloc, work: Workload<T>, cpu = 0): T {
  let next = work.next(0);
  while (!next.done) next = work.next(callFast(v, next.value, cpu));
  return next.value;
}

function* callSlow(vm: VmallocState, call: Call, cpu: number): Kernel<number> {
  switch (call.op) {
    case 'vmalloc':
      return yield* slow.vmalloc(vm, call.size_bytes, cpu, call.gfp);
    case 'vmalloc_huge':
      return yield* slow.vmalloc_huge(vm, call.size_bytes, cpu);
    case '__vmalloc_node':
      return yield* slow.__vmalloc_node_range(vm, call.size_bytes, call.align_bytes, 0, cpu, {
        anyNode: call.node < 0,
      });
    case 'ioremap':
      return yield* slow.ioremap(vm, call.phys_bytes, call.size_bytes, cpu);
    case 'vm_map_ram':
      return yield* vm_map_ram(vm, call.pfn, call.pages, cpu);
    case 'vm_unmap_ram':
      yield* vm_unmap_ram(vm, call.page, call.pages, cpu);
      return 0;
    case 'kvmalloc':
      return yield* kvmalloc(vm, call.size_bytes, cpu, call.gfp);
    case 'alloc_thread_stack':
      return yield* alloc_thread_stack(vm, cpu);
    case 'free_thread_stack':
      yield* free_thread_stack(vm, call.page, cpu);
      return 0;
    case 'kvfree':
      yield* kvfree(vm, call.page, cpu);
      return 0;
    case 'vfree':
      yield* slow.vfree(vm, call.page, cpu);
      return 0;
    case 'vm_unmap_aliases':
      yield* vm_unmap_aliases(vm, cpu);
      return 0;
    case 'rest':
      yield* work('sleep', call.time_ns);
      return 0;
    case 'note':
      yield* trace(call.event, { detail: call.text });
      return 0;
  }
}

/** The workload as modelled kernel code, on `cpu`. */
export function* asKernel<T>(vm: VmallocState, work: Workload<T>, cpu = 0): Kernel<T> {
  let next = work.next(0);
  while (!next.done) next = work.next(yield* callSlow(vm, next.value, cpu));
  return next.value;
}

flat(callSlow, asKernel);
