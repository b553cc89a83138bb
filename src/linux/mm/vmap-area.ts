import { newArea, type VmapAreas } from './areas.js';
import { alloc_free_area, merge_or_add_vmap_area, peek_free_area } from './free-areas.js';
import { type PageMap, pageMap } from './page-map.js';
import { addLazy, node_alloc, peekPool, type VmapNodes, vmapNodes } from './vmap-nodes.js';

/** The address space vmalloc hands out: free ranges, pools, lazily freed and busy areas. */
export interface VmapSpace extends VmapNodes {
  /** VMALLOC_START and VMALLOC_END, in pages. */
  readonly vstart: number;
  readonly vend: number;
  /** Busy areas by their first page. C: the busy trees */
  readonly busy: PageMap;
  /** Pages that may be lazily free before a drain is due. C: lazy_max_pages() */
  lazy_max: number;
}

/** What a space is made for. */
export interface SpaceOptions {
  readonly vstart: number;
  readonly vend: number;
  readonly possibleCpus: number;
  readonly onlineCpus?: number;
  /** Short pools are drained whole (6.12). */
  readonly drainShortPools: boolean;
  readonly pageShift?: number;
}

/** fls(online CPUs) * 32 MiB, in pages. C: lazy_max_pages() */
export const lazy_max_pages = (onlineCpus: number, pageShift: number): number =>
  (Math.floor(Math.log2(onlineCpus)) + 1) * 2 ** (25 - pageShift);

/** A space in which nothing is free yet; see `addFree`. */
export function vmapSpace(o: SpaceOptions, areas: VmapAreas): VmapSpace {
  return Object.assign(vmapNodes(areas, o.possibleCpus, o.drainShortPools), {
    vstart: o.vstart,
    vend: o.vend,
    busy: pageMap(),
    lazy_max: lazy_max_pages(o.onlineCpus ?? o.possibleCpus, o.pageShift ?? 12),
  });
}

/** First and last page of the address space: half a page stands for the byte that is left out. */
export const FIRST_PAGE = 0.5;
export const LAST_PAGE = 2 ** 52 - 0.5;

/**
 * Make everything free but the early areas, given as sorted page ranges. The kernel does the same
 * with its vmlist. C: vmap_init_free_space()
 */
export function vmap_init_free_space(
  v: VmapSpace,
  early: readonly (readonly [start: number, end: number])[],
  last = LAST_PAGE,
): void {
  let at = FIRST_PAGE;
  for (const [start, end] of early) {
    if (start > at) addFree(v, at, start);
    at = Math.max(at, end);
  }
  if (at < last) addFree(v, at, last);
}

/** Make the pages [start, end) free. */
export function addFree(v: VmapSpace, start: number, end: number): void {
  merge_or_add_vmap_area(v.free, newArea(v.areas, start, end));
}

/** Do the bounds allow the pools? C: node_alloc() */
const whole = (v: VmapSpace, vstart: number, vend: number): boolean =>
  vstart === v.vstart && vend === v.vend && v.nodes.length > 1;

/**
 * Take `size` pages (guard page included), aligned to `align` pages, in [vstart, vend): the area, now
 * busy, or 0 if there is no room. `cpu` is where the caller runs.
 * C: alloc_vmap_area(), without the purge and retry when there is no room
 */
export function alloc_vmap_area(
  v: VmapSpace,
  size: number,
  align: number,
  vstart: number,
  vend: number,
  cpu: number,
): number {
  let va = 0;
  let vn = 0;
  if (whole(v, vstart, vend)) {
    va = node_alloc(v, cpu, size, align);
    vn = (cpu % v.nodes.length) + 1;
  }
  if (va === 0) {
    const at = alloc_free_area(v.free, size, align, vstart, vend);
    if (at < 0) return 0;
    va = newArea(v.areas, at, at + size);
  }
  v.areas.vn[va] = vn;
  v.busy.set(v.areas.start[va]!, va);
  return va;
}

/** First page of the area `alloc_vmap_area` would give, -1 if none; changes nothing. */
export function peek_vmap_area(
  v: VmapSpace,
  size: number,
  align: number,
  vstart: number,
  vend: number,
  cpu: number,
): number {
  const va = whole(v, vstart, vend) ? peekPool(v, cpu, size, align) : 0;
  return va !== 0 ? v.areas.start[va]! : peek_free_area(v.free, size, align, vstart, vend);
}

/**
 * The busy area `va` becomes lazily free: its addresses stay taken until a purge. Gives the pages
 * lazily free with it; above `lazy_max` a drain is due. C: free_vmap_area_noflush()
 */
export function free_vmap_area_noflush(v: VmapSpace, va: number): number {
  v.busy.delete(v.areas.start[va]!);
  return addLazy(v, va);
}
