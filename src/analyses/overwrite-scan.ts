import type { RecordBatch } from 'apache-arrow';
import { bool, cursor, dictValues, has, ns, type Trace, u64 } from '../events/trace.js';
import { initMm } from './init-mm.js';
import { kindsOf } from './kinds.js';
import { type Count, newCount } from './overwrite-counts.js';
import {
  newPredictor,
  onAlloc,
  onFree,
  onProgress,
  onTrylock,
  type Predictor,
} from './overwrite-predict.js';
import type { Phase } from './phases.js';
import { geometryOf, granuleOf, newSlotModel } from './slots.js';

const known = [
  'alloc_vmap_area',
  'free_vmap_area_noflush',
  'mmap_lock_acquire_returned',
  'vmalloc_range',
  'pte_alloc_kernel',
  'pmd_free_pte_page',
  'pud_free_pmd_page',
  'pmd_set_huge',
  'pud_set_huge',
  'pmd_clear_huge',
  'pud_clear_huge',
] as const;

const firstProbe = known.indexOf('pte_alloc_kernel');
const TABLE = 3;
const BLOCK = 1;

/** A call of pmd_free_pte_page on a table. */
export interface Freed {
  readonly row: number;
  readonly ts_ns: number;
  readonly pid: number;
  readonly va: bigint;
  readonly age_ns: number | null;
}

/** What a scan has gathered so far. */
export interface State {
  readonly predictor: Predictor;
  readonly initMm: bigint | null;
  readonly readMode: number;
  readonly phases: readonly Phase[];
  /** [phase][pid] */
  readonly counts: Map<number, Count>[];
  /** Address of an entry -> when its table was installed. */
  readonly births: Map<bigint, number>;
  readonly freed: Freed[];
  readonly tasks: Map<number, number>;
  /** Seen: a probe that counts tables or blocks; any probe that shows mappings being made. */
  probed: boolean;
  decisive: boolean;
  /** Frees counted without the entry's value, as function_graph shows them. */
  unseen: number;
  phase: number;
}

/** A fresh state for a trace cut into `list`. */
export const newState = (trace: Trace, list: readonly Phase[], page_bytes: number): State => ({
  predictor: newPredictor(newSlotModel(geometryOf(page_bytes))),
  initMm: initMm(trace),
  readMode: dictValues(trace, 'lock_mode').indexOf('read'),
  phases: list,
  counts: list.map(() => new Map()),
  births: new Map(),
  freed: [],
  tasks: new Map(),
  probed: false,
  decisive: false,
  unseen: 0,
  phase: 0,
});

function countOf(s: State, pid: number): Count {
  const byPid = s.counts[s.phase]!;
  let c = byPid.get(pid);
  if (!c) {
    c = newCount();
    byPid.set(pid, c);
  }
  return c;
}

/** The columns of one batch that the analysis reads. */
const viewOf = (b: RecordBatch) => ({
  pid: cursor(b, 'pid'),
  task: cursor(b, 'task'),
  ts: cursor(b, 'ts_ns'),
  va: cursor(b, 'va'),
  page: cursor(b, 'va_page').values,
  size: cursor(b, 'size_bytes'),
  align: cursor(b, 'align_bytes'),
  ok: cursor(b, 'ok'),
  entry: cursor(b, 'entry'),
  entryAt: cursor(b, 'entry_at'),
  lock: cursor(b, 'lock'),
  mode: cursor(b, 'lock_mode'),
});

type View = ReturnType<typeof viewOf>;

/** A table was freed by a huge mapping. */
function onFreed(s: State, v: View, i: number, row: number, pid: number): void {
  const at = has(v.entryAt, i) ? u64(v.entryAt, i) : null;
  const born = at === null ? undefined : s.births.get(at);
  const ts_ns = ns(v.ts, i);
  if (at !== null) s.births.delete(at);
  const va = has(v.va, i) ? u64(v.va, i) : 0n;
  s.freed.push({ row, ts_ns, pid, va, age_ns: born === undefined ? null : ts_ns - born });
}

