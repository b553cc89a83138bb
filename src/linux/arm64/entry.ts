// Page-table entries as the explorer and the runner hold them: one number below 2^53, type in the low two bits as in a
// descriptor. A table entry holds the place of the table's first entry, a block or page entry a page frame number.
import type { Place } from '../step.js';

/** The entry that points to `table`. */
export const tableEntry = (table: Place): number => table * 4 + 3;
/** A block entry (level PMD or PUD) for page frame `pfn`. */
export const blockEntry = (pfn: number): number => pfn * 4 + 1;
export const pmd_none = (entry: number): boolean => entry === 0;
export const pmd_table = (entry: number): boolean => entry % 4 === 3;
export const pmd_sect = (entry: number): boolean => entry % 4 === 1;
export const pmd_present = (entry: number): boolean => entry % 2 === 1;
/** The table a table entry points to. */
export const tableOf = (entry: number): Place => (entry - 3) / 4;
