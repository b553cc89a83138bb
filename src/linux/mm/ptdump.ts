// The text of kernel_page_tables from modelled page tables. C: mm/ptdump.c, mm/pagewalk.c, fs/seq_file.c (6.12).
import { LEVELS } from '../arm64/geometry.js';
import { attrsOf, INVALID, isCont, protOf } from '../arm64/leaf.js';
import type { PageTables, Table } from '../arm64/pgtable.js';
import {
  formatAttributes,
  type Marker,
  note_page,
  note_page_flush,
  type PtdumpState,
  ptdumpState,
} from '../arm64/ptdump.js';

/** Name of the level of entries in a table at `height`; what is folded into the top table is called PGD. */
const levelName = (levels: number, height: number, hole: boolean): string =>
  height === levels - 1 && (hole || height > 1) ? 'PGD' : LEVELS[height]!.toUpperCase();

/** Attribute columns by the attribute bits of a leaf; odd places: of a block. */
const ATTRIBUTES: readonly string[] = Array.from({ length: 2 * 128 }, (_, i) => {
  const leaf = Math.floor(i / 2) * 4 + 3;
  const p = protOf(leaf);
  return formatAttributes({
    valid: (attrsOf(leaf) & INVALID) === 0,
    user: false,
    readOnly: p.readOnly,
    pxn: !p.executable,
    shared: true,
    accessed: true,
    notGlobal: false,
    contiguous: isCont(leaf),
    block: i % 2 === 1,
    uxn: true,
    guarded: false,
    type: p.type ?? '',
  });
});

/** Attribute columns of a leaf of kernel memory. `block`: above PTE level. */
const leafAttributes = (entry: number, block: boolean): string =>
  ATTRIBUTES[attrsOf(entry) * 2 + (block ? 1 : 0)]!;

/** Report every entry of the table at `height` in ascending order. C: walk_pgd_range() and so on down */
function walk(t: PageTables, st: PtdumpState, table: Table, height: number, page: number): void {
  const { shift, entries, topEntries, levels, pageShift } = t.geometry;
  const n = height === levels - 1 ? topEntries : entries;
  const span = 2 ** shift[height]!;
  for (let i = 0; i < n; i++) {
    const entry = t.cells[table + i]!;
    const at = page + i * span;
    if (entry % 4 === 3 && height > 0) {
      walk(t, st, (entry - 3) / 4, height - 1, at);
      continue;
    }
    const text = entry === 0 ? '' : leafAttributes(entry, height > 0);
    const level = levelName(levels, height, entry === 0);
    // Equal neighbours change nothing unless a marker lies between: spare the 64-bit arithmetic.
    if (i > 0 && text === st.attributes && level === st.level && at < nextMarker(st, pageShift)) continue; // biome-ignore format: one test
    note_page(st, BigInt(at) << BigInt(pageShift), level, text);
  }
}

const nextMarker = (st: PtdumpState, pageShift: number): number => {
  const next = st.markers[st.marker + 1];
  return next === undefined ? Number.POSITIVE_INFINITY : Number(next.start >> BigInt(pageShift));
};

/**
 * What a read of kernel_page_tables shows: lines without LF. `end`: where the last line ends (0 is the
 * end of 64 bits, as in kernels before 6.12.110).
 */
export function ptdumpText(t: PageTables, markers: readonly Marker[], end = 0n): string[] {
  const st = ptdumpState(markers);
  const { vaBits, pageShift, levels } = t.geometry;
  walk(t, st, t.root, levels - 1, 2 ** (64 - pageShift) - 2 ** (vaBits - pageShift));
  note_page_flush(st, end);
  return st.lines;
}

/**
 * How many complete walks one open and read of a dump of `bytes` costs: the buffer begins with a page
 * and doubles until everything fits, each time from the start. C: seq_read_iter()
 */
export const walksPerRead = (bytes: number, page_bytes = 4096): number =>
  bytes < page_bytes ? 1 : 1 + Math.ceil(Math.log2((bytes + 1) / page_bytes));
