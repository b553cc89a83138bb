import { augment_tree_propagate_from, type RbRoot, rb_erase, rb_insert } from '../lib/rbtree.js';
import { freeArea, newArea, type VmapAreas } from './areas.js';

/**
 * Free ranges of the address space: a tree and a list, both by address.
 * C: free_vmap_area_root and free_vmap_area_list, mm/vmalloc.c
 */
export interface FreeAreas extends RbRoot {
  readonly areas: VmapAreas;
  /** First area by address; 0 if empty. */
  head: number;
  /** Last area by address; 0 if empty. */
  tail: number;
  count: number;
}

/** No free range at all. */
export const freeAreas = (areas: VmapAreas): FreeAreas => ({
  areas,
  node: 0,
  head: 0,
  tail: 0,
  count: 0,
});

/** Page behind the last one a 64-bit address can name: what an overflow reaches. */
const END_OF_ADDRESSES = 2 ** 52;

/** `page` rounded up to a multiple of `align`, a power of two. C: ALIGN() */
export const alignUp = (page: number, align: number): number => Math.ceil(page / align) * align;

/** C: is_within_this_va() */
function fits(a: VmapAreas, n: number, size: number, align: number, vstart: number): boolean {
  const from = Math.max(a.start[n]!, vstart);
  const at = align > 1 ? Math.ceil(from / align) * align : from;
  return at + size <= a.end[n]! && at + size <= END_OF_ADDRESSES;
}

/**
 * The free area vmalloc takes, 0 if there is none. Subtrees are entered only where some block has
 * `length` pages, so for align > 1 the answer depends on the shape of the tree.
 * C: find_vmap_lowest_match(); `length` is size + align - 1 where the search size is adjusted.
 */
export function find_vmap_lowest_match(
  f: FreeAreas,
  size: number,
  align: number,
  vstart: number,
  length: number,
): number {
  const a = f.areas;
  const { start, max, left, right, parent } = a;
  let node = f.node;
  while (node !== 0) {
    const l = left[node]!;
    if (l !== 0 && max[l]! >= length && vstart < start[node]!) {
      node = l;
      continue;
    }
    if (fits(a, node, size, align, vstart)) return node;
    const r = right[node]!;
    if (r !== 0 && max[r]! >= length) {
      node = r;
      continue;
    }
    while ((node = parent[node]!) !== 0) {
      if (fits(a, node, size, align, vstart)) return node;
      const other = right[node]!;
      if (other !== 0 && max[other]! >= length && vstart <= start[node]!) {
        vstart = start[node]! + 0.5; // "plus one byte": not into the same subtree again
        node = other;
        break;
      }
    }
  }
  return 0;
}

/** Take `n` out of tree and list. C: unlink_va_augment() */
function unlink(f: FreeAreas, n: number): void {
  const a = f.areas;
  rb_erase(a, f, n);
  const p = a.prev[n]!;
  const q = a.next[n]!;
  if (p === 0) f.head = q;
  else a.next[p] = q;
  if (q === 0) f.tail = p;
  else a.prev[q] = p;
  f.count--;
}

/** Put `n` into tree and list, where the next higher area is `next` (0: none). C: insert_vmap_area_augment() */
function link(f: FreeAreas, n: number, next: number): void {
  const a = f.areas;
  const prev = next === 0 ? f.tail : a.prev[next]!;
  a.prev[n] = prev;
  a.next[n] = next;
  if (prev === 0) f.head = n;
  else a.next[prev] = n;
  if (next === 0) f.tail = n;
  else a.prev[next] = n;
  f.count++;
  // A new leaf hangs left of its successor or, where that place is taken, right of its predecessor.
  if (next !== 0 && a.left[next] === 0) rb_insert(a, f, n, next, true);
  else rb_insert(a, f, n, prev, false);
}

/** The free area with the lowest start above `page`, 0 if none. */
export function nextFree(f: FreeAreas, page: number): number {
  const { start, left, right } = f.areas;
  let best = 0;
  let node = f.node;
  while (node !== 0) {
    if (start[node]! > page) {
      best = node;
      node = left[node]!;
    } else node = right[node]!;
  }
  return best;
}

/**
 * Cut [at, at + size) out of the free area `n`. When both sides remain, `n` keeps the right one.
 * C: va_clip() (adjust_va_to_fit_type() before 6.10)
 */
