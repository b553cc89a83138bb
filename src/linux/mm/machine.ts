import { type Geometry, pageOf } from '../arm64/geometry.js';
import { layout } from '../arm64/layout.js';
import { type PageTables, pageTables } from '../arm64/pgtable.js';
import { type Era, eras } from '../eras.js';
import { vmapAreas } from './areas.js';
import { type CachedStacks, cachedStacks } from './cached-stacks.js';
import { type Kmalloc, newKmalloc } from './kmalloc.js';
import { maxPageOrder } from './max-order.js';
import { type PageAllocator, pageAllocator } from './page-alloc.js';
import type { SizeRules } from './vmalloc-size.js';
import { type VmapSpace, vmap_init_free_space, vmapSpace } from './vmap-area.js';
import { type VmapBlocks, vmapBlockPages, vmapBlocks } from './vmap-block.js';

/** A machine: kernel, geometry, CPUs, memory. */
export interface Machine {
  readonly era?: Era;
  readonly geometry: Geometry;
  /** Possible and online CPUs. */
  readonly cpus: number;
  readonly nodes?: number;
  /** Blocks allowed: nohugevmalloc, or CONFIG_PTDUMP_DEBUGFS in era A, switch them off. */
  readonly huge?: boolean;
  readonly memory_bytes?: number;
  /** Of it the page cache, which direct reclaim can free. */
  readonly cache_bytes?: number;
  /** Largest request kvmalloc() tries kmalloc() for; default and upper bound: KMALLOC_MAX_SIZE. */
  readonly kmalloc_max_bytes?: number;
  /** Chance that a block of frames cannot be had. */
  readonly fragmentation?: number;
  /** Pages the kernel image takes at VMALLOC_START. */
  readonly image_pages?: number;
  readonly seed?: number | string;
}

/** All state of vmalloc on one machine. */
export interface Vmalloc extends SizeRules {
  readonly space: VmapSpace;
  readonly tables: PageTables;
  readonly frames: PageAllocator;
  /** Asked before a table is replaced, in kernels with a trylock; absent: never refused. */
  mayReplace: (() => boolean) | undefined;
  /** Allocations between the free that makes a drain due and the drain; 0: at once. */
  drainLag: number;
  drainDue: number;
  readonly blocks: VmapBlocks;
  purges: number;
  allocations: number;
  /** Areas without frames of callers that cannot block: a worker frees them later. C: pending_vm_area_cleanup */
  readonly cleanup: number[];
  readonly kmalloc: Kmalloc;
  readonly cached_stacks: CachedStacks;
}

/** The frames of a machine. */
export function framesOf(m: Machine): PageAllocator {
  const page = m.geometry.pageSize_bytes;
  return pageAllocator((m.memory_bytes ?? 2 ** 34) / page, {
    fragmentation: m.fragmentation ?? 0,
    seed: m.seed,
    cache_pages: (m.cache_bytes ?? 0) / page,
    largeFirst: (m.era ?? eras['6.12']).triesLargeOrders,
    maxOrder: maxPageOrder(m.geometry),
  });
}

/** The vmalloc area at boot: everything free but the kernel image. */
export function spaceOf(m: Machine): VmapSpace {
  const g = m.geometry;
  const { drainShortPools } = m.era ?? eras['6.12'];
  const { pageShift } = g;
  const l = layout(g);
  const [vstart, vend] = [pageOf(g, l.VMALLOC_START), pageOf(g, l.VMALLOC_END)];
  const space = vmapSpace(
    { vstart, vend, possibleCpus: m.cpus, drainShortPools, pageShift },
    vmapAreas(),
  );
  const image: [number, number] = [vstart, vstart + (m.image_pages ?? 0)];
  vmap_init_free_space(space, [image], 2 ** (64 - pageShift) - 0.5);
  return space;
}

/** A machine at boot. */
export function bootMachine(m: Machine): Vmalloc {
  const g = m.geometry;
  const era = m.era ?? eras['6.12'];
  return {
    geometry: g,
    era,
    huge: m.huge ?? true,
    nodes: m.nodes ?? 1,
    space: spaceOf(m),
    tables: pageTables(g),
    frames: framesOf(m),
    mayReplace: undefined,
    drainLag: 0,
    drainDue: -1,
    blocks: vmapBlocks(vmapBlockPages(g), m.cpus),
    purges: 0,
    allocations: 0,
    cleanup: [],
    kmalloc: newKmalloc(g, m.kmalloc_max_bytes),
    cached_stacks: cachedStacks(m.cpus),
  };
}
