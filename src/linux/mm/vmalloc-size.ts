import type { Geometry } from '../arm64/geometry.js';
import type { Era } from '../eras.js';
import type { Gfp } from './gfp.js';

/** May be mapped by blocks. C: VM_ALLOW_HUGE_VMAP */
export const VM_ALLOW_HUGE_VMAP = 0x400;
/** No guard page. C: VM_NO_GUARD */
export const VM_NO_GUARD = 0x40;

/** What a call of __vmalloc_node_range() asks alloc_vmap_area() for, in pages. */
export interface Shape {
  /** Order of the mapping unit: 0 pages, above: contiguous groups or blocks. */
  readonly order: number;
  /** Pages that are mapped. */
  readonly pages: number;
  /** Pages of the area, guard page included. */
  readonly size: number;
  readonly align: number;
}

/** What a call may ask beside size, alignment and flags. */
export interface Ask {
  readonly vstart?: number;
  readonly vend?: number;
  readonly anyNode?: boolean;
  /** Left out: GFP_KERNEL, and the events do not tell. */
  readonly gfp?: Gfp;
  /** What if blocks were allowed for callers that cannot block? No kernel does that. */
  readonly whatIf?: boolean;
}

/** What decides the shape of an area beside the request. */
export interface SizeRules {
  readonly geometry: Geometry;
  readonly era: Era;
  /** Are blocks allowed at all: command line, configuration? C: vmap_allow_huge, arch_vmap_pmd_supported() */
  readonly huge: boolean;
  /** NUMA nodes online. */
  readonly nodes: number;
}

/** Order of the largest unit for `size_bytes`. C: __vmalloc_node_range_noprof() */
function orderOf(r: SizeRules, size_bytes: number, flags: number, anyNode: boolean): number {
  if (!r.huge || (flags & VM_ALLOW_HUGE_VMAP) === 0) return 0;
  const { geometry: g, era } = r;
  const s = anyNode && era.dividesByNodes ? Math.floor(size_bytes / r.nodes) : size_bytes;
  if (s >= g.pmd_pages * g.pageSize_bytes) return g.shift[1]!;
  const cont = era.contpte && s >= g.contPte_pages * g.pageSize_bytes;
  return cont ? Math.log2(g.contPte_pages) : 0;
}

/**
 * The area for a request. `order0`: the second attempt, at base pages, when the first found no room or
 * no memory. `anyNode`: NUMA_NO_NODE.
 * C: __vmalloc_node_range_noprof(), __get_vm_area_node()
 */
export function shapeOf(
  r: SizeRules,
  size_bytes: number,
  align_bytes: number,
  flags: number,
  order0 = false,
  anyNode = true,
): Shape {
  const page = r.geometry.pageSize_bytes;
  const order = order0 ? 0 : orderOf(r, size_bytes, flags, anyNode);
  const unit = 2 ** order;
  const pages = Math.ceil(size_bytes / (page * unit)) * unit;
  return {
    order,
    pages,
    size: pages + ((flags & VM_NO_GUARD) === 0 ? 1 : 0),
    align: Math.max(unit, align_bytes / page, 1),
  };
}

/** Alignment of an ioremap: its size rounded up to a power of two, at most IOREMAP_MAX_ORDER. In bytes. */
export function ioremapAlign(g: Geometry, size_bytes: number): number {
  const most = g.pageSize_bytes * 2 ** (g.pudBlock ? g.shift[2]! : g.shift[1]!);
  const order = Math.ceil(Math.log2(size_bytes));
  return Math.min(Math.max(2 ** order, g.pageSize_bytes), most);
}

/** Bytes of the page array of an area; above a page it is vmalloced itself. C: __vmalloc_area_node() */
export const arrayBytes = (pages: number): number => pages * 8;
