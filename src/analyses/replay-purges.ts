import { type FreeAreas, freeAreas } from '../linux/mm/free-areas.js';
import {
  decay_va_pool_node,
  decayPool,
  MAX_VA_SIZE_PAGES,
  populatePools,
  purge_vmap_node,
  reclaimDecayed,
  type VmapNode,
} from '../linux/mm/vmap-nodes.js';
import { noPurge, type Replay } from './replay.js';
import type { AllocOp, DecayOp, PurgeOp, ReleaseOp } from './vmalloc-op.js';

/** A stage of a purge that has begun and may not be done yet. */
export interface Effect {
  readonly what: 'decay' | 'release';
  readonly node: number;
  readonly full: boolean;
  readonly op: DecayOp | ReleaseOp;
  /** Of a decay that is known to be done in part: pools done, and what they gave up. */
  part: { readonly pools: Set<number>; readonly decayed: FreeAreas } | undefined;
}

/** Do what is left of a stage in the model. */
export function perform(r: Replay, e: Effect): void {
  r.effects = r.effects.filter((x) => x !== e);
  const { space } = r;
  if (e.what === 'release') {
    purge_vmap_node(space, e.node, e.full);
    return;
  }
  if (!e.part) {
    decay_va_pool_node(space, e.node, e.full);
    return;
  }
  const { pools, decayed } = e.part;
  for (let i = 0; i < MAX_VA_SIZE_PAGES; i++)
    if (!pools.has(i)) decayPool(space, space.nodes[e.node]!, i, e.full, decayed);
  reclaimDecayed(space, decayed);
}

const nodesOf = (r: Replay, node: number): number[] =>
  node >= 0 ? [node] : r.space.nodes.map((_, i) => i);

/** The trace shows that stages begin: they are surely done when their task is seen again. Gives them. */
export function begin(r: Replay, op: DecayOp | ReleaseOp): Effect[] {
  const what = op.kind;
  const begun: Effect[] = [];
  if (op.kind === 'decay') {
    r.full = op.full;
    r.visits.push(op);
  }
  for (const node of nodesOf(r, op.node)) {
    if (node >= r.space.nodes.length) continue;
    begun.push({ what, node, full: r.full, op, part: undefined });
  }
  r.effects.push(...begun);
  return begun;
}

/** Stages that must be done before place `n` of the trace, in their order. */
export const due = (r: Replay, n: number): readonly Effect[] =>
  r.effects.length === 0 ? r.effects : r.effects.filter((e) => e.op.until <= n);

/** Is [start, end) among the areas of `list`, at least in part? */
const overlaps = (r: Replay, list: readonly number[], start: number, end: number): boolean => {
  const a = r.space.areas;
  return list.some((va) => a.start[va]! < end && a.end[va]! > start);
};

function* pooledIn(r: Replay, vn: VmapNode): Generator<number> {
  for (let i = 0; vn.pooled > 0 && i < MAX_VA_SIZE_PAGES; i++)
    for (let va = vn.head[i]!; va !== 0; va = r.space.areas.next[va]!) yield va;
}

function decayOf(r: Replay, e: Effect, size: number): string {
  e.part ??= { pools: new Set(), decayed: freeAreas(r.space.areas) };
  if (size > MAX_VA_SIZE_PAGES || e.part.pools.has(size - 1)) return '';
  e.part.pools.add(size - 1);
  decayPool(r.space, r.space.nodes[e.node]!, size - 1, e.full, e.part.decayed);
  return `a purge on CPU ${e.op.cpu} had thinned that pool`;
}

/**
 * Let a purge that is at work do what it must have done for `op` to get its real place on `cpu`: the pool
 * was filled up to it, or its node's part is over. Says what was assumed; '' if nothing helps.
 */
