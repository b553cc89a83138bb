// Entries of the top table where PMD or PUD is folded into it. C: arch/arm64/mm/mmu.c set_swapper_pgd(),
// arch/arm64/include/asm/pgtable.h in_swapper_pgdir() (6.12). Left out: P4D and PGD entries (one in 512 GiB on 4K).
import { spin_lock, spin_unlock } from '../lock.js';
import { fence } from '../memory.js';
import type { Kernel, Place } from '../step.js';
import { lock, regionOf, type System } from '../system.js';
import { flush_tlb_kernel_range } from '../tlb.js';
import type { Geometry } from './geometry.js';

const LOCK = 'swapper_pgdir_lock';

/** Lay out the lock of the top table, where entries of PMD or PUD level lie in that table. */
export function foldedTop(sys: System, g: Geometry): void {
  if (g.levels <= 3) lock(sys, LOCK);
}

/** Is this PMD or PUD entry one of the top table's? Never without `foldedTop`. C: in_swapper_pgdir() */
export function in_swapper_pgdir(sys: System, entry: Place): boolean {
  if (!sys.named.has(LOCK)) return false;
  return regionOf(sys, entry)?.base === sys.named.get('swapper_pg_dir');
}

/**
 * The top table is read-only in its own mapping: map it writable in the fixmap, write, unmap with a flush of that page, all
 * under one lock. The flush is the barrier that set_pmd() would have. C: set_swapper_pgd()
 */
export function* set_swapper_pgd(sys: System, pgdp: Place, entry: number): Kernel {
  const swapper_pgdir_lock = sys.named.get(LOCK)!;
  yield* spin_lock(swapper_pgdir_lock);
  yield* fence('dsb ishst', 'pgd_set_fixmap');
  yield* fence('isb', 'pgd_set_fixmap');
  yield { op: 'write', on: pgdp, value: entry, mode: 'once', by: 'set_swapper_pgd' };
  yield* flush_tlb_kernel_range(1, 1);
  yield* spin_unlock(swapper_pgdir_lock);
}
