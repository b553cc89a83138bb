// kvmalloc() and kvfree(), as plain functions and as modelled kernel code. C: mm/util.c, mm/slub.c (6.12, 6.19).
import { work } from '../sched.js';
import type { Kernel } from '../step.js';
import { type Gfp, gfpBlocks } from './gfp.js';
import { kfree, kmalloc } from './kmalloc.js';
import type { Vmalloc } from './machine.js';
import * as slow from './vmalloc.js';
import * as fast from './vmalloc-fast.js';
import { VM_ALLOW_HUGE_VMAP } from './vmalloc-size.js';
import type { VmallocState } from './vmalloc-state.js';

type Either = Vmalloc | VmallocState;

/** What kmalloc() refused: may it come from vmalloc? Not a page or less, nothing huge, no atomic caller before 6.19. */
function falls(v: Either, size_bytes: number, gfp: Gfp): boolean {
  if (size_bytes <= v.geometry.pageSize_bytes || size_bytes > 2 ** 31 - 1) return false;
  return gfpBlocks(gfp) || v.era.nonBlocking;
}

/** Flags of the vmalloc: blocks, unless the caller cannot block. C: __kvmalloc_node_noprof() */
const flags = (gfp: Gfp): number => (gfpBlocks(gfp) ? VM_ALLOW_HUGE_VMAP : 0);

/** Is it of vmalloc's, not of the linear mapping? C: is_vmalloc_addr() */
export const is_vmalloc_page = ({ space }: Either, page: number): boolean =>
  page >= space.vstart && page < space.vend;

/** Memory from kmalloc() if it can be had, else from vmalloc: its first page, or -1. */
export function kvmallocFast(
  v: Vmalloc,
  size_bytes: number,
  cpu: number,
  gfp: Gfp = 'GFP_KERNEL',
): number {
  const page = kmalloc(v.kmalloc, v.frames, size_bytes, gfp);
  if (page >= 0 || !falls(v, size_bytes, gfp)) return page;
  return fast.__vmalloc_node_range(v, size_bytes, 1, flags(gfp), cpu, { gfp });
}

/** Free what kvmalloc() gave. @throws Error if nothing begins at `page`. */
export function kvfreeFast(v: Vmalloc, page: number): void {
  if (is_vmalloc_page(v, page)) fast.vfree(v, page);
  else kfree(v.kmalloc, v.frames, page);
}

/** Memory from kmalloc() if it can be had, else from vmalloc: its first page, or -1. C: kvmalloc() */
export function* kvmalloc(
  vm: VmallocState,
  size_bytes: number,
  cpu: number,
  gfp: Gfp = 'GFP_KERNEL',
): Kernel<number> {
  yield* work('alloc_pages', 1);
  const page = kmalloc(vm.kmalloc, vm.frames, size_bytes, gfp);
  if (page >= 0 || !falls(vm, size_bytes, gfp)) return page;
  return yield* slow.__vmalloc_node_range(vm, size_bytes, 1, flags(gfp), cpu, { gfp });
}

/** Free what kvmalloc() gave. @throws Error if nothing begins at `page`. C: kvfree() */
export function* kvfree(vm: VmallocState, page: number, cpu: number): Kernel {
  if (is_vmalloc_page(vm, page)) return yield* slow.vfree(vm, page, cpu);
  kfree(vm.kmalloc, vm.frames, page);
  yield* work('free_pages', 1);
}
