import type { Geometry } from './geometry.js';

const MiB = 1n << 20n;
const GiB = 1n << 30n;
const TOP = 1n << 64n;
/** sizeof(struct page) */
const STRUCT_PAGE = 64n;

/**
 * Where the kernel's virtual address space keeps what; addresses.
 * C: arch/arm64/include/asm/memory.h, pgtable.h
 */
export interface Layout {
  readonly PAGE_OFFSET: bigint;
  readonly PAGE_END: bigint;
  readonly MODULES_VADDR: bigint;
  readonly MODULES_END: bigint;
  readonly VMALLOC_START: bigint;
  readonly VMALLOC_END: bigint;
  readonly VMEMMAP_START: bigint;
  readonly VMEMMAP_END: bigint;
  readonly PCI_IO_START: bigint;
  readonly PCI_IO_END: bigint;
  readonly FIXADDR_TOP: bigint;
}

/**
 * The layout of a kernel of this geometry.
 * `vaBits_actual`: what the CPU can do, where less than the kernel was built for (52-bit builds).
 * Left out: KASAN's shadow region, which moves PAGE_END.
 */
export function layout(g: Geometry, vaBits_actual = g.vaBits): Layout {
  const start = (bits: number) => TOP - (1n << BigInt(bits));
  const PAGE_OFFSET = start(vaBits_actual);
  const PAGE_END = start(g.vaBitsMin - 1);
  const MODULES_END = PAGE_END + 2n * GiB;
  const VMEMMAP_END = TOP - GiB;
  const struct = (from: bigint) => ((PAGE_END - from) >> BigInt(g.pageShift)) * STRUCT_PAGE;
  const VMEMMAP_START = VMEMMAP_END - struct(start(g.vaBits));
  const unused = struct(start(g.vaBits)) - struct(PAGE_OFFSET);
  const PCI_IO_START = VMEMMAP_END + 8n * MiB;
  return {
    PAGE_OFFSET,
    PAGE_END,
    MODULES_VADDR: PAGE_END,
    MODULES_END,
    VMALLOC_START: MODULES_END,
    VMALLOC_END: VMEMMAP_START - 8n * MiB + unused,
    VMEMMAP_START,
    VMEMMAP_END,
    PCI_IO_START,
    PCI_IO_END: PCI_IO_START + 16n * MiB,
    FIXADDR_TOP: TOP - 8n * MiB,
  };
}
