// Kernel stacks (VMAP_STACK), as plain functions and as modelled kernel code. C: kernel/fork.c alloc_thread_stack_node(),
// free_thread_stack() (6.12), arch/arm64/include/asm/memory.h. Left out: the grace period before a stack that finds no place
// in the cache is freed, NUMA nodes, CPUs that go offline.
import type { Geometry } from '../arm64/geometry.js';
import { work } from '../sched.js';
import type { Kernel } from '../step.js';
import { keep, take } from './cached-stacks.js';
import type { Vmalloc } from './machine.js';
import * as slow from './vmalloc.js';
import * as fast from './vmalloc-fast.js';
import type { VmallocState } from './vmalloc-state.js';

/** Bytes of a stack: 16 KiB, at least a page. C: THREAD_SIZE */
export const threadSize = (g: Geometry): number => Math.max(2 ** 14, g.pageSize_bytes);
/** Its alignment: twice its size, so that one bit of the stack pointer tells an overflow. C: THREAD_ALIGN */
export const threadAlign = (g: Geometry): number => 2 * threadSize(g);

/** A stack for a task forked on `cpu`: its first page, or -1. */
export function allocStackFast(v: Vmalloc, cpu: number): number {
  const kept = take(v.cached_stacks[cpu]!);
  if (kept >= 0) return kept;
  return fast.__vmalloc_node_range(v, threadSize(v.geometry), threadAlign(v.geometry), 0, cpu);
}

/** Give a stack back on `cpu`. @throws Error if none begins at `page`. */
export function freeStackFast(v: Vmalloc, page: number, cpu: number): void {
  if (!keep(v.cached_stacks[cpu]!, page)) fast.vfree(v, page);
}

/** A stack for a task forked on `cpu`: its first page, or -1. C: alloc_thread_stack_node() */
export function* alloc_thread_stack(vm: VmallocState, cpu: number): Kernel<number> {
  const { geometry: g } = vm;
  yield* work('this_cpu_xchg', 1);
  const kept = take(vm.cached_stacks[cpu]!);
  if (kept >= 0) return kept;
  return yield* slow.__vmalloc_node_range(vm, threadSize(g), threadAlign(g), 0, cpu);
}

/** Give a stack back on `cpu`. @throws Error if none begins at `page`. C: free_thread_stack() */
export function* free_thread_stack(vm: VmallocState, page: number, cpu: number): Kernel {
  yield* work('this_cpu_cmpxchg', 1);
  if (!keep(vm.cached_stacks[cpu]!, page)) yield* slow.vfree(vm, page, cpu);
}
