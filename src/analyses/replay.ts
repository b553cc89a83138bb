import { type Geometry, geometry, VA_BITS } from '../linux/arm64/geometry.js';
import { layout } from '../linux/arm64/layout.js';
import { type PageTables, pageTables } from '../linux/arm64/pgtable.js';
import { freeArea, newArea, vmapAreas } from '../linux/mm/areas.js';
import { merge_or_add_vmap_area, reserve, reserveAll } from '../linux/mm/free-areas.js';
import {
  alloc_vmap_area,
  peek_vmap_area,
  type VmapSpace,
  vmap_init_free_space,
  vmapSpace,
} from '../linux/mm/vmap-area.js';
import { dropFromPool, moveHeadToTail, pooled } from '../linux/mm/vmap-nodes.js';
import { vmap_range_noflush, vunmap_range_noflush } from '../linux/mm/vmap-range.js';
import type { Effect } from './replay-purges.js';
import type { AllocOp, DecayOp, Op } from './vmalloc-op.js';

/** The model on its way through a trace. */
export interface Replay {
  readonly space: VmapSpace;
  readonly tables: PageTables;
  /** Stages of purges under way, in their order. */
  effects: Effect[];
  /** Nodes the purge under way has been to, before their lazy areas are taken off. */
  visits: DecayOp[];
  /** Did the purge under way need frees in an order other than that of their events? */
  reordered: boolean;
  /** Does the purge under way empty the pools? */
  full: boolean;
  /** The purge under way, as the model sees it. */
  purge: { start: number; end: number; areas: number };
}

/** Granule and VA size whose layout has this vmalloc range; 4K and 48 bits if none has. */
export function geometryFor(vstart4k: number, vend4k: number): Geometry {
  for (const granule of ['4K', '16K', '64K'] as const)
    for (const bits of VA_BITS[granule]) {
      const l = layout(geometry(granule, bits));
      if (Number(l.VMALLOC_START >> 12n) === vstart4k && Number(l.VMALLOC_END >> 12n) === vend4k)
        return geometry(granule, bits);
    }
  return geometry();
}

/** The range most allocations ask for: VMALLOC_START to VMALLOC_END; undefined if there is no allocation. */
export function vmallocRange(ops: readonly Op[]): { vstart: number; vend: number } | undefined {
  const seen = new Map<string, { vstart: number; vend: number; n: number }>();
  for (const op of ops) {
    if (op.kind !== 'alloc') continue;
    const key = `${op.vstart} ${op.vend}`;
    const range = seen.get(key) ?? { vstart: op.vstart, vend: op.vend, n: 0 };
    range.n++;
    seen.set(key, range);
  }
  return [...seen.values()].sort((a, b) => b.n - a.n)[0];
}

/**
 * What was taken before the first allocation: the kernel image at VMALLOC_START. It ends where the
 * lowest allocation begins; first fit leaves nothing between them that matters.
 */
export function imageFrom(
  ops: readonly Op[],
  range: { vstart: number; vend: number },
): [number, number][] {
  let lowest = Number.POSITIVE_INFINITY;
  for (const op of ops)
    if (op.kind === 'alloc' && op.vstart === range.vstart && op.at >= 0)
      lowest = Math.min(lowest, op.at);
  return lowest > range.vstart && lowest < range.vend ? [[range.vstart, lowest]] : [];
}

/** A model whose free space is all but `early`; sizes in pages of `g`. */
export function newReplay(
  g: Geometry,
  range: { vstart: number; vend: number },
  early: readonly [number, number][],
  cpus: number,
  drainShortPools: boolean,
): Replay {
  const space = vmapSpace(
    { ...range, possibleCpus: cpus, drainShortPools, pageShift: g.pageShift },
    vmapAreas(),
  );
  vmap_init_free_space(space, early);
  const tables = pageTables(g);
  for (const [start, end] of early) layTables(tables, start, end);
  return {
    space,
    tables,
    effects: [],
    visits: [],
    reordered: false,
    full: false,
    purge: noPurge(),
  };
}

/** Early areas are mapped, by pages for all that is known: their slots have PTE tables. */
function layTables(t: PageTables, start: number, end: number): void {
  const block = t.geometry.pmd_pages;
  for (let at = Math.floor(start / block) * block; at < end; at += block) {
    vmap_range_noflush(t, at, 1, 1, { prot: 0, maxShift: 0, cont: false });
    vunmap_range_noflush(t, at, 1);
  }
}

