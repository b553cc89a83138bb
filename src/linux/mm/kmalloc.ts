// kmalloc() as far as kvmalloc() needs it: may so many contiguous frames be had? C: mm/slub.c, mm/util.c (6.12).
// Left out: slab caches; an object up to a page takes a page here, a larger one a power of two of pages.
import { type Geometry, pageOf } from '../arm64/geometry.js';
import { layout } from '../arm64/layout.js';
import { type Gfp, gfpBlocks } from './gfp.js';
import { maxPageOrder } from './max-order.js';
import { allocFrames, freeFrames, type PageAllocator } from './page-alloc.js';

/** Objects of kmalloc(). */
export interface Kmalloc {
  /** Larger requests fail. C: KMALLOC_MAX_SIZE */
  readonly max_bytes: number;
  readonly pageSize_bytes: number;
  /** Page of the linear mapping where frame 0 is. */
  readonly linear: number;
  /** Order by first page. */
  readonly live: Map<number, number>;
}

/** No objects. `max_bytes`: the largest request to try, at most KMALLOC_MAX_SIZE. */
export function newKmalloc(g: Geometry, max_bytes = Number.POSITIVE_INFINITY): Kmalloc {
  return {
    max_bytes: Math.min(max_bytes, g.pageSize_bytes * 2 ** maxPageOrder(g)),
    pageSize_bytes: g.pageSize_bytes,
    linear: pageOf(g, layout(g).PAGE_OFFSET),
    live: new Map(),
  };
}

/** C: get_order() */
export const get_order = (size_bytes: number, page_bytes: number): number =>
  Math.max(0, Math.ceil(Math.log2(size_bytes / page_bytes)));

/** First page of a new object in the linear mapping, or -1. C: kmalloc() */
export function kmalloc(k: Kmalloc, frames: PageAllocator, size_bytes: number, gfp: Gfp): number {
  if (size_bytes <= 0 || size_bytes > k.max_bytes) return -1;
  const order = get_order(size_bytes, k.pageSize_bytes);
  const pfn = allocFrames(frames, 2 ** order, order, gfpBlocks(gfp));
  if (pfn < 0) return -1;
  k.live.set(k.linear + pfn, order);
  return k.linear + pfn;
}

/** Free the object at `page`. @throws Error if there is none. C: kfree() */
export function kfree(k: Kmalloc, frames: PageAllocator, page: number): void {
  const order = k.live.get(page);
  if (order === undefined) throw new Error(`kfree() of page ${page}: no object begins there`);
  k.live.delete(page);
  freeFrames(frames, page - k.linear, 2 ** order, order);
}
