import { entriesAt, type Geometry } from '../arm64/geometry.js';
import { foldedTop } from '../arm64/swapper.js';
import { eras } from '../eras.js';
import type { Place } from '../step.js';
import { lock, type System, table } from '../system.js';
import type { WorkItem } from '../workqueue.js';
import { type CachedStacks, cachedStacks } from './cached-stacks.js';
import { type Kmalloc, newKmalloc } from './kmalloc.js';
import { framesOf, type Machine, spaceOf } from './machine.js';
import type { PageAllocator } from './page-alloc.js';
import type { SizeRules } from './vmalloc-size.js';
import type { VmapSpace } from './vmap-area.js';
import { type VmapBlocks, vmapBlockPages, vmapBlocks } from './vmap-block.js';

/**
 * vmalloc on a system: its locks and page tables lie in `sys.cells`, its trees and lists beside them.
 * Everything the generators of mm/vmalloc.ts know.
 */
export interface VmallocState extends SizeRules {
  readonly sys: System;
  readonly space: VmapSpace;
  readonly frames: PageAllocator;
  readonly blocks: VmapBlocks;
  /** Top table of init_mm. */
  readonly top: Place;
  readonly locks: {
    readonly free_vmap_area_lock: Place;
    readonly vmap_purge_lock: Place;
    readonly page_table_lock: Place;
    /** Of the queues of vm_map_ram blocks, taken for all CPUs together. */
    readonly vmap_block: Place;
    /** By node. */
    readonly pool: readonly Place[];
    readonly busy: readonly Place[];
    readonly lazy: readonly Place[];
  };
  /** The work item that purges; undefined where a run has no workers: then the free that makes a drain due does it. */
  drain_vmap_work: WorkItem | undefined;
  /** Areas without frames of callers that cannot block: a worker frees them later. C: pending_vm_area_cleanup */
  readonly cleanup: number[];
  readonly kmalloc: Kmalloc;
  readonly cached_stacks: CachedStacks;
}

/** Lay out vmalloc for `m` on `sys` (which must be able to grow); `init_mm` is laid out if it is not there. */
export function vmallocOn(sys: System, m: Machine): VmallocState {
  const g = m.geometry;
  const era = m.era ?? eras['6.12'];
  const space = spaceOf(m);
  const perNode = (name: string) => space.nodes.map((_, i) => lock(sys, `${name} ${i}`));
  if (!sys.named.has('init_mm')) lock(sys, 'init_mm');
  foldedTop(sys, g);
  return {
    sys,
    geometry: g,
    era,
    huge: m.huge ?? true,
    nodes: m.nodes ?? 1,
    space,
    frames: framesOf(m),
    blocks: vmapBlocks(vmapBlockPages(g), m.cpus),
    top: table(sys, 'swapper_pg_dir', entriesAt(g, g.levels - 1)),
    locks: {
      free_vmap_area_lock: lock(sys, 'free_vmap_area_lock'),
      vmap_purge_lock: lock(sys, 'vmap_purge_lock'),
      page_table_lock: lock(sys, 'init_mm.page_table_lock'),
      vmap_block: lock(sys, 'vmap_block_queue.lock'),
      pool: perNode('pool_lock'),
      busy: perNode('busy.lock'),
      lazy: perNode('lazy.lock'),
    },
    drain_vmap_work: undefined,
    cleanup: [],
    kmalloc: newKmalloc(g, m.kmalloc_max_bytes),
    cached_stacks: cachedStacks(m.cpus),
  };
}

/** Address of the first byte of `page`: a double holds every multiple of 2048. */
export const va = (vm: { geometry: Geometry }, page: number): number =>
  page * vm.geometry.pageSize_bytes;

/** Where a dump or a probe would see the entry `i` of the table at `table`: one page per table in the linear mapping. */
export const entryAddress = (table: Place, i: number): bigint =>
  BigInt(LINEAR + table * 0x10000) + BigInt(i * 8);
const LINEAR = 2 ** 64 - 2 ** 48;
