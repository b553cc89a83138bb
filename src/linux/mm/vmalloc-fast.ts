// vmalloc as plain functions, for one CPU at a time: what a single task sees when nothing interrupts it. The same
// decisions as the generators of mm/vmalloc.ts, which a test holds against it.

import { PAGE_KERNEL, PROT_DEVICE, protBits } from '../arm64/leaf.js';
import { type Gfp, gfpBlocks, neverBlocks } from './gfp.js';
import type { Vmalloc } from './machine.js';
import { allocFrames, freeFrames } from './page-alloc.js';
import {
  type Ask,
  arrayBytes,
  ioremapAlign,
  type Shape,
  shapeOf,
  VM_ALLOW_HUGE_VMAP,
} from './vmalloc-size.js';
import { alloc_vmap_area, free_vmap_area_noflush } from './vmap-area.js';
import { fragmented, new_vmap_block, VMAP_MAX_ALLOC, vb_alloc, vb_free } from './vmap-block.js';
import { type Purged, purge_vmap_area_lazy } from './vmap-nodes.js';
import { type Mapping, vmap_range_noflush, vunmap_range_noflush } from './vmap-range.js';

export { bootMachine, type Machine, type Vmalloc } from './machine.js';

const KERNEL = protBits(PAGE_KERNEL);
const DEVICE = protBits(PROT_DEVICE);

/** Purge what is lazily free. C: __purge_vmap_area_lazy() */
export function purge(v: Vmalloc, full = false): Purged {
  v.purges++;
  v.drainDue = -1;
  return purge_vmap_area_lazy(v.space, full);
}

/** Free what callers that cannot block left: areas without frames. C: cleanup_vm_area_work() (6.19) */
function cleanup(v: Vmalloc): void {
  for (let va = v.cleanup.pop(); va !== undefined; va = v.cleanup.pop()) release(v, va);
}

/** An area of this shape, 0 if there is no room even after a full purge (unless `never`). C: alloc_vmap_area() */
function area(
  v: Vmalloc,
  shape: Shape,
  vstart: number,
  vend: number,
  cpu: number,
  never = false,
): number {
  if (v.drainDue >= 0 && v.drainDue-- === 0) purge(v);
  v.allocations++;
  const { size, align } = shape;
  let va = alloc_vmap_area(v.space, size, align, vstart, vend, cpu);
  if (va !== 0 || never) return va;
  for (const vb of fragmented(v.blocks, true))
    free_vmap_area_noflush(v.space, v.space.busy.get(vb.at)!);
  purge(v, true);
  va = alloc_vmap_area(v.space, size, align, vstart, vend, cpu);
  return va;
}

const mapping = (v: Vmalloc, prot: number, maxShift: number, cont: boolean): Mapping => ({
  prot,
  maxShift,
  cont,
  mayReplace: v.mayReplace,
});

/** One attempt of `__vmalloc_node_range`: the area, 0 if address space or memory lack. */
function attempt(
  v: Vmalloc,
  shape: Shape,
  vstart: number,
  vend: number,
  cpu: number,
  gfp: Gfp,
): number {
  const never = neverBlocks(v.era, gfp);
  const va = area(v, shape, vstart, vend, cpu, never);
  if (va === 0) return 0;
  const a = v.space.areas;
  const bytes = arrayBytes(shape.pages);
  let array = -1;
  if (bytes > v.geometry.pageSize_bytes) array = vmalloc(v, bytes, cpu, gfp);
  const pfn = allocFrames(v.frames, shape.pages, shape.order, gfpBlocks(gfp));
  v.space.areas.array[va] = array;
  if (pfn < 0) {
    if (never) v.cleanup.push(va);
    else release(v, va);
    return 0;
  }
  v.space.areas.pages[va] = shape.pages;
  v.space.areas.pfn[va] = pfn * 64 + shape.order;
  const cont = shape.order > 0 && v.era.contpte;
  vmap_range_noflush(
    v.tables,
    a.start[va]!,
    shape.pages,
    pfn,
    mapping(v, KERNEL, shape.order, cont),
  );
  return va;
}

/**
 * Allocate virtually contiguous memory: its first page, or -1. Tries blocks first where flags and size
 * allow, then base pages at a new place. C: __vmalloc_node_range_noprof()
 */
export function __vmalloc_node_range(
  v: Vmalloc,
  size_bytes: number,
  align_bytes: number,
  flags: number,
  cpu: number,
  { vstart = v.space.vstart, vend = v.space.vend, anyNode = true, gfp = 'GFP_KERNEL' }: Ask = {},
): number {
  const never = neverBlocks(v.era, gfp);
  if (!never && v.cleanup.length > 0) cleanup(v);
  const allowed = never ? flags & ~VM_ALLOW_HUGE_VMAP : flags;
  if (size_bytes <= 0 || size_bytes / v.geometry.pageSize_bytes > v.frames.total_pages) return -1;
  const shape = shapeOf(v, size_bytes, align_bytes, allowed, false, anyNode);
  let va = attempt(v, shape, vstart, vend, cpu, gfp);
  if (va === 0 && shape.order > 0)
    va = attempt(v, shapeOf(v, size_bytes, align_bytes, allowed, true), vstart, vend, cpu, gfp);
  return va === 0 ? -1 : v.space.areas.start[va]!;
}

