import { type Geometry, geometry, LEVELS, pageOf } from '../linux/arm64/geometry.js';
import {
  CONT,
  INVALID,
  MEMORY_TYPES,
  pageEntry,
  protBits,
  sectEntry,
} from '../linux/arm64/leaf.js';
import { allocTable, type PageTables, pageTables, type Table } from '../linux/arm64/pgtable.js';
import { readAttributes } from '../linux/arm64/ptdump.js';

/** A range of a kernel_page_tables dump; attributes '' for a hole. */
interface Range {
  readonly kind: string;
  readonly start?: bigint;
  readonly end?: bigint;
  readonly level?: string;
  readonly attributes?: string;
}

/** The table for `page` at `height`, with all tables above it; made where they are missing. */
function tableAt(t: PageTables, page: number, height: number): Table {
  const { levels, entries, topEntries, shift } = t.geometry;
  let table = t.root;
  for (let h = levels - 1; h > height; h--) {
    const n = h === levels - 1 ? topEntries : entries;
    const index = Math.floor(page / 2 ** shift[h]!);
    const place = table + (index % n);
    if (t.cells[place] === 0) {
      const below = allocTable(t, h - 1, index * 2 ** shift[h]!); // may replace t.cells
      t.cells[place] = 4 * below + 3;
    }
    table = (t.cells[place]! - 3) / 4;
  }
  return table;
}

/** Protection bits of a mapped range; a column the model does not keep is an error of the caller's. */
function protOfText(text: string): { bits: number; more: number; block: boolean } {
  const a = readAttributes(text);
  if (!a) throw new Error(`attributes not understood: ${JSON.stringify(text)}`);
  const type = a.type === '' ? MEMORY_TYPES[0] : a.type;
  const bits = protBits({ type, readOnly: a.readOnly, executable: !a.pxn });
  const more = (a.contiguous ? CONT : 0) + (a.valid ? 0 : INVALID);
  return { bits, more, block: a.block };
}

/** Height of the table that holds entries of this level. */
const heightOf = (g: Geometry, level: string, hole: boolean): number =>
  level === 'PGD' || (hole && level === 'P4D')
    ? g.levels - 1
    : LEVELS.indexOf(level.toLowerCase() as (typeof LEVELS)[number]);

function fill(t: PageTables, r: Required<Range>): void {
  const g = t.geometry;
  const height = heightOf(g, r.level, r.attributes === '');
  const span = 2 ** g.shift[height]!;
  const n = height === g.levels - 1 ? g.topEntries : g.entries;
  const end = pageOf(g, r.end);
  const how = r.attributes === '' ? undefined : protOfText(r.attributes);
  for (let page = pageOf(g, r.start); page < end; page += span) {
    const place = tableAt(t, page, height) + (Math.floor(page / span) % n);
    if (!how) continue;
    const entry = how.block ? sectEntry(0, how.bits) : pageEntry(0, how.bits);
    t.cells[place] = entry + how.more * 4;
  }
}

/**
 * Page tables that a walk would report as these lines of a dump: every table that a hole or a leaf of
 * its level gives away. Frames are not in a dump: all are 0.
 */
export function tablesOfDump(lines: readonly Range[], g: Geometry = geometry()): PageTables {
  const t = pageTables(g);
  for (const line of lines) if (line.kind === 'range') fill(t, line as Required<Range>);
  return t;
}
