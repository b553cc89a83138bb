import type { RecordBatch } from 'apache-arrow';
import { type Cursor, cursor, dictValues, has, ns, type Trace } from '../events/trace.js';

/** What the rows of a trace say of vmalloc; every other event is 'other'. */
export const VMALLOC_EVENTS = [
  'alloc_vmap_area', 'free_vmap_area_noflush', 'purge_vmap_area_lazy', 'vmalloc_range', 'vfree',
  'decay_node', 'purge_node', 'pte_alloc_kernel', 'pmd_free_pte_page', 'pud_free_pmd_page',
  'pmd_set_huge', 'pud_set_huge', 'pmd_clear_huge', 'pud_clear_huge', 'pmd_alloc', 'pud_alloc',
  'drain', 'mmap_lock_acquire_returned', 'print',
] as const; // biome-ignore format: a table
export type VmallocEvent = (typeof VMALLOC_EVENTS)[number];

/** One row. Addresses are page numbers of 4K; what the event does not have is NaN, or ''. */
export interface Row {
  /** Place in the trace. */
  readonly n: number;
  readonly ts_ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly task: string;
  readonly event: VmallocEvent | 'other';
  /** The address the event is about. */
  readonly at: number;
  readonly size_bytes: number;
  readonly align_bytes: number;
  readonly from: number;
  readonly to: number;
  readonly ok: boolean;
  readonly flags: number;
  readonly phys: number;
  /** Table that holds the entry, and the entry's place in it (4K tables: 0 to 511). */
  readonly entryPage: number;
  readonly entryIndex: number;
  /** Low two bits of the entry's value: 3 table, 1 block, 0 none. */
  readonly entryType: number;
  readonly object: bigint;
  readonly full: boolean;
  readonly count: number;
  readonly limit: number;
  readonly mode: string;
  readonly detail: string;
}

type Words = Cursor<Uint32Array>;

/** 64-bit value in 4K pages: exact; the low 12 bits are left out. */
const page = (c: Words, i: number): number =>
  has(c, i) ? c.values[2 * i + 1]! * 2 ** 20 + (c.values[2 * i]! >>> 12) : Number.NaN;

const low = (c: Words, i: number): number => (has(c, i) ? c.values[2 * i]! : 0);

const wide = (c: Words, i: number): bigint =>
  has(c, i) ? (BigInt(c.values[2 * i + 1]!) << 32n) | BigInt(c.values[2 * i]!) : 0n;

const bit = (c: Cursor<unknown>, i: number): boolean =>
  has(c, i) && (((c.values as Uint8Array)[i >> 3]! >> (i & 7)) & 1) === 1;

const f64 = (c: Cursor<Float64Array>, i: number): number => (has(c, i) ? c.values[i]! : Number.NaN);

const int = (c: Cursor<Int32Array>, i: number): number => (has(c, i) ? c.values[i]! : -1);

const columnsOf = (b: RecordBatch) => ({
  ts: cursor(b, 'ts_ns'),
  cpu: cursor(b, 'cpu'),
  pid: cursor(b, 'pid'),
  task: cursor(b, 'task'),
  event: cursor(b, 'event'),
  va: cursor(b, 'va'),
  size: cursor(b, 'size_bytes'),
  align: cursor(b, 'align_bytes'),
  from: cursor(b, 'range_start'),
  to: cursor(b, 'range_end'),
  ok: cursor(b, 'ok'),
  flags: cursor(b, 'vm_flags'),
  phys: cursor(b, 'phys'),
  entryAt: cursor(b, 'entry_at'),
  entry: cursor(b, 'entry'),
  object: cursor(b, 'object'),
  full: cursor(b, 'full'),
  count: cursor(b, 'count'),
  limit: cursor(b, 'limit'),
  mode: cursor(b, 'lock_mode'),
});

interface Names {
  readonly event: readonly (VmallocEvent | 'other')[];
  readonly task: readonly string[];
  readonly mode: readonly string[];
}

const rowAt = (
  c: ReturnType<typeof columnsOf>,
  i: number,
  n: number,
  names: Names,
  detail: string,
): Row => ({
  n,
  ts_ns: ns(c.ts, i),
  cpu: int(c.cpu, i),
  pid: int(c.pid, i),
  task: has(c.task, i) ? names.task[c.task.values[i]!]! : '',
  event: names.event[c.event.values[i]!]!,
  at: page(c.va, i),
  size_bytes: f64(c.size, i),
  align_bytes: f64(c.align, i),
  from: page(c.from, i),
  to: page(c.to, i),
  ok: bit(c.ok, i),
  flags: has(c.flags, i) ? c.flags.values[i]! >>> 0 : Number.NaN,
  phys: page(c.phys, i),
  entryPage: page(c.entryAt, i),
  entryIndex: (low(c.entryAt, i) & 0xfff) >>> 3,
  entryType: low(c.entry, i) & 3,
  object: wide(c.object, i),
  full: bit(c.full, i),
  count: f64(c.count, i),
  limit: f64(c.limit, i),
  mode: has(c.mode, i) ? names.mode[c.mode.values[i]!]! : '',
  detail,
});

/** Every row of a trace in its order, seen as vmalloc sees it. */
export function* vmallocRows(trace: Trace): Generator<Row> {
  const known = new Set<string>(VMALLOC_EVENTS);
  const names: Names = {
    event: dictValues(trace, 'event').map((e) => (known.has(e) ? (e as VmallocEvent) : 'other')),
    task: dictValues(trace, 'task'),
    mode: dictValues(trace, 'lock_mode'),
  };
  let n = 0;
  for (const b of trace.batches) {
    const c = columnsOf(b);
    const details = b.getChild('detail');
    for (let i = 0; i < b.numRows; i++, n++) {
      const print = names.event[c.event.values[i]!] === 'print';
      yield rowAt(c, i, n, names, print ? String(details?.get(i) ?? '') : '');
    }
  }
}
