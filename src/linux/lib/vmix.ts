// Mixed workloads in the manner of a test module that mixes page-mapped and block-mapped vmallocs.
import { below, random } from '../random.js';
import type { Workload } from './workload.js';

/** One operation of a pattern: hN and sN allocate N pages (h: may be mapped by blocks), F frees all, p purges, rN rests N us. */
export interface VmixOp {
  readonly op: 'h' | 's' | 'F' | 'p' | 'r';
  /** Pages, or microseconds; 0 for F and p. */
  readonly n: number;
}

/**
 * The operations of a pattern such as `h512.F.p.s600.F.p`.
 * @throws RangeError naming what is not understood.
 */
export function readPattern(text: string): VmixOp[] {
  return text.split('.').map((word) => {
    const m = /^(?:([hsr])([1-9]\d{0,6})|([Fp]))$/.exec(word);
    if (!m) throw new RangeError(`'${word}' in '${text}': hN, sN (N pages), rN (N us), F or p`);
    return { op: (m[1] ?? m[3]) as VmixOp['op'], n: Number(m[2] ?? 0) };
  });
}

/** Run a pattern `loops` times; what is allocated is kept until F. */
export function* pattern(ops: readonly VmixOp[], loops: number, page_bytes: number): Workload {
  let held: number[] = [];
  for (let i = 0; i < loops; i++)
    for (const { op, n } of ops) {
      if (op === 'F') {
        for (const page of held) yield { op: 'vfree', page };
        held = [];
      } else if (op === 'p') yield { op: 'vm_unmap_aliases' };
      else if (op === 'r') yield { op: 'rest', time_ns: n * 1000 };
      else {
        const size_bytes = n * page_bytes;
        const page = yield { op: op === 'h' ? 'vmalloc_huge' : 'vmalloc', size_bytes };
        if (page >= 0) held.push(page);
      }
    }
  for (const page of held) yield { op: 'vfree', page };
}

/** A random mix over a number of slots. */
export interface Mix {
  readonly slots: number;
  /** Share of allocations that may be mapped by blocks, 0 to 1. */
  readonly huge: number;
  /** Largest page-mapped size, in pages; sizes are uniform from 1. */
  readonly max_small: number;
  /** Pages of a huge one. */
  readonly huge_pages: number;
  /** Purge after so many operations; 0: only when vmalloc itself does. */
  readonly purge_every: number;
  readonly loops: number;
}

/** Each loop picks a slot: free what it holds, then fill it by chance small or huge. */
export function* mix(m: Mix, page_bytes: number, seed: number | string): Workload {
  const r = random(`mix ${seed}`);
  const held = new Array<number>(m.slots).fill(-1);
  for (let i = 0; i < m.loops; i++) {
    const slot = below(r, m.slots);
    const old = held[slot]!;
    if (old >= 0) yield { op: 'vfree', page: old };
    const huge = below(r, 1000000) < m.huge * 1000000;
    const pages = huge ? m.huge_pages : 1 + below(r, m.max_small);
    const size_bytes = pages * page_bytes;
    held[slot] = yield { op: huge ? 'vmalloc_huge' : 'vmalloc', size_bytes };
    if (m.purge_every > 0 && (i + 1) % m.purge_every === 0) yield { op: 'vm_unmap_aliases' };
  }
  for (const page of held) if (page >= 0) yield { op: 'vfree', page };
}
