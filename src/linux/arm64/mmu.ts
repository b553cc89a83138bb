// Clearing, freeing and setting of entries that may hold blocks, in each era's order of steps.
// C: arch/arm64/mm/mmu.c (6.12, 6.18, 7.2-rc6), arch/arm64/include/asm/pgtable.h.
import { branch, fence, READ_ONCE } from '../memory.js';
import type { Frame } from '../scheme.js';
import type { Kernel, Place } from '../step.js';
import type { System } from '../system.js';
import { __flush_tlb_kernel_pgtable } from '../tlb.js';
import { pmd_none, pmd_present, pmd_sect, pmd_table, tableOf } from './entry.js';
import { in_swapper_pgdir, set_swapper_pgd } from './swapper.js';

/** pmd_clear, pud_clear: store 0; no barrier, since the entry is not valid. In a folded level: set_swapper_pgd(). */
export function* pmd_clear(sys: System, pmdp: Place): Kernel {
  if (in_swapper_pgdir(sys, pmdp)) yield* set_swapper_pgd(sys, pmdp, 0);
  else yield { op: 'write', on: pmdp, value: 0, mode: 'once', by: 'pmd_clear' };
}

/** set_pmd, set_pud of a valid entry: store; dsb ishst; isb. In a folded level: set_swapper_pgd(). */
export function* set_pmd(sys: System, pmdp: Place, entry: number): Kernel {
  if (in_swapper_pgdir(sys, pmdp)) return yield* set_swapper_pgd(sys, pmdp, entry);
  yield { op: 'write', on: pmdp, value: entry, mode: 'once', by: 'set_pmd' };
  yield* fence('dsb ishst', 'set_pmd');
  yield* fence('isb', 'set_pmd');
}

/**
 * pmd_set_huge, pud_set_huge: 1 if the entry now holds `block`; 0 if it held something valid with another page frame.
 * Left out: changes of attributes alone.
 */
export function* pmd_set_huge(sys: System, pmdp: Place, block: number): Kernel<0 | 1> {
  const old = yield* READ_ONCE(pmdp);
  yield* branch(pmdp);
  if (pmd_present(old) && old !== block) return 0;
  yield* set_pmd(sys, pmdp, block);
  return 1;
}

/** pmd_clear_huge, pud_clear_huge: 1 if the entry held a block, which is then cleared. No TLB flush. */
export function* pmd_clear_huge(sys: System, pmdp: Place): Kernel<0 | 1> {
  const old = yield* READ_ONCE(pmdp);
  yield* branch(pmdp);
  if (!pmd_sect(old)) return 0;
  yield* pmd_clear(sys, pmdp);
  return 1;
}

/** pte_free_kernel, pmd_free: give a table back at once. Left out: destructors. `entry` is where its address was read. */
export function* pte_free_kernel(table: Place, entry: Place): Kernel {
  yield { op: 'free', on: table, addr: entry, by: 'pte_free_kernel' };
}

/** Clear the entry, flush, and free the table it pointed to, with the scheme's points where `points` says so. */
function* clearFlushFree(
  sys: System,
  entry: Place,
  table: Place,
  frame: Frame,
  points: boolean,
): Kernel {
  const { beforeClear, afterClear, beforeFree, afterFree } = sys.scheme;
  if (points && beforeClear) yield* beforeClear(sys, frame);
  yield* pmd_clear(sys, entry);
  if (points && afterClear) yield* afterClear(sys, frame);
  yield* __flush_tlb_kernel_pgtable(sys, entry);
  if (points && beforeFree) yield* beforeFree(sys, frame);
  yield* freeTable(sys, table, entry, frame.cpu);
  if (points && afterFree) yield* afterFree(sys, frame);
}

function* freeTable(sys: System, table: Place, entry: Place, cpu: number): Kernel {
  if (sys.scheme.free) yield* sys.scheme.free(sys, table, entry, cpu);
  else yield* pte_free_kernel(table, entry);
}

/**
 * Unhook the PTE table under `pmdp` and free it; 1, since the entry may now hold a block (also if it held no table).
 * `acquire` false: nobody can reach the entry, the scheme's points are left out.
 */
export function* pmd_free_pte_page(
  sys: System,
  pmdp: Place,
  frame: Frame = { cpu: 0 },
  acquire = true,
): Kernel<1> {
  const pmd = yield* READ_ONCE(pmdp);
  yield* branch(pmdp);
  if (!pmd_table(pmd)) return 1;
  yield* clearFlushFree(sys, pmdp, tableOf(pmd), frame, acquire);
  return 1;
}

/** Isolated: no walker can come to these entries. Else: each is cleared, flushed and freed as if alone. */
function* freePteTables(
  sys: System,
  pmds: Place,
  entries: number,
  cpu: number,
  acquire: boolean,
): Kernel {
  for (let i = 0; i < entries; i++) {
    const pmd = yield* READ_ONCE(pmds + i);
    yield* branch(pmds + i);
    if (!pmd_none(pmd)) yield* pmd_free_pte_page(sys, pmds + i, { cpu }, acquire);
  }
}

/**
 * Free the PMD table under `pudp` (of `entries` entries) and the PTE tables below; 1 always. Eras A and C free the PTE tables
 * first ('children-first'), era B unhooks the PMD table before ('isolate').
 */
export function* pud_free_pmd_page(
  sys: System,
  pudp: Place,
  entries: number,
  frame: Frame = { cpu: 0 },
): Kernel<1> {
  const pud = yield* READ_ONCE(pudp);
  yield* branch(pudp);
  if (!pmd_table(pud)) return 1;
  const table = tableOf(pud);
  const late = sys.scheme.pudOrder === 'children-first' || sys.variant.has('not-isolated');
  if (late) {
    yield* freePteTables(sys, table, entries, frame.cpu, sys.scheme.pudOrder === 'children-first');
    yield* clearFlushFree(sys, pudp, table, frame, true);
    return 1;
  }
  const { beforeClear, afterClear, beforeFree, afterFree } = sys.scheme;
  if (beforeClear) yield* beforeClear(sys, frame);
  yield* pmd_clear(sys, pudp);
  if (afterClear) yield* afterClear(sys, frame);
  yield* __flush_tlb_kernel_pgtable(sys, pudp);
  if (beforeFree) yield* beforeFree(sys, frame);
  yield* freePteTables(sys, table, entries, frame.cpu, false);
  yield* freeTable(sys, table, pudp, frame.cpu);
  if (afterFree) yield* afterFree(sys, frame);
  return 1;
}
