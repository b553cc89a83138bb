// vmalloc as modelled kernel code: locks, trees, mappings and events as steps, usable by simulation and replay.
// C: mm/vmalloc.c (6.12; eras.ts for what differs). Left out: KASAN, memcg, notifiers, failure of small allocations.

import { PAGE_KERNEL, PROT_DEVICE, protBits } from '../arm64/leaf.js';
import { mutex_lock, mutex_unlock, spin_lock, spin_unlock } from '../lock.js';
import { might_sleep, trace, work } from '../sched.js';
import { flat } from '../step/flat.js';
import type { Kernel } from '../step.js';
import { flush_tlb_kernel_range } from '../tlb.js';
import { schedule_work } from '../workqueue.js';
import { newArea } from './areas.js';
import { alloc_free_area } from './free-areas.js';
import { type Gfp, gfpBlocks, neverBlocks } from './gfp.js';
import { allocFrames, freeFrames } from './page-alloc.js';
import {
  type Ask,
  arrayBytes,
  ioremapAlign,
  type Shape,
  shapeOf,
  VM_ALLOW_HUGE_VMAP,
} from './vmalloc-size.js';
import { type VmallocState, va } from './vmalloc-state.js';
import { vmap_range_noflush, vunmap_range_noflush } from './vmap.js';
import { fragmented } from './vmap-block.js';
import {
  addLazy,
  decay_va_pool_node,
  detachLazy,
  envelope,
  lazyNode,
  node_alloc,
  type Purged,
  purge_vmap_node,
} from './vmap-nodes.js';

const KERNEL = protBits(PAGE_KERNEL);
const DEVICE = protBits(PROT_DEVICE);

/** An area for `shape` in [vstart, vend): its id, or 0. C: alloc_vmap_area() up to its first retry */
function* try_vmap_area(
  vm: VmallocState,
  shape: Shape,
  vstart: number,
  vend: number,
  cpu: number,
): Kernel<number> {
  const { space, locks } = vm;
  const whole = vstart === space.vstart && vend === space.vend && space.nodes.length > 1;
  let id = 0;
  if (whole) {
    const pool = locks.pool[cpu % space.nodes.length]!;
    yield* spin_lock(pool);
    id = node_alloc(space, cpu, shape.size, shape.align);
    yield* spin_unlock(pool);
  }
  if (id === 0) {
    yield* spin_lock(locks.free_vmap_area_lock);
    const at = alloc_free_area(space.free, shape.size, shape.align, vstart, vend);
    yield* spin_unlock(locks.free_vmap_area_lock);
    if (at >= 0) id = newArea(space.areas, at, at + shape.size);
  }
  if (id !== 0) space.areas.vn[id] = whole ? (cpu % space.nodes.length) + 1 : 0;
  const page = vm.geometry.pageSize_bytes;
  yield* trace('alloc_vmap_area', {
    va: va(vm, id === 0 ? vend : space.areas.start[id]!),
    size_bytes: shape.size * page,
    align_bytes: shape.align === 1 ? 1 : shape.align * page,
    range_start: va(vm, vstart),
    range_end: va(vm, vend),
    ok: id === 0 ? 0 : 1,
  });
  return id;
}

/** An area, made busy; 0 (-EBUSY) if even a purge gives no room, which callers that cannot block do not try. C: alloc_vmap_area() */
export function* alloc_vmap_area(
  vm: VmallocState,
  shape: Shape,
  cpu: number,
  vstart = vm.space.vstart,
  vend = vm.space.vend,
  gfp: Gfp = 'GFP_KERNEL',
): Kernel<number> {
  const never = neverBlocks(vm.era, gfp);
  if (!never) yield* might_sleep('alloc_vmap_area');
  let id = yield* try_vmap_area(vm, shape, vstart, vend, cpu);
  if (id === 0 && !never) {
    yield* purge_fragmented_blocks(vm, true, cpu);
    yield* purge_vmap_area_lazy(vm, true);
    id = yield* try_vmap_area(vm, shape, vstart, vend, cpu);
  }
  if (id === 0) return 0;
  const busy = vm.locks.busy[lazyNode(vm.space, id)]!;
  yield* spin_lock(busy);
  vm.space.busy.set(vm.space.areas.start[id]!, id);
  yield* spin_unlock(busy);
  return id;
}

