// Leaf entries as a number below 2^53: type in the low two bits as in a descriptor, then what a dump shows of the
// protection, then the page frame number. A table entry holds the place of its table (arm64/entry.ts).

/** Memory types by their index in MAIR. C: MT_NORMAL ... in arch/arm64/include/asm/memory.h */
export const MEMORY_TYPES = [
  'MEM/NORMAL',
  'MEM/NORMAL-TAGGED',
  'MEM/NORMAL-NC',
  'DEVICE/nGnRnE',
  'DEVICE/nGnRE',
] as const;
export type MemoryType = (typeof MEMORY_TYPES)[number];

/** Protection of a kernel mapping, as far as a dump shows it. */
export interface Prot {
  readonly type: MemoryType;
  readonly readOnly: boolean;
  readonly executable: boolean;
}

/** PAGE_KERNEL */
export const PAGE_KERNEL: Prot = { type: 'MEM/NORMAL', readOnly: false, executable: false };
/** What ioremap() maps with. C: PROT_DEVICE_nGnRE */
export const PROT_DEVICE: Prot = { type: 'DEVICE/nGnRE', readOnly: false, executable: false };

const RO = 8;
const EXEC = 16;
/** Attribute bit: contiguous hint. */
export const CONT = 32;
/** Attribute bit: present, but not valid for the CPU (debug_pagealloc). */
export const INVALID = 64;
const ATTRS = 128;

/** The protection as a small number, for `leaf`. */
export const protBits = (p: Prot): number =>
  MEMORY_TYPES.indexOf(p.type) + (p.readOnly ? RO : 0) + (p.executable ? EXEC : 0);

/** A page entry (PTE level). */
export const pageEntry = (pfn: number, prot: number, cont = false): number =>
  (pfn * ATTRS + prot + (cont ? CONT : 0)) * 4 + 3;

/** A block entry (PMD or PUD level). */
export const sectEntry = (pfn: number, prot: number): number => (pfn * ATTRS + prot) * 4 + 1;

/** Page frame of a leaf. */
export const pfnOf = (entry: number): number => Math.floor(entry / (4 * ATTRS));

/** Protection bits of a leaf, contiguous hint included. */
export const attrsOf = (entry: number): number => Math.floor(entry / 4) % ATTRS;

/** Has this leaf the contiguous hint? */
export const isCont = (entry: number): boolean => (attrsOf(entry) & CONT) !== 0;

/** The protection of a leaf. */
export const protOf = (entry: number): Prot => {
  const attrs = attrsOf(entry) % CONT;
  return {
    type: MEMORY_TYPES[attrs % RO]!,
    readOnly: (attrs & RO) !== 0,
    executable: (attrs & EXEC) !== 0,
  };
};