function onProbe(s: State, v: View, i: number, kind: number, row: number, pid: number): void {
  s.probed = true;
  s.decisive = true;
  const o = countOf(s, pid).observed;
  const type = has(v.entry, i) ? v.entry.values[i * 2]! & 3 : -1;
  switch (known[kind]) {
    case 'pte_alloc_kernel':
      o.pte_tables_allocated++;
      if (has(v.entryAt, i)) s.births.set(u64(v.entryAt, i), ns(v.ts, i));
      break;
    case 'pmd_free_pte_page':
      if (type !== TABLE && type !== -1) break;
      o.pte_tables_freed++;
      if (type === -1) s.unseen++;
      onFreed(s, v, i, row, pid);
      break;
    case 'pud_free_pmd_page':
      if (type !== TABLE && type !== -1) break;
      o.pmd_tables_freed++;
      if (type === -1) s.unseen++;
      break;
    case 'pmd_set_huge':
      o.huge_set_pmd++;
      onProgress(s.predictor, pid);
      break;
    case 'pud_set_huge':
      o.huge_set_pud++;
      onProgress(s.predictor, pid);
      break;
    case 'pmd_clear_huge':
      if (type === BLOCK) o.huge_cleared_pmd++;
      break;
    default:
      if (type === BLOCK) o.huge_cleared_pud++;
  }
}

function onRow(s: State, v: View, i: number, kind: number, row: number): void {
  const pid = has(v.pid, i) ? v.pid.values[i]! : -1;
  if (!s.tasks.has(pid) && has(v.task, i)) s.tasks.set(pid, v.task.values[i]!);
  if (kind >= firstProbe) onProbe(s, v, i, kind, row, pid);
  else if (kind === 0) {
    const count = countOf(s, pid);
    count.allocations++;
    if (!has(v.size, i) || !has(v.va, i) || (has(v.ok, i) && !bool(v.ok, i))) return;
    const align_bytes = has(v.align, i) ? v.align.values[i]! : 1;
    const area = { page: v.page[i]!, size_bytes: v.size.values[i]!, align_bytes };
    onAlloc(s.predictor, { row, ts_ns: ns(v.ts, i), pid }, count, area, s.decisive);
  } else if (kind === 3) {
    s.decisive = true;
    onProgress(s.predictor, pid);
  } else if (kind === 1) {
    if (has(v.va, i)) onFree(s.predictor, pid, v.page[i]!);
  } else if (has(v.mode, i) && v.mode.values[i] === s.readMode) {
    const ours = s.initMm === null || u64(v.lock, i) === s.initMm;
    if (ours) onTrylock(s.predictor, pid, !has(v.ok, i) || bool(v.ok, i));
  }
}

/** The granule, and whether the trace begins in early boot, where only the idle task runs. */
export function startOf(trace: Trace): { page_bytes: number; fromBoot: boolean } {
  const kinds = kindsOf(trace, known.slice(0, 1));
  let bits = 0;
  let fromBoot: boolean | null = null;
  for (const b of trace.batches) {
    const kind = kinds(b);
    const v = viewOf(b);
    for (let i = 0; i < kind.length; i++) {
      if (kind[i] !== 0 || !has(v.size, i)) continue;
      fromBoot ??= has(v.pid, i) && v.pid.values[i] === 0;
      bits |= v.size.values[i]! % 65536;
      if (has(v.va, i)) bits |= (v.page[i]! % 16) * 4096;
    }
  }
  return { page_bytes: granuleOf(bits), fromBoot: fromBoot ?? false };
}

/** Take every row of the trace into the counts. */
export function scan(trace: Trace, s: State): void {
  const kinds = kindsOf(trace, known);
  let base = 0;
  for (const b of trace.batches) {
    const kind = kinds(b);
    const v = viewOf(b);
    for (let i = 0; i < kind.length; i++) {
      while (s.phases[s.phase + 1] && s.phases[s.phase + 1]!.first_row <= base + i) s.phase++;
      if (kind[i]! >= 0) onRow(s, v, i, kind[i]!, base + i);
    }
    base += b.numRows;
  }
}
