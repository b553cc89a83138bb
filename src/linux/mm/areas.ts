/**
 * Every `struct vmap_area` of a run: one id, one row of typed arrays. Ids are small integers, 0 is
 * "none". Addresses are page numbers (virtual address / page size, below 2^52), so a double is exact
 * for all 64 bits; half a page stands for the odd byte of the two ends of the address space, [1, ULONG_MAX).
 */
export interface VmapAreas {
  /** First page. */
  start: Float64Array;
  /** First page behind. */
  end: Float64Array;
  /** Largest size, in pages, in the subtree below (and with) this area. C: subtree_max_size */
  max: Float64Array;
  left: Int32Array;
  right: Int32Array;
  parent: Int32Array;
  /** 1: red, 0: black. */
  red: Uint8Array;
  /** Neighbours in the list this area is on: the free list by address, a pool, a purge list. */
  prev: Int32Array;
  next: Int32Array;
  /** Node whose lazy list and pool the area belongs to, plus 1; 0 if none. C: encode_vn_id() */
  vn: Int32Array;
  /** Of a busy area: pages mapped in it (no guard page). C: vm_struct.nr_pages */
  pages: Float64Array;
  /** Of a busy area: first frame; -1 if the frames are not the area's own. */
  pfn: Float64Array;
  /** Of a busy area: first page of its page array where that is vmalloced itself, else -1. C: vm_struct.pages */
  array: Float64Array;
  /** Head of the list of unused rows, linked through `next`. */
  spare: number;
  /** Rows handed out so far, used or spare. */
  high: number;
  /** Rows in use. */
  live: number;
}

const FIELDS = [
  'start', 'end', 'max', 'left', 'right', 'parent', 'red', 'prev', 'next', 'vn',
  'pages', 'pfn', 'array',
] as const; // biome-ignore format: a table

/** No areas, room for `capacity` before the first growth. */
export const vmapAreas = (capacity = 1024): VmapAreas => ({
  start: new Float64Array(capacity),
  end: new Float64Array(capacity),
  max: new Float64Array(capacity),
  left: new Int32Array(capacity),
  right: new Int32Array(capacity),
  parent: new Int32Array(capacity),
  red: new Uint8Array(capacity),
  prev: new Int32Array(capacity),
  next: new Int32Array(capacity),
  vn: new Int32Array(capacity),
  pages: new Float64Array(capacity),
  pfn: new Float64Array(capacity),
  array: new Float64Array(capacity),
  spare: 0,
  high: 1,
  live: 0,
});

type Column = Float64Array | Int32Array | Uint8Array;

function grow(a: VmapAreas): void {
  const size = a.start.length * 2;
  for (const field of FIELDS) {
    const old: Column = a[field];
    const bigger = new (old.constructor as new (n: number) => Column)(size);
    bigger.set(old as never);
    (a as unknown as Record<string, Column>)[field] = bigger;
  }
}

/** A new area [start, end), on no list and in no tree. The arrays of `a` may be replaced: read them after. */
export function newArea(a: VmapAreas, start: number, end: number): number {
  let id = a.spare;
  if (id !== 0) a.spare = a.next[id]!;
  else {
    if (a.high === a.start.length) grow(a);
    id = a.high++;
  }
  a.live++;
  a.start[id] = start;
  a.end[id] = end;
  a.prev[id] = 0;
  a.next[id] = 0;
  a.vn[id] = 0;
  a.pages[id] = 0;
  a.pfn[id] = -1;
  a.array[id] = -1;
  return id;
}

/** Give the row `id` back. C: kmem_cache_free(vmap_area_cachep) */
export function freeArea(a: VmapAreas, id: number): void {
  a.next[id] = a.spare;
  a.spare = id;
  a.live--;
}
