import { type Random, random, uniform } from '../random.js';

/**
 * Physical memory as vmalloc sees it: runs of frames with an alignment, and how likely a block-sized
 * run can be had. Left out: the buddy lists themselves, zones, reclaim; the frames of an area are one
 * run, which is true of the numbers only.
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
}

/** All of `total_pages` frames free. @throws RangeError for a fragmentation outside 0 to 1. */
export function pageAllocator(
  total_pages: number,
  fragmentation = 0,
  seed: number | string = 0,
): PageAllocator {
  if (!(fragmentation >= 0 && fragmentation <= 1))
    throw new RangeError(`fragmentation is ${fragmentation}; it must be 0 to 1`);
  return {
    total_pages,
    free_pages: total_pages,
    next: 0,
    runs: new Map(),
    fragmentation,
    random: random(`frames ${seed}`),
  };
}

/**
 * `pages` frames for an area mapped in units of 2^order pages, the first aligned to that; -1 if they
 * cannot be had. C: vm_area_alloc_pages()
 */
export function allocFrames(p: PageAllocator, pages: number, order: number): number {
  if (pages > p.free_pages) return -1;
  if (order > 0 && p.fragmentation > 0 && uniform(p.random) < p.fragmentation) return -1;
  p.free_pages -= pages;
  const unit = 2 ** order;
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
