// vm_map_ram() as modelled kernel code. C: mm/vmalloc.c vb_alloc(), new_vmap_block(), vb_free() (6.12).
import { PAGE_KERNEL, protBits } from '../arm64/leaf.js';
import { spin_lock, spin_unlock } from '../lock.js';
import type { Kernel } from '../step.js';
import {
  alloc_vmap_area,
  makeLazy,
  purge_fragmented_blocks,
  purge_vmap_area_lazy,
} from './vmalloc.js';
import type { VmallocState } from './vmalloc-state.js';
import { vmap_range_noflush, vunmap_range_noflush } from './vmap.js';
import { new_vmap_block, VMAP_MAX_ALLOC, vb_alloc, vb_free } from './vmap-block.js';
import type { Purged } from './vmap-nodes.js';

/** Map `pages` frames from `pfn` on for a short time: the first page, or -1. C: vm_map_ram() */
export function* vm_map_ram(
  vm: VmallocState,
  pfn: number,
  pages: number,
  cpu: number,
): Kernel<number> {
  const small = pages <= VMAP_MAX_ALLOC;
  let at = -1;
  if (small) {
    yield* spin_lock(vm.locks.vmap_block);
    at = vb_alloc(vm.blocks, pages, cpu);
    yield* spin_unlock(vm.locks.vmap_block);
  }
  if (at < 0) {
    const size = small ? vm.blocks.pages : pages;
    const shape = { order: 0, pages, size, align: small ? size : 1 };
    const id = yield* alloc_vmap_area(vm, shape, cpu);
    if (id === 0) return -1;
    at = vm.space.areas.start[id]!;
    if (small) new_vmap_block(vm.blocks, at, pages, cpu);
  }
  yield* vmap_range_noflush(vm, at, pages, pfn, { prot: protBits(PAGE_KERNEL), maxShift: 0, cpu });
  return at;
}

/** Undo vm_map_ram(). C: vm_unmap_ram() */
export function* vm_unmap_ram(vm: VmallocState, at: number, pages: number, cpu: number): Kernel {
  yield* vunmap_range_noflush(vm, at, pages);
  const { blocks, space } = vm;
  if (pages > VMAP_MAX_ALLOC) yield* makeLazy(vm, space.busy.get(at)!, cpu);
  else if (vb_free(blocks, at, pages))
    yield* makeLazy(vm, space.busy.get(Math.floor(at / blocks.pages) * blocks.pages)!, cpu);
}

/** Purge now, fragmented blocks included. C: vm_unmap_aliases() */
export function* vm_unmap_aliases(vm: VmallocState, cpu = 0): Kernel<Purged> {
  yield* purge_fragmented_blocks(vm, false, cpu);
  return yield* purge_vmap_area_lazy(vm);
}
