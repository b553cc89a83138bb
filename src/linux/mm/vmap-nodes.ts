import type { VmapAreas } from './areas.js';
import { type FreeAreas, freeAreas, merge_or_add_vmap_area } from './free-areas.js';

/** Largest area a pool takes, in pages, guard page included. */
export const MAX_VA_SIZE_PAGES = 256;
/** Most vmap nodes there are, whatever the number of CPUs. */
export const MAX_VMAP_NODES = 128;
/** Pages of one zone: which node looks after an area without a node id. C: vmap_zone_size */
const ZONE_PAGES = 16;

/** A vmap node: its pools, and what was freed but not purged. C: struct vmap_node */
export interface VmapNode {
  /** First area of the pool of `i + 1` pages, 0 if empty. */
  readonly head: Int32Array;
  readonly tail: Int32Array;
  readonly len: Int32Array;
  /** Areas in all pools. */
  pooled: number;
  /** Freed areas in the order they came; sorted when purged. C: lazy */
  lazy: number[];
  /** Areas taken off `lazy` by a purge that has not put them back yet. C: purge_list */
  purging: number[];
}

/** Free space, pools and lazily freed areas of a run. */
export interface VmapNodes {
  readonly areas: VmapAreas;
  readonly free: FreeAreas;
  readonly nodes: VmapNode[];
  /** Pages freed and not purged, guard pages included. C: vmap_lazy_nr */
  lazy_nr: number;
  /** Fewer than 4 areas in a pool leave it together, not a quarter of them (6.12). */
  readonly drainShortPools: boolean;
}

/** What a purge did; `start` and `end` are pages, Infinity and 0 if there was nothing. */
export interface Purged {
  start: number;
  end: number;
  areas: number;
}

const vmapNode = (): VmapNode => ({
  head: new Int32Array(MAX_VA_SIZE_PAGES),
  tail: new Int32Array(MAX_VA_SIZE_PAGES),
  len: new Int32Array(MAX_VA_SIZE_PAGES),
  pooled: 0,
  lazy: [],
  purging: [],
});

/** How many nodes a machine with that many possible CPUs has; one node means no pools. C: vmap_init_nodes() */
export const nr_vmap_nodes = (possibleCpus: number): number =>
  Math.min(Math.max(possibleCpus, 1), MAX_VMAP_NODES);

/** Nodes with empty pools, and no free space yet. */
export const vmapNodes = (
  areas: VmapAreas,
  possibleCpus: number,
  drainShortPools: boolean,
): VmapNodes => ({
  areas,
  free: freeAreas(areas),
  nodes: Array.from({ length: nr_vmap_nodes(possibleCpus) }, vmapNode),
  lazy_nr: 0,
  drainShortPools,
});

/** Take the first area of the pool if it is aligned; else move it to the end and give 0. C: node_pool_del_va() */
function node_pool_del_va(a: VmapAreas, vn: VmapNode, size: number, align: number): number {
  const i = size - 1;
  const va = vn.head[i]!;
  if (va === 0) return 0;
  if (align > 1 && a.start[va]! % align !== 0) {
    moveHeadToTail(a, vn, i);
    return 0;
  }
  const next = a.next[va]!;
  vn.head[i] = next;
  if (next === 0) vn.tail[i] = 0;
  else a.prev[next] = 0;
  vn.len[i]!--;
  vn.pooled--;
  return va;
}

/** The first area of pool `i` becomes its last. */
export function moveHeadToTail(a: VmapAreas, vn: VmapNode, i: number): void {
  const va = vn.head[i]!;
  const tail = vn.tail[i]!;
  if (va === tail) return;
  const next = a.next[va]!;
  vn.head[i] = next;
  a.prev[next] = 0;
  a.next[tail] = va;
  a.prev[va] = tail;
  a.next[va] = 0;
  vn.tail[i] = va;
}

