import type { Op } from './vmalloc-op.js';

/** What counts 4K pages in one operation, as numbers by name. */
const PAGES = ['at', 'size', 'vstart', 'vend', 'phys', 'start', 'end'] as const;

/**
 * Operations in 4K pages, in pages of 2^pageShift bytes. Sizes and addresses of a kernel with larger
 * pages are multiples of them. Numbers that mean "none" (-1, NaN) stay.
 */
export function inPages(ops: readonly Op[], pageShift: number): readonly Op[] {
  const scale = 2 ** (pageShift - 12);
  if (scale === 1) return ops;
  return ops.map((op) => {
    const out: Record<string, unknown> = { ...op };
    for (const name of PAGES) {
      const pages = out[name];
      if (typeof pages === 'number' && pages >= 0) out[name] = Math.floor(pages / scale);
    }
    if (op.kind === 'alloc') out['align'] = Math.max(1, op.align / scale);
    if (op.kind === 'table') out['index'] = op.index + (op.table % scale) * 512;
    if (op.kind === 'table') out['table'] = Math.floor(op.table / scale);
    return out as unknown as Op;
  });
}