/** Purge what is lazily free, node by node, with one TLB flush. C: __purge_vmap_area_lazy() */
export function* purge_vmap_area_lazy(vm: VmallocState, full = false): Kernel<Purged> {
  const { space, locks } = vm;
  yield* mutex_lock(locks.vmap_purge_lock);
  const done: Purged = { start: Number.POSITIVE_INFINITY, end: 0, areas: 0 };
  for (let i = 0; i < space.nodes.length; i++) {
    yield* trace('decay_node', { object: nodeAddress(i), full: full ? 1 : 0 });
    yield* spin_lock(locks.free_vmap_area_lock);
    decay_va_pool_node(space, i, full);
    yield* spin_unlock(locks.free_vmap_area_lock);
    yield* spin_lock(locks.lazy[i]!);
    if (detachLazy(space, i) > 0) envelope(space, i, done);
    yield* spin_unlock(locks.lazy[i]!);
  }
  if (done.end > 0) {
    yield* flush_tlb_kernel_range(done.end - done.start, vm.geometry.entries);
    for (let i = 0; i < space.nodes.length; i++) {
      if (space.nodes[i]!.purging.length === 0) continue;
      yield* trace('purge_node', { object: nodeAddress(i) + 0x1858n });
      yield* spin_lock(locks.free_vmap_area_lock);
      done.areas += purge_vmap_node(space, i, full);
      yield* spin_unlock(locks.free_vmap_area_lock);
    }
  }
  yield* trace('purge_vmap_area_lazy', {
    range_start: done.areas > 0 ? va(vm, done.start) : NOTHING,
    range_end: va(vm, done.end),
    count: done.areas,
  });
  yield* mutex_unlock(locks.vmap_purge_lock);
  return done;
}

/** Begin of the range of a purge that found nothing. */
const NOTHING = (1n << 64n) - 1n;

/** Any address will do, as long as nodes lie in order. */
const nodeAddress = (i: number): bigint => 0xffff000001000000n + BigInt(i) * 0x1880n;

/** The frames of an area, -1 if they cannot be had. C: vm_area_alloc_pages() */
function* area_frames(vm: VmallocState, { pages, order }: Shape, gfp: Gfp): Kernel<number> {
  const { takes, split_pages } = vm.frames;
  const pfn = allocFrames(vm.frames, pages, order, gfpBlocks(gfp));
  yield* work('alloc_pages', vm.frames.takes - takes);
  const split = vm.frames.split_pages - split_pages;
  if (split > 0) yield* work('split_page', split);
  return pfn;
}

/** Free what callers that cannot block left: areas without frames. C: cleanup_vm_area_work() (6.19) */
function* cleanup_vm_area(vm: VmallocState, cpu: number): Kernel {
  for (let id = vm.cleanup.pop(); id !== undefined; id = vm.cleanup.pop())
    yield* release(vm, id, cpu);
}

/** One attempt: area, page array, frames, mapping. Its id, or 0. C: __vmalloc_area_node() */
function* attempt(
  vm: VmallocState,
  shape: Shape,
  cpu: number,
  vstart: number,
  vend: number,
  gfp: Gfp,
  whatIf: boolean,
): Kernel<number> {
  const id = yield* alloc_vmap_area(vm, shape, cpu, vstart, vend, gfp);
  if (id === 0) return 0;
  const { areas } = vm.space;
  const bytes = arrayBytes(shape.pages);
  const array = bytes > vm.geometry.pageSize_bytes ? yield* vmalloc(vm, bytes, cpu, gfp) : -1;
  areas.array[id] = array;
  const pfn = yield* area_frames(vm, shape, gfp);
  if (pfn < 0) {
    if (neverBlocks(vm.era, gfp)) vm.cleanup.push(id);
    else yield* release(vm, id, cpu);
    return 0;
  }
  areas.pages[id] = shape.pages;
  areas.pfn[id] = pfn * 64 + shape.order;
  const tablesMaySleep = !neverBlocks(vm.era, gfp);
  const how = { prot: KERNEL, maxShift: shape.order, cpu, tablesMaySleep, quiet: whatIf };
  yield* vmap_range_noflush(vm, areas.start[id]!, shape.pages, pfn, how);
  return id;
}

/** Virtually contiguous memory: its first page, or -1. C: __vmalloc_node_range_noprof() */
export function* __vmalloc_node_range(
  vm: VmallocState,
  size_bytes: number,
  align_bytes: number,
  flags: number,
  cpu: number,
  { vstart = vm.space.vstart, vend = vm.space.vend, anyNode = true, gfp, whatIf = false }: Ask = {},
): Kernel<number> {
  const given = gfp === undefined ? {} : { detail: `gfp=${gfp}` };
  yield* trace('vmalloc_range', { size_bytes, align_bytes, vm_flags: flags, ...given });
  const as = gfp ?? 'GFP_KERNEL';
  // kvmalloc() drops VM_ALLOW_HUGE_VMAP for callers that cannot block (6.19).
  const drops = neverBlocks(vm.era, as) && !whatIf;
  if (!neverBlocks(vm.era, as)) yield* cleanup_vm_area(vm, cpu);
  const allowed = drops ? flags & ~VM_ALLOW_HUGE_VMAP : flags;
  if (size_bytes <= 0 || size_bytes / vm.geometry.pageSize_bytes > vm.frames.total_pages) return -1;
  const shape = shapeOf(vm, size_bytes, align_bytes, allowed, false, anyNode);
  let id = yield* attempt(vm, shape, cpu, vstart, vend, as, whatIf);
  if (id === 0 && shape.order > 0) {
    const small = shapeOf(vm, size_bytes, align_bytes, allowed, true);
    id = yield* attempt(vm, small, cpu, vstart, vend, as, whatIf);
  }
  yield* trace('vmalloc_range_ret', {});
  return id === 0 ? -1 : vm.space.areas.start[id]!;
}