/** C: vmalloc() */
export const vmalloc = (v: Vmalloc, size_bytes: number, cpu: number, gfp?: Gfp): number =>
  __vmalloc_node_range(v, size_bytes, 1, 0, cpu, gfp === undefined ? {} : { gfp });

/** C: vmalloc_huge(), and kvmalloc() where kmalloc() cannot serve */
export const vmalloc_huge = (v: Vmalloc, size_bytes: number, cpu: number): number =>
  __vmalloc_node_range(v, size_bytes, 1, VM_ALLOW_HUGE_VMAP, cpu);

/** Unmap area `va`, make it lazily free, give frames and page array back. */
function release(v: Vmalloc, va: number): void {
  const a = v.space.areas;
  const pages = a.pages[va]!;
  const array = a.array[va]!;
  const run = a.pfn[va]!;
  if (pages > 0) vunmap_range_noflush(v.tables, a.start[va]!, pages);
  const lazy = free_vmap_area_noflush(v.space, va);
  if (lazy > v.space.lazy_max && v.drainDue < 0) {
    if (v.drainLag === 0) purge(v);
    else v.drainDue = v.drainLag - 1;
  }
  if (run >= 0) freeFrames(v.frames, Math.floor(run / 64), pages, run % 64);
  if (array >= 0) vfree(v, array);
}

/** Free what begins at `page`. @throws Error if nothing does. C: vfree(), vunmap(), iounmap() */
export function vfree(v: Vmalloc, page: number): void {
  const va = v.space.busy.get(page);
  if (va === undefined) throw new Error(`Trying to vfree() nonexistent vm area (page ${page})`);
  release(v, va);
  if (v.cleanup.length > 0) cleanup(v);
}

/** Map `size_bytes` of device memory at `phys_bytes`: the first page, or -1. C: ioremap_prot() */
export function ioremap(v: Vmalloc, phys_bytes: number, size_bytes: number, cpu: number): number {
  const page = v.geometry.pageSize_bytes;
  const pages = Math.ceil(size_bytes / page);
  const align = ioremapAlign(v.geometry, size_bytes) / page;
  const { vstart, vend } = v.space;
  const va = area(v, { order: 0, pages, size: pages + 1, align }, vstart, vend, cpu);
  if (va === 0) return -1;
  v.space.areas.pages[va] = pages;
  const at = v.space.areas.start[va]!;
  vmap_range_noflush(
    v.tables,
    at,
    pages,
    Math.floor(phys_bytes / page),
    mapping(v, DEVICE, 52, false),
  );
  return at;
}

/** Map frames that belong to somebody else, by base pages: the first page, or -1. C: vmap() */
export function vmap(v: Vmalloc, pfn: number, pages: number, cpu: number): number {
  const { vstart, vend } = v.space;
  const va = area(v, { order: 0, pages, size: pages + 1, align: 1 }, vstart, vend, cpu);
  if (va === 0) return -1;
  v.space.areas.pages[va] = pages;
  const at = v.space.areas.start[va]!;
  vmap_range_noflush(v.tables, at, pages, pfn, mapping(v, KERNEL, 0, false));
  return at;
}

/** Map `pages` frames from `pfn` on for a short time: the first page, or -1. C: vm_map_ram() */
export function vm_map_ram(v: Vmalloc, pfn: number, pages: number, cpu: number): number {
  const { vstart, vend } = v.space;
  const small = pages <= VMAP_MAX_ALLOC;
  let at = small ? vb_alloc(v.blocks, pages, cpu) : -1;
  if (at < 0) {
    const size = small ? v.blocks.pages : pages;
    const align = small ? size : 1;
    const va = area(v, { order: 0, pages, size, align }, vstart, vend, cpu);
    if (va === 0) return -1;
    at = v.space.areas.start[va]!;
    if (small) new_vmap_block(v.blocks, at, pages, cpu);
  }
  vmap_range_noflush(v.tables, at, pages, pfn, mapping(v, KERNEL, 0, false));
  return at;
}

/** Undo vm_map_ram(). C: vm_unmap_ram() */
export function vm_unmap_ram(v: Vmalloc, at: number, pages: number): void {
  vunmap_range_noflush(v.tables, at, pages);
  if (pages > VMAP_MAX_ALLOC) release(v, v.space.busy.get(at)!);
  else if (vb_free(v.blocks, at, pages))
    release(v, v.space.busy.get(Math.floor(at / v.blocks.pages) * v.blocks.pages)!);
}

/** Purge now, fragmented vm_map_ram blocks included. C: vm_unmap_aliases() */
export function vm_unmap_aliases(v: Vmalloc): Purged {
  for (const vb of fragmented(v.blocks, false))
    free_vmap_area_noflush(v.space, v.space.busy.get(vb.at)!);
  return purge(v);
}
