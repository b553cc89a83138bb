import type { ColumnName } from './schema.js';

/**
 * How a field stands in the text of an event:
 * d decimal, i signed decimal, x hexadecimal after a literal 0x, p pointer of 16 hex digits,
 * s text up to the next literal, ! 0 = ok and 1 = failed, f 0 or 1, t true or false,
 * w true = write and false = read, e empty.
 */
export type FieldKind = 'd' | 'i' | 'x' | 'p' | 's' | '!' | 'f' | 't' | 'w';

/** One field: the literal text before it, the key that names it, its column. */
export interface ShapeField {
  readonly literal: string;
  /** 'mm=' of 'mm={lock:p}': finds the field in a text that does not fit the whole shape. */
  readonly key: string;
  readonly column: ColumnName;
  readonly kind: FieldKind;
}

/** The text of one kind of event, taken apart. */
export interface Shape {
  readonly fields: readonly ShapeField[];
  readonly tail: string;
}

/**
 * Text of the events that have typed columns, as the kernel prints them behind `name: ` (reference:
 * include/trace/events/{vmalloc,mmap_lock,lock}.h of 6.12), and of kprobes as ptlab records them.
 * An event whose text fits its shape byte for byte is kept in columns alone and can be written
 * again from them; any other keeps its text in `detail` as well.
 */
const texts: Record<string, string> = {
  alloc_vmap_area:
    'va_start: {va:d} size={size_bytes:d} align={align_bytes:d} vstart=0x{range_start:x} vend=0x{range_end:x} failed={ok:!}',
  free_vmap_area_noflush: 'va_start=0x{va:x} nr_lazy={count:d} nr_lazy_max={limit:d}',
  purge_vmap_area_lazy: 'start=0x{range_start:x} end=0x{range_end:x} num_purged={count:d}',
  vmalloc_range: '({at:s}) size={size_bytes:d} align={align_bytes:d} vmflags=0x{vm_flags:x}',
  vfree: '({at:s}) addr=0x{va:x}',
  pmd_free_pte_page: '({at:s}) pmdp=0x{entry_at:x} addr=0x{va:x} pmd=0x{entry:x}',
  pud_free_pmd_page: '({at:s}) pudp=0x{entry_at:x} addr=0x{va:x} pud=0x{entry:x}',
  pmd_set_huge: '({at:s}) pmdp=0x{entry_at:x} phys=0x{phys:x} old=0x{entry:x}',
  pud_set_huge: '({at:s}) pudp=0x{entry_at:x} phys=0x{phys:x} old=0x{entry:x}',
  pmd_clear_huge: '({at:s}) pmdp=0x{entry_at:x} pmd=0x{entry:x}',
  pud_clear_huge: '({at:s}) pudp=0x{entry_at:x} pud=0x{entry:x}',
  pte_alloc_kernel: '({at:s}) pmdp=0x{entry_at:x}',
  pmd_alloc: '({at:s}) pudp=0x{entry_at:x} addr=0x{va:x}',
  pud_alloc: '({at:s}) p4dp=0x{entry_at:x} addr=0x{va:x}',
  decay_node: '({at:s}) vn=0x{object:x} full={full:f}',
  purge_node: '({at:s}) work=0x{object:x}',
  drain: '({at:s})',
  walk: '({at:s})',
  walk_ret: '({at:s})',
  key_en: '({at:s}) key=0x{object:x}',
  key_dis: '({at:s}) key=0x{object:x}',
  mmap_lock_start_locking: 'mm={lock:p} memcg_path= write={lock_mode:w}',
  mmap_lock_acquire_returned: 'mm={lock:p} memcg_path= write={lock_mode:w} success={ok:t}',
  mmap_lock_released: 'mm={lock:p} memcg_path= write={lock_mode:w}',
  contention_begin: '{lock:p} (flags={lock_mode:s})',
  contention_end: '{lock:p} (ret={ret:i})',
};

/** Functions that the probes above sit on; a probe of another name is known by its function. */
const functions: Record<string, string> = {
  __vmalloc_node_range_noprof: 'vmalloc_range',
  __vmalloc_node_range: 'vmalloc_range',
  vfree: 'vfree',
  pmd_free_pte_page: 'pmd_free_pte_page',
  pud_free_pmd_page: 'pud_free_pmd_page',
  pmd_set_huge: 'pmd_set_huge',
  pud_set_huge: 'pud_set_huge',
  pmd_clear_huge: 'pmd_clear_huge',
  pud_clear_huge: 'pud_clear_huge',
  __pte_alloc_kernel: 'pte_alloc_kernel',
  __pmd_alloc: 'pmd_alloc',
  __pud_alloc: 'pud_alloc',
  decay_va_pool_node: 'decay_node',
  purge_vmap_node: 'purge_node',
  drain_vmap_area_work: 'drain',
  ptdump_walk_pgd: 'walk',
  static_key_enable: 'key_en',
  static_key_slow_inc: 'key_en',
  static_key_disable: 'key_dis',
  static_key_slow_dec: 'key_dis',
};

function takeApart(text: string): Shape {
  const fields: ShapeField[] = [];
  let from = 0;
  for (const m of text.matchAll(/\{(\w+):([^}])\}/g)) {
    const literal = text.slice(from, m.index);
    const key = /(\w+(?:=|: ))(?:0x)?$/.exec(literal)?.[1] ?? '';
    fields.push({ literal, key, column: m[1] as ColumnName, kind: m[2] as FieldKind });
    from = m.index + m[0].length;
  }
  return { fields, tail: text.slice(from) };
}

/** The shapes by event name. */
export const shapes: Readonly<Record<string, Shape>> = Object.fromEntries(
  Object.entries(texts).map(([name, text]) => [name, takeApart(text)]),
);

/**
 * The known event that a probe at `at` ('pmd_free_pte_page+0x0/0x48', or 'caller <- function' for a
 * return probe) stands for, whatever its recorder called it; undefined for any other place.
 */
export function probeAt(at: string): string | undefined {
  const back = /<- (\S+)$/.exec(at);
  const name = back ? back[1]! : /^[^+ ]*/.exec(at)![0];
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!back) return known;
  return known === 'walk' ? 'walk_ret' : undefined;
}