/** C: vmalloc(), __vmalloc() */
export function* vmalloc(
  vm: VmallocState,
  size_bytes: number,
  cpu: number,
  gfp?: Gfp,
): Kernel<number> {
  return yield* __vmalloc_node_range(vm, size_bytes, 1, 0, cpu, gfp === undefined ? {} : { gfp });
}

/** C: vmalloc_huge(), and kvmalloc() where kmalloc() cannot serve */
export function* vmalloc_huge(vm: VmallocState, size_bytes: number, cpu: number): Kernel<number> {
  return yield* __vmalloc_node_range(vm, size_bytes, 1, VM_ALLOW_HUGE_VMAP, cpu);
}

/**
 * Busy area `id`, unmapped, becomes lazily free; above the limit a drain is due: by its work item, or, where a run has no
 * workers, at once. C: free_vmap_area_noflush()
 */
export function* makeLazy(vm: VmallocState, id: number, cpu: number, mayDrain = true): Kernel {
  const { areas, busy, lazy_max } = vm.space;
  const page = areas.start[id]!;
  const node = lazyNode(vm.space, id);
  yield* spin_lock(vm.locks.busy[node]!);
  busy.delete(page);
  yield* spin_unlock(vm.locks.busy[node]!);
  yield* spin_lock(vm.locks.lazy[node]!);
  const count = addLazy(vm.space, id);
  yield* spin_unlock(vm.locks.lazy[node]!);
  yield* trace('free_vmap_area_noflush', { va: va(vm, page), count, limit: lazy_max });
  if (count <= lazy_max) return;
  if (vm.drain_vmap_work) yield* schedule_work(vm.drain_vmap_work, cpu);
  else if (mayDrain) yield* drain_vmap_area_work(vm);
}

/** What the work item does. C: drain_vmap_area_work() */
export function* drain_vmap_area_work(vm: VmallocState): Kernel {
  yield* trace('drain', {});
  yield* purge_vmap_area_lazy(vm);
}

/** Make the blocks lazily free of which nothing is mapped any more. C: purge_fragmented_blocks_allcpus() */
export function* purge_fragmented_blocks(vm: VmallocState, force: boolean, cpu: number): Kernel {
  for (const vb of fragmented(vm.blocks, force))
    yield* makeLazy(vm, vm.space.busy.get(vb.at)!, cpu, false);
}

/** Unmap area `id`, free it, give frames and page array back. C: vfree() */
function* release(vm: VmallocState, id: number, cpu: number): Kernel {
  yield* might_sleep('vfree');
  const { areas } = vm.space;
  const pages = areas.pages[id]!;
  const array = areas.array[id]!;
  const run = areas.pfn[id]!;
  if (pages > 0) yield* vunmap_range_noflush(vm, areas.start[id]!, pages);
  yield* makeLazy(vm, id, cpu);
  if (run >= 0) {
    yield* work('free_pages', pages);
    freeFrames(vm.frames, Math.floor(run / 64), pages, run % 64);
  }
  if (array >= 0) yield* vfree(vm, array, cpu);
}

/** Free what begins at `page`. @throws Error if nothing does. C: vfree(), iounmap() */
export function* vfree(vm: VmallocState, page: number, cpu = 0): Kernel {
  const id = vm.space.busy.get(page);
  if (id === undefined) throw new Error(`Trying to vfree() nonexistent vm area (page ${page})`);
  yield* trace('vfree', { va: va(vm, page) });
  yield* release(vm, id, cpu);
  yield* cleanup_vm_area(vm, cpu);
}

/** Map device memory: its first page, or -1. C: ioremap_prot() */
export function* ioremap(
  vm: VmallocState,
  phys_bytes: number,
  size_bytes: number,
  cpu: number,
): Kernel<number> {
  const unit = vm.geometry.pageSize_bytes;
  const pages = Math.ceil(size_bytes / unit);
  const align = ioremapAlign(vm.geometry, size_bytes) / unit;
  const id = yield* alloc_vmap_area(vm, { order: 0, pages, size: pages + 1, align }, cpu);
  if (id === 0) return -1;
  const { areas } = vm.space;
  areas.pages[id] = pages;
  const how = { prot: DEVICE, maxShift: 52, cpu };
  yield* vmap_range_noflush(vm, areas.start[id]!, pages, Math.floor(phys_bytes / unit), how);
  return vm.space.areas.start[id]!;
}

flat(try_vmap_area, alloc_vmap_area, purge_vmap_area_lazy, drain_vmap_area_work, attempt, __vmalloc_node_range, vmalloc, vmalloc_huge, makeLazy, release, vfree); // biome-ignore format: one line
