import type { VmallocEvent } from './vmalloc-rows.js';

/** What all operations say: where in the trace, when, who, where. */
export interface OpBase {
  readonly n: number;
  readonly ts_ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly task: string;
}

/** What __vmalloc_node_range() was asked for. */
export interface Request {
  readonly size_bytes: number;
  readonly align_bytes: number;
  readonly flags: number;
}

/** An alloc_vmap_area event and what belongs to it. Sizes and addresses in 4K pages. */
export interface AllocOp extends OpBase {
  readonly kind: 'alloc';
  readonly size: number;
  readonly align: number;
  readonly vstart: number;
  readonly vend: number;
  /** Where the kernel put it; -1: nowhere. */
  readonly at: number;
  /** Place in the trace from which on the call may have been under way. */
  readonly since: number;
  /** When it began: at its probe, else at the event of the area. */
  readonly begin_ns: number;
  /** CPU on which the call began, where that is known. */
  readonly sinceCpu: number;
  /** The call, where it was probed. */
  readonly request: Request | undefined;
  /** The second attempt of a call, at base pages. */
  readonly secondTry: boolean;
  /** Pages at its end that are never mapped: 1, or 0 for vm_map_ram(). */
  readonly guard: number;
  /** Were calls probed, so that the absence of a request says something? */
  readonly probed: boolean;
  /** First frame, in 4K pages, where the trace tells it (ioremap); else NaN. */
  phys: number;
  /** A second attempt at order 0 followed: this area was never mapped. */
  abandoned: boolean;
  /** Results of mmap_read_trylock(&init_mm) before the blocks of this area were set. */
  readonly trylocks: boolean[];
}

export interface FreeOp extends OpBase {
  readonly kind: 'free';
  readonly at: number;
  /** Place in the trace from which on it may have been under way. */
  readonly since: number;
  readonly nr_lazy: number;
  readonly lazy_max: number;
}

/** A purge reaches a node: its pools decay, its lazy areas are taken off. `node` -1: all nodes. */
export interface DecayOp extends OpBase {
  readonly kind: 'decay';
  readonly node: number;
  readonly full: boolean;
  /** Place of the next event of the purging task: then it is surely done. */
  until: number;
  /** The end of the purge; undefined where the trace ends before it. */
  readonly ends: PurgeOp | undefined;
}

/** A purge gives the areas of a node back. */
export interface ReleaseOp extends OpBase {
  readonly kind: 'release';
  readonly node: number;
  until: number;
}

/** A purge ends. */
export interface PurgeOp extends OpBase {
  readonly kind: 'purge';
  readonly start: number;
  readonly end: number;
  readonly areas: number;
}

/** A probed change of page tables. */
export interface TableOp extends OpBase {
  readonly kind: 'table';
  readonly event: VmallocEvent | 'other';
  /** Low two bits of the entry before. */
  readonly entryType: number;
  /** Table that holds the entry (4K pages of its linear address), and the place in it. */
  readonly table: number;
  readonly index: number;
  readonly at: number;
}

export type Op = AllocOp | FreeOp | DecayOp | ReleaseOp | PurgeOp | TableOp;

/** The operations of a trace on vmalloc. */
export interface VmallocOps {
  readonly ops: readonly Op[];
  /** vmap nodes seen in one purge; 0 if no purge was probed. */
  readonly nodes: number;
  /** Place of the first event of a kernel probe; Infinity if there is none. */
  readonly firstProbe: number;
}

/** Flag of a request that may be mapped by blocks. */
export const VM_ALLOW_HUGE_VMAP = 0x400;

/** A thread; the idle task is one thread per CPU. */
export const threadOf = (r: { pid: number; cpu: number }): number =>
  r.pid > 0 ? r.pid : -1 - r.cpu;
