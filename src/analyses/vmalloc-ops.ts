import type { Trace } from '../events/trace.js';
import {
  type AllocOp,
  type Op,
  type Request,
  threadOf,
  VM_ALLOW_HUGE_VMAP,
  type VmallocOps,
} from './vmalloc-op.js';
import { type PurgeRow, placePurges } from './vmalloc-purges.js';
import { type Row, vmallocRows } from './vmalloc-rows.js';

/** vm_map_ram() of more pages than this takes an area of its own, without a guard page. */
const VMAP_MAX_ALLOC = 64;

const PROBES: ReadonlySet<Row['event']> = new Set<Row['event']>([
  'vmalloc_range', 'vfree', 'decay_node', 'purge_node', 'drain', 'pte_alloc_kernel',
  'pmd_free_pte_page', 'pud_free_pmd_page', 'pmd_set_huge', 'pud_set_huge', 'pmd_clear_huge',
  'pud_clear_huge', 'pmd_alloc', 'pud_alloc',
]); // biome-ignore format: a table

const TABLES: ReadonlySet<Row['event']> = new Set<Row['event']>([
  'pte_alloc_kernel', 'pmd_free_pte_page', 'pud_free_pmd_page', 'pmd_set_huge', 'pud_set_huge',
  'pmd_clear_huge', 'pud_clear_huge',
]); // biome-ignore format: a table

/** A call of __vmalloc_node_range() under way. */
interface Call extends Request {
  readonly n: number;
  readonly ts_ns: number;
  readonly cpu: number;
  last: AllocOp | undefined;
}

/** What is known of a task on the way. */
interface TaskState {
  lastRow: number;
  lastCpu: number;
  /** Calls under way, the latest first: a page array may be vmalloced inside. */
  calls: Call[];
  /** Last allocation of which the mapping may still be seen. */
  mapping: AllocOp | undefined;
  /** Stage of a purge that is done when the task is seen again. */
  stage: PurgeRow | undefined;
}

interface Reader {
  readonly ops: Op[];
  readonly tasks: Map<number, TaskState>;
  readonly purges: PurgeRow[];
  firstProbe: number;
  firstCall: number;
}

/** Pages of 4K in a page of each granule: what sizes are rounded to, and the guard page. */
const PAGES_4K = [1, 4, 16];

/** Is this area what `call` asks for: its first attempt, or one after a failure or at order 0? */
function answers(call: Call, size: number, align: number): boolean {
  const pages = Math.ceil(call.size_bytes / 4096);
  if (align * 4096 < call.align_bytes) return false;
  if (call.last) {
    if (call.last.at < 0) return size === call.last.size && align === call.last.align;
    return call.last.align > align && size <= call.last.size;
  }
  const huge = (call.flags & VM_ALLOW_HUGE_VMAP) !== 0;
  return PAGES_4K.some((page) => {
    const whole = Math.ceil(pages / page) * page;
    if (size === whole || size === whole + page) return true;
    return huge && size > whole && (size - page) % align === 0;
  });
}

function readAlloc(reader: Reader, r: Row, t: TaskState): void {
  const size = r.size_bytes / 4096;
  const align = Math.max(1, r.align_bytes / 4096);
  const call = t.calls.find((c) => answers(c, size, align));
  const op: AllocOp = {
    n: r.n,
    ts_ns: r.ts_ns,
    cpu: r.cpu,
    pid: r.pid,
    task: r.task,
    kind: 'alloc',
    size,
    align,
    vstart: r.from,
    vend: r.to,
    at: r.ok ? r.at : -1,
    since: call && !call.last ? call.n : t.lastRow,
    begin_ns: call ? call.ts_ns : r.ts_ns,
    sinceCpu: call && !call.last ? call.cpu : t.lastCpu,
    request: call,
    secondTry: call?.last !== undefined && call.last.align > align,
    guard: !call && r.align_bytes === 4096 && size > VMAP_MAX_ALLOC ? 0 : 1,
    probed: r.n > reader.firstCall,
    phys: Number.NaN,
    abandoned: false,
    trylocks: [],
  };
  if (call?.last && call.last.at >= 0) call.last.abandoned = true;
  if (call) call.last = op;
  t.mapping = op;
  reader.ops.push(op);
}