/** A purge that has found nothing yet. */
export const noPurge = () => ({ start: Number.POSITIVE_INFINITY, end: 0, areas: 0 });

/** Where the model would put `op` if it ran on `cpu` now. */
export const peek = (r: Replay, op: AllocOp, cpu = op.cpu): number =>
  peek_vmap_area(r.space, op.size, op.align, op.vstart, op.vend, cpu);

/** Let the model allocate for `op` on `cpu`. */
export const take = (r: Replay, op: AllocOp, cpu = op.cpu): number =>
  alloc_vmap_area(r.space, op.size, op.align, op.vstart, op.vend, cpu);

/**
 * An area that no event took (per-CPU memory, or from before the trace) is freed: take it now. Its size
 * is what the count of lazy pages grows by; undefined if that says nothing.
 */
export function adopt(r: Replay, at: number, size: number): number | undefined {
  const { space } = r;
  if (!(size > 0 && size < 2 ** 36)) return undefined;
  if (!reserve(space.free, at, size)) {
    vacate(r, at, at + size);
    reserveAll(space.free, at, at + size);
  }
  const va = newArea(space.areas, at, at + size);
  space.busy.set(at, va);
  return va;
}

/** Where the model had the place that the kernel gave `op`. */
export type Whereabouts = 'free' | 'pool' | 'lazy' | 'purging' | 'busy' | 'beyond';

/** Give everything that lies in [start, end) to the free space, wherever the model has it. */
function vacate(r: Replay, start: number, end: number): Whereabouts {
  const { space } = r;
  const a = space.areas;
  let where: Whereabouts = 'beyond';
  const hits = (va: number) => a.start[va]! < end && a.end[va]! > start;
  const release = (va: number, from: Whereabouts) => {
    merge_or_add_vmap_area(space.free, va);
    where = from;
  };
  for (const vn of space.nodes)
    for (const list of ['lazy', 'purging'] as const)
      for (const va of vn[list].filter(hits)) {
        vn[list] = vn[list].filter((x) => x !== va);
        space.lazy_nr -= a.end[va]! - a.start[va]!;
        release(va, list);
      }
  for (const va of [...pooled(space)].filter(hits)) {
    dropFromPool(space, va);
    release(va, 'pool');
  }
  for (const [at, va] of [...space.busy])
    if (hits(va)) {
      space.busy.delete(at);
      vunmap_range_noflush(r.tables, at, a.pages[va]!);
      release(va, 'busy');
    }
  return where;
}

/**
 * Take the place that the kernel really gave `op`, whatever the model thought of it, so that the
 * replay goes on from the real address. Says where the model had it.
 */
export function takeReal(r: Replay, op: AllocOp): Whereabouts {
  const { space } = r;
  let where: Whereabouts = 'free';
  if (!reserve(space.free, op.at, op.size)) {
    where = vacate(r, op.at, op.at + op.size);
    reserveAll(space.free, op.at, op.at + op.size);
  }
  const va = newArea(space.areas, op.at, op.at + op.size);
  const wholeRange = op.vstart === space.vstart && op.vend === space.vend;
  if (wholeRange && space.nodes.length > 1) space.areas.vn[va] = (op.cpu % space.nodes.length) + 1;
  space.busy.set(op.at, va);
  return where;
}

/** The kernel passed over the first area of a pool: it lies further back, so that the replay finds its way again. */
export function backOfPool(r: Replay, passed: number): void {
  const { nodes, areas } = r.space;
  for (const vn of nodes) {
    const i = vn.head.findIndex((va) => va !== 0 && areas.start[va] === passed);
    if (i >= 0) moveHeadToTail(areas, vn, i);
  }
}

/**
 * The kernel passed over a place that is free in the model, or at the head of a pool: it was taken
 * before the trace began, or by an event that was lost. Takes what lies from there to the real place,
 * or to the end of the free range.
 */
export function learn(r: Replay, passed: number, real: number): void {
  const { free, areas: a } = r.space;
  for (const va of pooled(r.space))
    if (a.start[va] === passed) {
      dropFromPool(r.space, va);
      freeArea(a, va);
      return;
    }
  if (passed < 0 || real <= passed) return;
  for (let n = free.head; n !== 0; n = a.next[n]!)
    if (a.start[n]! <= passed && passed < a.end[n]!) {
      reserve(free, passed, Math.min(real, a.end[n]!) - passed);
      return;
    }
}