/**
 * An area of `size` pages from the pools of `cpu`, 0 if there is none that fits. The caller has
 * checked that the whole vmalloc range is allowed.
 * C: node_alloc()
 */
export function node_alloc(v: VmapNodes, cpu: number, size: number, align: number): number {
  if (size > MAX_VA_SIZE_PAGES || v.nodes.length === 1) return 0;
  return node_pool_del_va(v.areas, v.nodes[cpu % v.nodes.length]!, size, align);
}

/** The first area of that pool if `node_alloc` would take it, else 0; changes nothing. */
export function peekPool(v: VmapNodes, cpu: number, size: number, align: number): number {
  if (size > MAX_VA_SIZE_PAGES || v.nodes.length === 1) return 0;
  const va = v.nodes[cpu % v.nodes.length]!.head[size - 1]!;
  return va !== 0 && (align <= 1 || v.areas.start[va]! % align === 0) ? va : 0;
}

/** Take area `va` out of the pools wherever it is in them; false if it is in none. */
export function dropFromPool(v: VmapNodes, va: number): boolean {
  const a = v.areas;
  const i = a.end[va]! - a.start[va]! - 1;
  for (const vn of v.nodes) {
    for (let at = vn.head[i] ?? 0; at !== 0; at = a.next[at]!) {
      if (at !== va) continue;
      const p = a.prev[va]!;
      const q = a.next[va]!;
      if (p === 0) vn.head[i] = q;
      else a.next[p] = q;
      if (q === 0) vn.tail[i] = p;
      else a.prev[q] = p;
      vn.len[i]!--;
      vn.pooled--;
      return true;
    }
  }
  return false;
}

/** Every area in a pool. */
export function* pooled(v: VmapNodes): Generator<number> {
  for (const vn of v.nodes)
    for (let i = 0; vn.pooled > 0 && i < MAX_VA_SIZE_PAGES; i++)
      for (let va = vn.head[i]!; va !== 0; va = v.areas.next[va]!) yield va;
}

/** C: node_pool_add_va() */
function node_pool_add_va(a: VmapAreas, vn: VmapNode, va: number): boolean {
  const i = a.end[va]! - a.start[va]! - 1;
  if (i >= MAX_VA_SIZE_PAGES) return false;
  const head = vn.head[i]!;
  a.next[va] = head;
  a.prev[va] = 0;
  if (head === 0) vn.tail[i] = va;
  else a.prev[head] = va;
  vn.head[i] = va;
  vn.len[i]!++;
  vn.pooled++;
  return true;
}

/** The node whose lazy list takes area `va`. C: free_vmap_area_noflush(), addr_to_node() */
export function lazyNode(v: VmapNodes, va: number): number {
  const id = v.areas.vn[va]!;
  return id > 0 ? id - 1 : Math.floor(v.areas.start[va]! / ZONE_PAGES) % v.nodes.length;
}

/** Put a freed area on the lazy list of its node; gives the lazy pages with it. */
export function addLazy(v: VmapNodes, va: number): number {
  v.nodes[lazyNode(v, va)]!.lazy.push(va);
  v.lazy_nr += v.areas.end[va]! - v.areas.start[va]!;
  return v.lazy_nr;
}

/** Give the areas to the free space in this order. C: reclaim_list_global() */
function reclaim_list_global(v: VmapNodes, list: readonly number[]): void {
  for (let i = 0; i < list.length; i++) merge_or_add_vmap_area(v.free, list[i]!);
}

/** Take a quarter of pool `i` of `vn` from its head, or all of it, into `decayed`. */
export function decayPool(
  v: VmapNodes,
  vn: VmapNode,
  i: number,
  full: boolean,
  decayed: FreeAreas,
): void {
  if (vn.len[i] === 0) return;
  let n = full ? vn.len[i]! : vn.len[i]! >> 2;
  if (n === 0 && v.drainShortPools) n = vn.len[i]!;
  vn.len[i]! -= n;
  vn.pooled -= n;
  let va = vn.head[i]!;
  for (; n > 0; n--) {
    const next = v.areas.next[va]!;
    merge_or_add_vmap_area(decayed, va);
    va = next;
  }
  vn.head[i] = va;
  if (va === 0) vn.tail[i] = 0;
  else v.areas.prev[va] = 0;
}

