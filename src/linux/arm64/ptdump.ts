import type { Layout } from './layout.js';
import { MEMORY_TYPES, type MemoryType } from './leaf.js';

/** What the columns of a dump line say of a mapped range. C: pte_bits[] of arch/arm64/mm/ptdump.c */
export interface DumpAttributes {
  readonly valid: boolean;
  readonly user: boolean;
  readonly readOnly: boolean;
  readonly pxn: boolean;
  readonly shared: boolean;
  readonly accessed: boolean;
  readonly notGlobal: boolean;
  readonly contiguous: boolean;
  readonly block: boolean;
  readonly uxn: boolean;
  readonly guarded: boolean;
  /** '' for a memory type the dump has no name for. */
  readonly type: MemoryType | '';
}

type Flag = Exclude<keyof DumpAttributes, 'type'>;

/** Columns in their order: text if the flag is set, text if not. */
const COLUMNS: readonly (readonly [Flag, string, string])[] = [
  ['valid', ' ', 'F'],
  ['user', 'USR', '   '],
  ['readOnly', 'ro', 'RW'],
  ['pxn', 'NX', 'x '],
  ['shared', 'SHD', '   '],
  ['accessed', 'AF', '  '],
  ['notGlobal', 'NG', '  '],
  ['contiguous', 'CON', '   '],
  ['block', 'BLK', '   '],
  ['uxn', 'UXN', '   '],
  ['guarded', 'GP', '  '],
];

/** The attribute columns of a line, each behind one blank. C: dump_prot() */
export function formatAttributes(a: DumpAttributes): string {
  const flags = COLUMNS.map(([flag, set, clear]) => ` ${a[flag] ? set : clear}`).join('');
  return a.type === '' ? flags : `${flags} ${a.type}`;
}

/** Read the columns back; undefined if `text` is not what formatAttributes writes. */
export function readAttributes(text: string): DumpAttributes | undefined {
  const out: Record<string, boolean | string> = {};
  let at = 0;
  for (const [flag, set, clear] of COLUMNS) {
    const cell = text.slice(at + 1, at + 1 + set.length);
    if (text[at] !== ' ' || (cell !== set && cell !== clear)) return undefined;
    out[flag] = cell === set;
    at += 1 + set.length;
  }
  const rest = text.slice(at + 1);
  if (at < text.length && !(MEMORY_TYPES as readonly string[]).includes(rest)) return undefined;
  out['type'] = at < text.length ? rest : '';
  return out as unknown as DumpAttributes;
}

const hex = (v: bigint): string => `0x${BigInt.asUintN(64, v).toString(16).padStart(16, '0')}`;

/** A line of a dump without its LF: a range at a level, attributes '' for a hole. */
export function formatRange(start: bigint, end: bigint, level: string, attributes: string): string {
  let delta = BigInt.asUintN(64, end - start) >> 10n;
  let unit = 0;
  while (delta % 1024n === 0n && unit < 5) {
    delta /= 1024n;
    unit++;
  }
  const size = `${String(delta).padStart(9)}${'KMGTPE'[unit]}`;
  return `${hex(start)}-${hex(end)}   ${size} ${level}${attributes}`;
}

/** A place in the address space with a name. */
export interface Marker {
  readonly start: bigint;
  readonly name: string;
}

/** The markers of a kernel without KASAN, in their order. `fixmap`: FIXADDR_TOT_START, a matter of configuration. */
export const markersOf = (l: Layout, fixmap: bigint): Marker[] => [
  { start: l.PAGE_OFFSET, name: 'Linear Mapping start' },
  { start: l.PAGE_END, name: 'Linear Mapping end' },
  { start: l.MODULES_VADDR, name: 'Modules start' },
  { start: l.MODULES_END, name: 'Modules end' },
  { start: l.VMALLOC_START, name: 'vmalloc() area' },
  { start: l.VMALLOC_END, name: 'vmalloc() end' },
  { start: l.VMEMMAP_START, name: 'vmemmap start' },
  { start: l.VMEMMAP_END, name: 'vmemmap end' },
  { start: l.PCI_IO_START, name: 'PCI I/O start' },
  { start: l.PCI_IO_END, name: 'PCI I/O end' },
  { start: fixmap, name: 'Fixmap start' },
  { start: l.FIXADDR_TOP, name: 'Fixmap end' },
];

/** A dump being written. C: struct pg_state */
export interface PtdumpState {
  readonly markers: readonly Marker[];
  /** Index of the marker printed last. */
  marker: number;
  /** Level of the range being collected; undefined before the first. */
  level: string | undefined;
  attributes: string;
  start: bigint;
  readonly lines: string[];
}

/** Nothing written yet. */
export const ptdumpState = (markers: readonly Marker[]): PtdumpState => ({
  markers,
  marker: 0,
  level: undefined,
  attributes: '',
  start: 0n,
  lines: [],
});

function passMarker(st: PtdumpState, addr: bigint): void {
  const next = st.markers[st.marker + 1];
  if (next === undefined || addr < next.start) return;
  st.marker++;
  st.lines.push(`---[ ${next.name} ]---`);
}

/**
 * The walk reports an entry, or the start of a run of equal ones: a leaf with its attributes, or a hole
 * (''). A line is printed when level or attributes change, or a marker is reached. C: note_page()
 */
export function note_page(
  st: PtdumpState,
  addr: bigint,
  level: string | undefined,
  attributes: string,
): void {
  const next = st.markers[st.marker + 1];
  if (st.level === undefined) {
    st.lines.push(`---[ ${st.markers[0]!.name} ]---`);
    Object.assign(st, { level, attributes, start: addr });
  } else if (
    attributes !== st.attributes ||
    level !== st.level ||
    (next !== undefined && addr >= next.start)
  ) {
    st.lines.push(formatRange(st.start, addr, st.level, st.attributes));
    passMarker(st, addr);
    Object.assign(st, { level, attributes, start: addr });
  }
  passMarker(st, addr);
}

/**
 * Print the last range, which ends at `end`: 0 (the end of 64 bits) in older kernels, the end of the
 * range walked in those that say so. C: note_page_flush()
 */
export function note_page_flush(st: PtdumpState, end = 0n): void {
  if (st.level !== undefined) st.lines.push(formatRange(st.start, end, st.level, st.attributes));
}