export function advance(r: Replay, op: AllocOp, cpu: number): string {
  const { space } = r;
  const a = space.areas;
  const end = op.at + op.size;
  const mine = cpu % space.nodes.length;
  for (const e of r.effects) {
    const vn = space.nodes[e.node]!;
    if (e.what === 'release') {
      const va = vn.purging.find((x) => a.start[x] === op.at && a.end[x] === end);
      if (va !== undefined && e.node === mine && !e.full && a.vn[va] !== 0) {
        populatePools(space, e.node, va);
        return `a purge on CPU ${e.op.cpu} was filling that pool`;
      }
      if (!overlaps(r, vn.purging, op.at, end)) continue;
    } else {
      const pool = space.nodes.length > 1 && op.size <= MAX_VA_SIZE_PAGES;
      const inPool = pool && vn.len[op.size - 1]! > 0 && e.node === mine;
      if (inPool && [...poolOf(r, vn, op.size)].some((va) => a.start[va] === op.at)) {
        const thinned = decayOf(r, e, op.size);
        if (thinned) return thinned;
      }
      const gone = e.part ? [...inOrderOf(r, e.part.decayed)] : [];
      if (!overlaps(r, [...pooledIn(r, vn), ...gone], op.at, end)) continue;
    }
    perform(r, e);
    return `a purge on CPU ${e.op.cpu} was at work`;
  }
  return '';
}

/** Areas of the pool of `size` pages, the first one first. */
export function* poolOf(r: Replay, vn: VmapNode, size: number): Generator<number> {
  for (let va = vn.head[size - 1]!; va !== 0; va = r.space.areas.next[va]!) yield va;
}

function* inOrderOf(r: Replay, f: FreeAreas): Generator<number> {
  for (let va = f.head; va !== 0; va = r.space.areas.next[va]!) yield va;
}

/** The decay that may have taken the pool of `op` off for a moment. */
export const thinning = (r: Replay, cpu: number): Effect | undefined =>
  r.effects.find((e) => e.what === 'decay' && e.node === cpu % r.space.nodes.length);

/** How the end of a purge compares with the model. */
export interface PurgeResult {
  readonly exact: boolean;
  readonly predicted: string;
  readonly real: string;
  readonly because: string;
}

const text = (r: Replay, areas: number, start: number, end: number): string =>
  areas === 0 ? 'nothing' : `${areas} areas, ${hex(r, start)}-${hex(r, end)}`;

/** Page `page` of the model as an address; 'none' below 0. */
export const hex = (r: Replay, page: number): string =>
  page < 0
    ? 'none'
    : `0x${(BigInt(page) << BigInt(r.tables.geometry.pageShift)).toString(16).padStart(16, '0')}`;

/**
 * Is the edge of the flushed range what the lazy areas say? It may lie further out where the flush
 * covers more: the linear mapping of pages whose permissions are reset (vm_reset_perms), and the
 * dirty part of vm_map_ram() blocks in use (vm_unmap_aliases).
 */
function edgeFits(r: Replay, model: number, real: number, outwards: 1 | -1): boolean {
  if (real === model) return true;
  if ((real - model) * outwards < 0) return false;
  const { areas, busy, vstart } = r.space;
  const modules = vstart - 2 ** (31 - r.tables.geometry.pageShift);
  if (real < modules) return true; // the linear mapping lies below

  for (const va of busy.values()) {
    const from = areas.start[va]!;
    if (areas.pages[va] === 0 && from <= real && real <= areas.end[va]!) return true;
  }
  return false;
}

/** A purge ends: all its stages are done. Compares what was purged. */
export function endPurge(r: Replay, op: PurgeOp): PurgeResult {
  for (let i = 0; i < r.space.nodes.length; i++) purge_vmap_node(r.space, i, r.full);
  const { start, end, areas } = r.purge;
  r.purge = noPurge();
  r.full = false;
  const exact =
    areas === op.areas &&
    (areas === 0 || (edgeFits(r, start, op.start, -1) && edgeFits(r, end, op.end, 1)));
  const because =
    areas < op.areas
      ? 'areas were taken off whose free events come later'
      : areas > op.areas
        ? 'the lazy areas were taken off before the last frees'
        : 'the flush covers more than the lazy areas (vm_map_ram blocks)';
  return {
    exact,
    predicted: text(r, areas, start, end),
    real: text(r, op.areas, op.start, op.end),
    because: exact ? '' : because,
  };
}
