import { type Random, random, uniform } from '../random.js';

/**
 * Physical memory as vmalloc sees it: runs of frames with an alignment, how likely a block-sized run
 * can be had, and what reclaim could free. Left out: the buddy lists themselves, zones, who waits how
 * long for reclaim; the frames of an area are one run, which is true of the numbers only.
 */
export interface PageAllocator {
  readonly total_pages: number;
  free_pages: number;
  /** Frames never handed out begin here. */
  next: number;
  /** Free runs by length in pages: a stack each. */
  readonly runs: Map<number, number[]>;
  /** Chance that a block (or a contiguous group) cannot be had, 0 to 1. */
  readonly fragmentation: number;
  readonly random: Random;
  /** Frames of the page cache: direct reclaim makes them free. */
  cache_pages: number;
  /** Orders above the mapping's are tried first (7.x). */
  readonly largeFirst: boolean;
  /** C: MAX_PAGE_ORDER */
  readonly maxOrder: number;
  /** Takes from the allocator (a page of the bulk allocator, or one larger order each). */
  takes: number;
  /** Pages that came in a larger order and were split. C: split_page() */
  split_pages: number;
  /** Pages freed by direct reclaim. */
  reclaimed_pages: number;
}

/** What a page allocator may have beside frames. */
export interface FrameOptions {
  readonly fragmentation?: number;
  readonly seed?: number | string | undefined;
  readonly cache_pages?: number;
  readonly largeFirst?: boolean;
  readonly maxOrder?: number;
}

/**
 * `total_pages` frames, all free but the page cache.
 * @throws RangeError for a fragmentation outside 0 to 1, a cache larger than memory.
 */
export function pageAllocator(total_pages: number, o: FrameOptions = {}): PageAllocator {
  const { fragmentation = 0, cache_pages = 0 } = o;
  if (!(fragmentation >= 0 && fragmentation <= 1))
    throw new RangeError(`fragmentation is ${fragmentation}; it must be 0 to 1`);
  if (!(cache_pages >= 0 && cache_pages <= total_pages))
    throw new RangeError(`page cache of ${cache_pages} pages; there are ${total_pages}`);
  return {
    total_pages,
    free_pages: total_pages - cache_pages,
    next: 0,
    runs: new Map(),
    fragmentation,
    random: random(`frames ${o.seed ?? 0}`),
    cache_pages,
    largeFirst: o.largeFirst ?? false,
    maxOrder: o.maxOrder ?? 10,
    takes: 0,
    split_pages: 0,
    reclaimed_pages: 0,
  };
}

/** Is it one of the times when a larger order cannot be had? */
const lacks = (p: PageAllocator, order: number): boolean =>
  order > 0 && p.fragmentation > 0 && uniform(p.random) < p.fragmentation;

/** Free at least `pages` of the page cache; false if there are not so many. C: direct reclaim */
function reclaim(p: PageAllocator, pages: number): boolean {
  if (pages > p.cache_pages) return false;
  p.cache_pages -= pages;
  p.free_pages += pages;
  p.reclaimed_pages += pages;
  return true;
}

/**
 * Take what can be had in orders above `order`, the largest first, without reclaim: the pages still
 * wanted. An order that cannot be had is not tried again. C: vm_area_alloc_pages() (7.x), its first loop
 */
function tryLargeOrders(p: PageAllocator, pages: number, order: number): number {
  let most = p.maxOrder;
  let left = pages;
  let free = p.free_pages;
  while (left > 0) {
    const large = Math.min(most, Math.floor(Math.log2(left)));
    if (large <= order) break;
    if (2 ** large > free || lacks(p, large)) {
      most = large - 1;
      continue;
    }
    p.takes++;
    p.split_pages += 2 ** large;
    left -= 2 ** large;
    free -= 2 ** large;
  }
  return left;
}

/**
 * `pages` frames for an area mapped in units of 2^order pages, the first aligned to that; -1 if they
 * cannot be had: all or nothing. C: vm_area_alloc_pages()
 */
export function allocFrames(
  p: PageAllocator,
  pages: number,
  order: number,
  mayReclaim = true,
): number {
  const unit = 2 ** order;
  const left = p.largeFirst ? tryLargeOrders(p, pages, order) : pages;
  if (left > 0) {
    if (pages > p.free_pages && !(mayReclaim && reclaim(p, pages - p.free_pages))) return -1;
    if (lacks(p, order)) return -1;
    p.takes += left / unit;
  }
  p.free_pages -= pages;
  const again = p.runs.get(pages * 32 + order)?.pop();
  if (again !== undefined) return again;
  const pfn = Math.ceil(p.next / unit) * unit;
  p.next = pfn + pages;
  return pfn;
}

/** Give frames back. */
export function freeFrames(p: PageAllocator, pfn: number, pages: number, order: number): void {
  p.free_pages += pages;
  const key = pages * 32 + order;
  const runs = p.runs.get(key);
  if (runs) runs.push(pfn);
  else p.runs.set(key, [pfn]);
}
