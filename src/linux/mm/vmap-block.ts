import type { Geometry } from '../arm64/geometry.js';

/** vm_map_ram() of more pages takes an area of its own. */
export const VMAP_MAX_ALLOC = 64;

/**
 * Pages of a block. C: VMAP_BBMAP_BITS, with 128 GiB of vmalloc space as the constant behind it
 */
export function vmapBlockPages(g: Geometry, NR_CPUS = 512): number {
  const space_pages = 2 ** (37 - g.pageShift);
  const pages = space_pages / 2 ** Math.ceil(Math.log2(NR_CPUS)) / 16;
  return Math.min(1024, Math.max(128, pages));
}

/** An area that vm_map_ram() hands out in pieces. C: struct vmap_block */
export interface VmapBlock {
  /** First page. */
  readonly at: number;
  /** Pages never handed out yet. */
  free: number;
  /** Pages that came back. */
  dirty: number;
}

/** The blocks of all CPUs. */
export interface VmapBlocks {
  readonly pages: number;
  /** By CPU, those with pages left, oldest first. C: vmap_block_queue.free */
  readonly open: VmapBlock[][];
  /** Every block by its first page / block size. */
  readonly all: Map<number, VmapBlock>;
}

/** No blocks yet. */
export const vmapBlocks = (pages: number, cpus: number): VmapBlocks => ({
  pages,
  open: Array.from({ length: cpus }, () => []),
  all: new Map(),
});

const rounded = (pages: number): number => 2 ** Math.ceil(Math.log2(pages));

/** First page of a piece of `pages` in an open block of `cpu`; -1: a new block is needed. C: vb_alloc() */
export function vb_alloc(b: VmapBlocks, pages: number, cpu: number): number {
  const need = rounded(pages);
  const open = b.open[cpu]!;
  const i = open.findIndex((vb) => vb.free >= need);
  if (i < 0) return -1;
  const vb = open[i]!;
  const at = vb.at + b.pages - vb.free;
  vb.free -= need;
  if (vb.free === 0) open.splice(i, 1);
  return at;
}

/** A new block at `at`, of which the first piece of `pages` is taken. C: new_vmap_block() */
export function new_vmap_block(b: VmapBlocks, at: number, pages: number, cpu: number): void {
  const vb: VmapBlock = { at, free: b.pages - rounded(pages), dirty: 0 };
  b.all.set(at / b.pages, vb);
  if (vb.free > 0) b.open[cpu]!.push(vb);
}

/** A piece comes back; true if the whole block is dirty now and to be freed. C: vb_free() */
export function vb_free(b: VmapBlocks, at: number, pages: number): boolean {
  const key = Math.floor(at / b.pages);
  const vb = b.all.get(key);
  if (!vb) throw new Error(`no vm_map_ram block at page ${at}`);
  vb.dirty += rounded(pages);
  if (vb.dirty !== b.pages) return false;
  b.all.delete(key);
  return true;
}

/**
 * Blocks of which nothing is mapped any more, though pages were never handed out; they leave the queues.
 * `force`: all of them, else those with less than a quarter left. C: purge_fragmented_block()
 */
export function fragmented(b: VmapBlocks, force: boolean): VmapBlock[] {
  const out: VmapBlock[] = [];
  b.open.forEach((open, cpu) => {
    const gone = (vb: VmapBlock) =>
      vb.free + vb.dirty === b.pages && vb.dirty !== b.pages && (force || vb.free < b.pages / 4);
    out.push(...open.filter(gone));
    b.open[cpu] = open.filter((vb) => !gone(vb));
  });
  for (const vb of out) b.all.delete(vb.at / b.pages);
  return out;
}