/** Give everything in `decayed` to the free space, lowest first. */
export const reclaimDecayed = (v: VmapNodes, decayed: FreeAreas): void =>
  reclaim_list_global(v, inOrder(decayed));

/**
 * Give part of the pools of node `index` back to the free space: a quarter of each from its head, or
 * all. C: decay_va_pool_node()
 */
export function decay_va_pool_node(v: VmapNodes, index: number, full: boolean): void {
  const vn = v.nodes[index]!;
  if (vn.pooled === 0) return;
  const decayed = freeAreas(v.areas);
  for (let i = 0; i < MAX_VA_SIZE_PAGES; i++) decayPool(v, vn, i, full, decayed);
  reclaimDecayed(v, decayed);
}

function inOrder(f: FreeAreas): number[] {
  const list: number[] = [];
  for (let va = f.head; va !== 0; va = f.areas.next[va]!) list.push(va);
  return list;
}

/** Move the lazy areas of node `index` that are `taken` to its purge list, by address. Gives how many that are. */
export function detachLazy(v: VmapNodes, index: number, taken?: (va: number) => boolean): number {
  const vn = v.nodes[index]!;
  if (vn.lazy.length === 0) return 0;
  const { start } = v.areas;
  vn.purging = (taken ? vn.lazy.filter(taken) : vn.lazy).sort((x, y) => start[x]! - start[y]!);
  vn.lazy = taken ? vn.lazy.filter((va) => !taken(va)) : [];
  return vn.purging.length;
}

/** The areas of the purge list of node `index` up to `last` that its pools take: they are in the pools now. */
export function populatePools(v: VmapNodes, index: number, last: number): void {
  const vn = v.nodes[index]!;
  const { start, end, vn: id } = v.areas;
  vn.purging = vn.purging.filter((va) => {
    if (start[va]! > start[last]! || id[va] === 0 || !node_pool_add_va(v.areas, vn, va))
      return true;
    v.lazy_nr -= end[va]! - start[va]!;
    return false;
  });
}

/**
 * Give the areas on the purge list of node `index` to its pools, lowest first, and what the pools do
 * not take to the free space, highest first. C: purge_vmap_node()
 */
export function purge_vmap_node(v: VmapNodes, index: number, full: boolean): number {
  const vn = v.nodes[index]!;
  const list = vn.purging;
  const { areas } = v;
  const back: number[] = [];
  vn.purging = [];
  for (let i = 0; i < list.length; i++) {
    const va = list[i]!;
    v.lazy_nr -= areas.end[va]! - areas.start[va]!;
    if (areas.vn[va] === 0 || full || !node_pool_add_va(areas, vn, va)) back.push(va);
  }
  reclaim_list_global(v, back.reverse());
  return list.length;
}

/** Purge all nodes at once. C: __purge_vmap_area_lazy() */
export function purge_vmap_area_lazy(v: VmapNodes, full: boolean): Purged {
  const done: Purged = { start: Number.POSITIVE_INFINITY, end: 0, areas: 0 };
  for (let i = 0; i < v.nodes.length; i++) {
    decay_va_pool_node(v, i, full);
    if (detachLazy(v, i) > 0) envelope(v, i, done);
  }
  for (let i = 0; i < v.nodes.length; i++) done.areas += purge_vmap_node(v, i, full);
  return done;
}

/** Widen [start, end) of a purge by the purge list of node `index`. */
export function envelope(v: VmapNodes, index: number, done: Purged): void {
  const list = v.nodes[index]!.purging;
  const { start, end } = v.areas;
  done.start = Math.min(done.start, start[list[0]!]!);
  done.end = Math.max(done.end, end[list[list.length - 1]!]!);
}
