// TLB maintenance. C: arch/arm64/include/asm/tlbflush.h (6.12).
import { fence } from './memory.js';
import type { Kernel, Place } from './step.js';
import type { System } from './system.js';

/** Invalidate one entry's table in TLBs and walk caches of all CPUs: dsb ishst; tlbi vaae1is; dsb ish; isb. */
export function* __flush_tlb_kernel_pgtable(sys: System, entry: Place): Kernel {
  const { variant } = sys;
  if (variant.has('no-flush')) return;
  if (variant.has('dmb-flush')) return yield* fence('dmb ishst', 'flush: dmb ishst');
  if (!variant.has('no-dsb-ishst')) yield* fence('dsb ishst', 'flush: dsb ishst');
  if (!variant.has('no-tlbi')) yield { op: 'tlbi', mode: 'vaae1is', on: entry, by: 'flush: tlbi' };
  if (!variant.has('no-dsb-ish')) yield* fence('dsb ish', 'flush: dsb ish');
  if (!variant.has('no-isb')) yield* fence('isb', 'flush: isb');
}

/** flush_tlb_kernel_range over `pages` pages: one tlbi a page, or all of the TLB above `maxPages` (PTRS_PER_PTE). */
export function* flush_tlb_kernel_range(pages: number, maxPages: number): Kernel {
  yield* fence('dsb ishst', 'flush_tlb_kernel_range');
  if (pages > maxPages) yield { op: 'tlbi', mode: 'vmalle1is', by: 'flush_tlb_all' };
  else yield { op: 'tlbi', mode: 'vaale1is', n: pages, by: 'flush_tlb_kernel_range' };
  yield* fence('dsb ish', 'flush_tlb_kernel_range');
  yield* fence('isb', 'flush_tlb_kernel_range');
}
