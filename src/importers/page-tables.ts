import { otherTables } from './states.js';

/** A line of a kernel_page_tables dump: a named place, or a range. */
export type DumpLine =
  | { readonly kind: 'marker'; readonly name: string }
  | {
      readonly kind: 'range';
      readonly start: bigint;
      /** First address behind; 2^64 where the dump prints 0. */
      readonly end: bigint;
      /** Name of the level: PGD, P4D, PUD, PMD or PTE. */
      readonly level: string;
      /** The attribute columns as they stand; '' for a hole. */
      readonly attributes: string;
    };

/** A line that no kernel_page_tables has: where, and what it says. */
export class PageTablesError extends Error {}

const MARKER = /^---\[ (.+) \]---$/;
const RANGE = /^0x([0-9a-f]{16})-0x([0-9a-f]{16}) +(\d+)([BKMGTPE]) (PGD|P4D|PUD|PMD|PTE)(.*)$/;

function lineOf(text: string, line: number): DumpLine {
  const marker = MARKER.exec(text);
  if (marker) return { kind: 'marker', name: marker[1]! };
  const m = RANGE.exec(text);
  const other = m ? null : otherTables(text);
  if (other !== null)
    throw new PageTablesError(
      `line ${line} is of a dump of another architecture (${other}): ${JSON.stringify(text.slice(0, 80))}. ` +
        'ptlab reads the kernel_page_tables of arm64 alone',
    );
  if (!m)
    throw new PageTablesError(
      `line ${line} is not of kernel_page_tables: ${JSON.stringify(text.slice(0, 80))}. ` +
        'Expected "---[ name ]---" or "0x<start>-0x<end> <size> <level> ..."',
    );
  const start = BigInt(`0x${m[1]}`);
  const end = BigInt(`0x${m[2]}`) || 1n << 64n;
  const size = BigInt(m[3]!) << BigInt(10 * 'BKMGTPE'.indexOf(m[4]!));
  if (end - start !== size)
    throw new PageTablesError(`line ${line}: ${m[3]}${m[4]} is not the distance of its addresses`);
  return { kind: 'range', start, end, level: m[5]!, attributes: m[6]!.trim() === '' ? '' : m[6]! };
}

/**
 * The lines of an arm64 kernel_page_tables dump (/sys/kernel/debug/kernel_page_tables).
 * @throws PageTablesError naming the line.
 */
export function readPageTables(text: string): DumpLine[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new PageTablesError('the dump is empty; read it as root');
  return lines.map((line, i) => lineOf(line.replace(/\r$/, ''), i + 1));
}

/** Page tables that map nothing, left behind in the vmalloc range, by level of the entry above. */
export interface StaleTables {
  /** PTE tables: blocks of 512 PTE-level holes under one PMD entry. */
  readonly pte: number;
  /** PMD tables with no entry under one PUD entry. */
  readonly pmd: number;
  /** First addresses of the ranges of stale PTE tables. */
  readonly slots: readonly bigint[];
}

/** Whole units of `unit` bytes inside [start, end), by first address. */
function* unitsIn(start: bigint, end: bigint, unit: bigint): Generator<bigint> {
  for (let at = ((start + unit - 1n) / unit) * unit; at + unit <= end; at += unit) yield at;
}

/** Marker names are written with other capitals by older kernels: 'vmalloc() Area'. */
const isCalled = (line: { readonly name: string }, name: string): boolean =>
  line.name.toLowerCase() === name.toLowerCase();

/**
 * Count tables left behind between two markers: a PTE table that maps nothing shows as PTE-level
 * holes over a whole PMD entry, a PMD table as PMD-level holes over a whole PUD entry.
 */
export function staleTables(
  lines: readonly DumpLine[],
  page_bytes = 4096,
  from = 'vmalloc() area',
  to = 'vmalloc() end',
): StaleTables {
  const perTable = BigInt(page_bytes / 8);
  const pmd = BigInt(page_bytes) * perTable;
  const slots: bigint[] = [];
  let pmds = 0;
  let inside = false;
  for (const line of lines) {
    if (line.kind === 'marker') inside = isCalled(line, from) || (inside && !isCalled(line, to));
    else if (inside && line.attributes === '') {
      if (line.level === 'PTE') slots.push(...unitsIn(line.start, line.end, pmd));
      if (line.level === 'PMD') pmds += [...unitsIn(line.start, line.end, pmd * perTable)].length;
    }
  }
  return { pte: slots.length, pmd: pmds, slots };
}