/** Physical address of an ioremap, from what the same task did next. */
function readPhys(op: AllocOp, r: Row): void {
  if (!Number.isNaN(op.phys)) return;
  const span = r.event === 'pud_set_huge' ? 2 ** 18 : 2 ** 9;
  const slot = Math.ceil(op.at / span);
  const ahead = (r.entryIndex - (slot % 512) + 512) % 512;
  op.phys = r.phys - (slot + ahead) * span + op.at;
}

const IOREMAP = /\bop=ioremap phys=0x([0-9a-f]+) size=0x[0-9a-f]+ va=0x([0-9a-f]+)/;

function readPrint(r: Row, t: TaskState): void {
  const m = IOREMAP.exec(r.detail);
  if (!m || !t.mapping || Number(BigInt(`0x${m[2]}`) >> 12n) !== t.mapping.at) return;
  t.mapping.phys = Number(BigInt(`0x${m[1]}`) >> 12n);
}

function readTable(reader: Reader, r: Row, t: TaskState): void {
  const clears = r.event === 'pmd_clear_huge' || r.event === 'pud_clear_huge';
  if (clears && r.entryType !== 1) return; // nothing was cleared
  if ((r.event === 'pmd_set_huge' || r.event === 'pud_set_huge') && t.mapping)
    if (!t.mapping.request) readPhys(t.mapping, r);
  reader.ops.push({
    n: r.n,
    ts_ns: r.ts_ns,
    cpu: r.cpu,
    pid: r.pid,
    task: r.task,
    kind: 'table',
    event: r.event,
    entryType: r.entryType,
    table: r.entryPage,
    index: r.entryIndex,
    at: r.at,
  });
}

function readRow(reader: Reader, r: Row, t: TaskState): void {
  if (r.event === 'alloc_vmap_area') readAlloc(reader, r, t);
  else if (r.event === 'free_vmap_area_noflush') {
    t.mapping = undefined;
    reader.ops.push({
      n: r.n,
      ts_ns: r.ts_ns,
      cpu: r.cpu,
      pid: r.pid,
      task: r.task,
      kind: 'free',
      at: r.at,
      since: t.lastRow,
      nr_lazy: r.count,
      lazy_max: r.limit,
    });
  } else if (r.event === 'vmalloc_range') {
    const { size_bytes, align_bytes, flags, n, ts_ns, cpu } = r;
    reader.firstCall = Math.min(reader.firstCall, n);
    t.calls = [
      { size_bytes, align_bytes, flags, n, ts_ns, cpu, last: undefined },
      ...t.calls.slice(0, 1),
    ];
  } else if (TABLES.has(r.event)) readTable(reader, r, t);
  else if (r.event === 'mmap_lock_acquire_returned') {
    if (r.mode === 'read' && t.mapping) t.mapping.trylocks.push(r.ok);
  } else if (r.event === 'print') readPrint(r, t);
  else if (
    r.event === 'decay_node' ||
    r.event === 'purge_node' ||
    r.event === 'purge_vmap_area_lazy'
  ) {
    t.stage = { row: r, until: Number.POSITIVE_INFINITY, overflow: t.mapping?.at === -1 };
    reader.purges.push(t.stage);
  }
}

/**
 * The operations on vmalloc that a trace shows, in its order: allocations with the call behind them,
 * frees, the stages of purges, changes of page tables. Works with the vmalloc tracepoints alone; the
 * probes ptlab records make it know more.
 */
export function vmallocOps(trace: Trace): VmallocOps {
  const reader: Reader = {
    ops: [],
    tasks: new Map(),
    purges: [],
    firstProbe: Number.POSITIVE_INFINITY,
    firstCall: Number.POSITIVE_INFINITY,
  };
  for (const r of vmallocRows(trace)) {
    const key = threadOf(r);
    let t = reader.tasks.get(key);
    if (!t) {
      t = { lastRow: r.n, lastCpu: r.cpu, calls: [], mapping: undefined, stage: undefined };
      reader.tasks.set(key, t);
    }
    if (reader.firstProbe > r.n && PROBES.has(r.event)) reader.firstProbe = r.n;
    if (t.stage) t.stage.until = r.n;
    t.stage = undefined;
    readRow(reader, r, t);
    t.lastRow = r.n;
    t.lastCpu = r.cpu;
  }
  const placed = placePurges(reader.ops, reader.purges);
  return { ops: placed.ops, nodes: placed.nodes, firstProbe: reader.firstProbe };
}
