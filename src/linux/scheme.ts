import type { Kernel, Place } from './step.js';
import type { System } from './system.js';

/** What the points of one overwrite (or one walk) remember for each other: was the lock taken, what did the key say. */
export interface Frame {
  /** The CPU it runs on. */
  readonly cpu: number;
  [remembered: string]: number;
}

/** A point in the kernel's code that a scheme fills. */
export type Point = (sys: System, frame: Frame) => Kernel;

/** The order of pud_free_pmd_page(): unhook the PMD table first (v2 and later), or free the PTE tables while it is hooked. */
export type PudOrder = 'isolate' | 'children-first';

/** What a judge other than ptlab said. */
export interface Expectation {
  readonly judge: string;
  readonly verdict: 'safe' | 'bug';
}

/** Where a scheme comes from and what was said of it. */
export interface Provenance {
  /** Message id, commit or CVE. */
  readonly source: string;
  /** Era of the kernels that have it (A, A', B, C), or 'never merged'. */
  readonly era: string;
  /** What its author or the thread claimed. */
  readonly claim: string;
}

/**
 * One locking design: the points it fills. A point left out does nothing.
 *
 * The order in an overwrite:
 *
 *     vmap_try_huge_pmd:    enterOverwrite         (false: refused; the range is mapped with PTEs)
 *       pmd_free_pte_page:  read entry; beforeClear; pmd_clear; afterClear;
 *                           __flush_tlb_kernel_pgtable; beforeFree; free; afterFree
 *       pmd_set_huge
 *                           leaveOverwrite
 *
 * and in a walk: walkBegin; walkLock; the walk; walkUnlock; walkEnd. All points of one overwrite get the same frame, and
 * all points of one walk; they keep nothing else. In pud_free_pmd_page() of order 'isolate' the PTE tables below are freed with no points but
 * `free`, since nobody can reach them any more.
 */
export interface Scheme extends Provenance {
  readonly name: string;
  /** One line for tables. */
  readonly title: string;
  readonly expect?: { readonly sc?: Expectation; readonly arm64?: Expectation };
  readonly pudOrder?: PudOrder;
  /** Lay out what the scheme shares beyond init_mm (keys, locks, counters), and add its daemons. */
  readonly setUp?: (sys: System) => void;
  readonly enterOverwrite?: (sys: System, frame: Frame) => Kernel<boolean>;
  readonly beforeClear?: Point;
  readonly afterClear?: Point;
  readonly beforeFree?: Point;
  /** Default: `pte_free_kernel` at once. `entry`: where the table was hooked (its address was read there). */
  readonly free?: (sys: System, table: Place, entry: Place, cpu: number) => Kernel;
  readonly afterFree?: Point;
  readonly leaveOverwrite?: Point;
  readonly walkBegin?: Point;
  /** Default: mmap_write_lock(&init_mm). */
  readonly walkLock?: Point;
  /** Default: mmap_write_unlock(&init_mm). */
  readonly walkUnlock?: Point;
  readonly walkEnd?: Point;
}

/** What can be changed about a run without writing another scheme; names for `--variant` and `System.variant`. */
export const variants = {
  'jump-label': 'static keys as jump_label.c patches them: per-CPU views of the text, IPI, ISB',
  'no-ipi': 'jump labels without kick_all_cpus_sync()',
  'no-isb': 'no ISB at the end of __flush_tlb_kernel_pgtable()',
  'no-dsb-ishst': 'no DSB ISHST before the TLBI of __flush_tlb_kernel_pgtable()',
  'no-tlbi': 'no TLBI in __flush_tlb_kernel_pgtable()',
  'no-dsb-ish': 'no DSB ISH after the TLBI of __flush_tlb_kernel_pgtable()',
  'no-flush': 'no __flush_tlb_kernel_pgtable() between clear and free',
  'dmb-flush': 'DMB ISHST alone in place of __flush_tlb_kernel_pgtable()',
  flag: 'the key is a plain flag: store, DSB ISH; after the walk DSB ISH, store',
  'no-enable-barrier': 'flag: nothing orders its store before the walk',
  'bare-disable': 'flag, jump labels: one store turns the key off, with no barrier before it',
  'dmb-disable': 'bare-disable behind a DMB ISH',
  'dmb-ld-disable': 'bare-disable behind a DMB ISHLD',
  'release-disable': 'flag: a store-release turns it off',
  'no-branch': 'the test of the key orders nothing; AArch64 code, --litmus too, always branches',
  'inc-dec': 'ptdump counts readers: static_branch_inc/dec in place of enable/disable',
  'enable-disable': 'static_branch_enable/disable in place of inc/dec',
  unfair: 'rwsem without its queue: a waiting writer blocks nobody',
  handoff: 'rwsem whose first waiter may at any time set the handoff bit',
  'not-isolated': 'pud_free_pmd_page() frees the PTE tables while their PMD table is still hooked',
  'no-debugfs': 'CONFIG_PTDUMP_DEBUGFS=n: code under it is left out, check_wx still walks',
  'full-walk':
    'ptdump reads each entry four times, as mm/pagewalk.c does; the last read gives the table',
  'checked-walk': 'full-walk that looks at what the last read gave',
  'no-gp': 'no grace period where the scheme waits for one',
  'no-walk-lock': 'ptdump walks without the mmap lock',
  'no-free-lock': 'vmalloc does not take the mmap lock',
} as const satisfies Record<string, string>;
export type Variant = keyof typeof variants;