export function va_clip(f: FreeAreas, n: number, at: number, size: number): void {
  const a = f.areas;
  const from = a.start[n]!;
  const to = a.end[n]!;
  if (from === at) {
    if (to === at + size) {
      unlink(f, n);
      freeArea(a, n);
      return;
    }
    a.start[n] = at + size;
    augment_tree_propagate_from(a, n);
  } else if (to === at + size) {
    a.end[n] = at;
    augment_tree_propagate_from(a, n);
  } else {
    const rest = newArea(a, from, at);
    f.areas.start[n] = at + size;
    augment_tree_propagate_from(a, n);
    link(f, rest, n);
  }
}

/**
 * Give area `n` (in no tree) to the free space, merged with its neighbours.
 * C: merge_or_add_vmap_area_augment()
 * @throws Error when it overlaps a free range: a double free.
 */
export function merge_or_add_vmap_area(f: FreeAreas, n: number): void {
  const a = f.areas;
  const { start, end } = a;
  let va = n;
  const next = nextFree(f, start[n]!);
  const prev = next === 0 ? f.tail : a.prev[next]!;
  if ((prev !== 0 && end[prev]! > start[n]!) || (next !== 0 && start[next]! < end[n]!))
    throw new Error(`pages ${start[n]} to ${end[n]} are freed twice`);
  let merged = false;
  if (next !== 0 && start[next] === end[n]) {
    start[next] = start[n]!;
    freeArea(a, n);
    va = next;
    merged = true;
  }
  if (prev !== 0 && end[prev] === start[va]) {
    if (merged) unlink(f, va);
    end[prev] = end[va]!;
    freeArea(a, va);
    va = prev;
    merged = true;
  }
  if (merged) augment_tree_propagate_from(a, va);
  else link(f, n, next);
}

/** The free area in which a request is served, 0 if there is none. C: __alloc_vmap_area() */
function areaFor(f: FreeAreas, size: number, align: number, vstart: number, vend: number): number {
  const adjust = align > 1 && vend - vstart !== size;
  // size + align - 1 bytes: a byte less than that many pages, which half a page stands for.
  return find_vmap_lowest_match(f, size, align, vstart, adjust ? size + align - 0.5 : size);
}

/** First page of a request in free area `n`, -1 if it would end behind `vend`. C: va_alloc() */
function pageIn(
  f: FreeAreas,
  n: number,
  size: number,
  align: number,
  vstart: number,
  vend: number,
): number {
  const from = Math.max(f.areas.start[n]!, vstart);
  const at = align > 1 ? alignUp(from, align) : from;
  return at + size > vend ? -1 : at;
}

/**
 * Take `size` pages out of the free space: the first page, or -1 if no place is found.
 * `align` in pages (1 for any alignment up to a page); the place lies in [vstart, vend).
 * C: __alloc_vmap_area(), va_alloc()
 */
export function alloc_free_area(
  f: FreeAreas,
  size: number,
  align: number,
  vstart: number,
  vend: number,
): number {
  const n = areaFor(f, size, align, vstart, vend);
  const at = n === 0 ? -1 : pageIn(f, n, size, align, vstart, vend);
  if (at >= 0) va_clip(f, n, at, size);
  return at;
}

/** What `alloc_free_area` would give; changes nothing. */
export function peek_free_area(
  f: FreeAreas,
  size: number,
  align: number,
  vstart: number,
  vend: number,
): number {
  const n = areaFor(f, size, align, vstart, vend);
  return n === 0 ? -1 : pageIn(f, n, size, align, vstart, vend);
}

/** Take exactly [at, at + size) out of the free space; false if part of it is not free. */
export function reserve(f: FreeAreas, at: number, size: number): boolean {
  const next = nextFree(f, at);
  const n = next === 0 ? f.tail : f.areas.prev[next]!;
  if (n === 0 || f.areas.start[n]! > at || f.areas.end[n]! < at + size) return false;
  va_clip(f, n, at, size);
  return true;
}

/** Take whatever of [start, end) is free. */
export function reserveAll(f: FreeAreas, start: number, end: number): void {
  for (;;) {
    const next = nextFree(f, end - 0.5);
    const n = next === 0 ? f.tail : f.areas.prev[next]!;
    if (n === 0 || f.areas.end[n]! <= start) return;
    const from = Math.max(start, f.areas.start[n]!);
    va_clip(f, n, from, Math.min(end, f.areas.end[n]!) - from);
  }
}
