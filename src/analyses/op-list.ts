// The operations of a real trace as a workload: who asked vmalloc for what, when, on which CPU.
import { cursor, has, type Trace } from '../events/trace.js';
import type { Geometry } from '../linux/arm64/geometry.js';
import type { TimedOp } from '../linux/lib/op-list.js';
import { arrayBytes, ioremapAlign } from '../linux/mm/vmalloc-size.js';
import { kindsOf } from './kinds.js';
import { marks } from './phases.js';
import { geometryFor, imageFrom, vmallocRange } from './replay.js';
import { type AllocOp, type Op, threadOf, VM_ALLOW_HUGE_VMAP } from './vmalloc-op.js';
import { vmallocOps } from './vmalloc-ops.js';

/** The operations of one task, in its order. */
export interface TaskOps {
  readonly task: string;
  readonly pid: number;
  /** CPU on which most of them were done. */
  readonly cpu: number;
  /** The first one's `rest_ns` counts from the begin of the workload. */
  readonly ops: readonly TimedOp[];
}

/** Result of `opList`. */
export interface OpList {
  /** What came before MARK wl_begin, of all tasks in one order; empty without that mark. */
  readonly before: readonly TimedOp[];
  /** The busiest first. */
  readonly tasks: readonly TaskOps[];
  readonly operations: number;
  readonly cpus: number;
  readonly geometry: Geometry;
  /** Pages taken from VMALLOC_START on before the first allocation: the kernel image. */
  readonly image_pages: number;
  /** What is not in the lists, and how often. */
  readonly left_out: Readonly<Record<string, number>>;
}

interface Thread {
  readonly task: string;
  readonly pid: number;
  readonly ops: TimedOp[];
  /** When its last operation ended; when a purge under way began. */
  end_ns: number;
  purging_ns: number;
  readonly cpus: Map<number, number>;
  /** The last area asked for: its page array may come next. */
  outer: AllocOp | undefined;
}

interface Reader {
  /** 4K pages in a page. */
  readonly units: number;
  readonly geometry: Geometry;
  readonly whole: { readonly vstart: number; readonly vend: number } | undefined;
  readonly threads: Map<number, Thread>;
  /** Where an area lies -> its id; areas the model asks for by itself (page arrays). */
  readonly live: Map<number, number>;
  readonly nested: Set<number>;
  readonly requests: Map<object, number>;
  readonly before: TimedOp[];
  readonly out: Record<string, number>;
  begun: boolean;
  begin_ns: number;
  ids: number;
}

const leaveOut = (r: Reader, what: string): void => {
  r.out[what] = (r.out[what] ?? 0) + 1;
};

/** Kernel threads that purge on vmalloc's behalf: the model does so by itself. */
const DRAINS = /^(kworker|kswapd|swapper|<idle>)/;

const bytesOf = (o: AllocOp): number => o.request?.size_bytes ?? (o.size - o.guard) * 4096;

/** Is this the page array of the area asked for before? */
function isPageArray(r: Reader, t: Thread, o: AllocOp): boolean {
  if (t.outer === undefined) return false;
  const page_bytes = r.units * 4096;
  const array = arrayBytes(Math.ceil(bytesOf(t.outer) / page_bytes));
  const whole = Math.ceil(array / page_bytes) * page_bytes;
  return array > page_bytes && bytesOf(o) === (o.request ? array : whole);
}

type What =
  | { op: 'vmalloc'; id: number; size_bytes: number; align_bytes: number; flags: number; range?: { vstart: number; vend: number } }
  | { op: 'ioremap'; id: number; phys_bytes: number; size_bytes: number }
  | { op: 'vfree'; id: number }
  | { op: 'purge' }; // biome-ignore format: a table

function put(r: Reader, t: Thread, o: Op, begin_ns: number, what: What): void {
  const cpu = Math.max(0, o.cpu);
  const rest_ns = Math.max(0, begin_ns - Math.max(t.end_ns, r.begin_ns));
  (r.begun ? t.ops : r.before).push({ rest_ns, cpu, ...what });
  if (r.begun) t.cpus.set(cpu, (t.cpus.get(cpu) ?? 0) + 1);
  t.end_ns = o.ts_ns;
}

/** ioremap() aligns to its size, which vmalloc does only for whole blocks. */
const alignedAsIoremap = (r: Reader, o: AllocOp): boolean =>
  o.align > r.units &&
  o.align !== r.geometry.pmd_pages * r.units &&
  o.align * 4096 === ioremapAlign(r.geometry, bytesOf(o));

/** What an area was asked for, as far as the trace tells: without a probe, by size and alignment. */
function asked(r: Reader, o: AllocOp, id: number): What {
  const size_bytes = bytesOf(o);
  if (!o.request && (o.probed || alignedAsIoremap(r, o))) {
    // No __vmalloc_node_range(): ioremap, vmap, vm_map_ram. Unless the trace has its frames, some that no block fits.
    const phys_bytes = (Number.isNaN(o.phys) ? r.units : o.phys) * 4096;
    return { op: 'ioremap', id, phys_bytes, size_bytes };
  }
  const block = r.geometry.pmd_pages * r.units;
  const blocks = o.align === block && (o.size - o.guard) % block === 0;
  const flags = o.request?.flags ?? (blocks ? VM_ALLOW_HUGE_VMAP : 0);
  const align_bytes = o.request?.align_bytes ?? (blocks ? 1 : o.align * 4096);
  const range = { vstart: o.vstart / r.units, vend: o.vend / r.units };
  const elsewhere = o.vstart !== r.whole?.vstart || o.vend !== r.whole?.vend;
  return { op: 'vmalloc', id, size_bytes, align_bytes, flags: flags || 0, ...(elsewhere ? { range } : {}) }; // biome-ignore format: one line
}

function alloc(r: Reader, t: Thread, o: AllocOp): void {
  // A second attempt of a call, or its page array: the model makes it by itself.
  const again = o.request && r.requests.get(o.request);
  if (again !== undefined && o.at >= 0) r.live.set(o.at, again);
  const array = again === undefined && isPageArray(r, t, o);
  if (array && o.at >= 0) r.nested.add(o.at);
  if (again !== undefined || array) {
    t.end_ns = o.ts_ns;
    return;
  }
  const id = ++r.ids;
  if (o.request) r.requests.set(o.request, id);
  if (o.at >= 0) r.live.set(o.at, id);
  t.outer = o;
  put(r, t, o, o.begin_ns, asked(r, o, id));
}

function free(r: Reader, t: Thread, o: Extract<Op, { kind: 'free' }>): void {
  t.outer = undefined;
  if (r.nested.delete(o.at)) {
    t.end_ns = o.ts_ns;
    return;
  }
  const id = r.live.get(o.at);
  r.live.delete(o.at);
  if (id === undefined) leaveOut(r, 'frees of areas that no event took');
  else put(r, t, o, o.ts_ns, { op: 'vfree', id });
}

function purge(r: Reader, t: Thread, o: Op): void {
  const began = Number.isNaN(t.purging_ns) ? o.ts_ns : t.purging_ns;
  t.purging_ns = Number.NaN;
  if (DRAINS.test(o.task)) leaveOut(r, 'purges by kernel threads');
  else put(r, t, o, began, { op: 'purge' });
}

function take(r: Reader, o: Op): void {
  const key = threadOf(o);
  let t = r.threads.get(key);
  if (!t) {
    t = { task: o.task, pid: o.pid, ops: [], end_ns: 0, purging_ns: Number.NaN, cpus: new Map(), outer: undefined }; // biome-ignore format: one line
    r.threads.set(key, t);
  }
  if (o.kind === 'alloc') alloc(r, t, o);
  else if (o.kind === 'free') free(r, t, o);
  else if (o.kind === 'purge') purge(r, t, o);
  else if (o.kind === 'table') t.end_ns = o.ts_ns;
  else if (Number.isNaN(t.purging_ns)) t.purging_ns = o.ts_ns;
}

/** Tasks that read the dump: a run has readers of its own. */
function walkersOf(trace: Trace): Set<number> {
  const out = new Set<number>();
  const kinds = kindsOf(trace, ['walk'] as const);
  for (const b of trace.batches) {
    const pid = cursor(b, 'pid');
    const kind = kinds(b);
    for (let i = 0; i < kind.length; i++) if (kind[i] === 0 && has(pid, i)) out.add(pid.values[i]!);
  }
  return out;
}

const mostOf = (m: ReadonlyMap<number, number>): number =>
  [...m].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;

function readerOf(ops: readonly Op[], begun: boolean): { r: Reader; geometry: Geometry } {
  const whole = vmallocRange(ops);
  const geometry = geometryFor(whole?.vstart ?? 0, whole?.vend ?? 0);
  const r: Reader = {
    units: geometry.pageSize_bytes / 4096, geometry, whole, threads: new Map(), live: new Map(),
    nested: new Set(), requests: new Map(), before: [], out: {}, begun,
    begin_ns: ops[0]?.ts_ns ?? 0, ids: 0,
  }; // biome-ignore format: a table
  return { r, geometry };
}

/**
 * The operations of a trace as one list a task: between MARK wl_begin and wl_end where it has them. Works with the vmalloc
 * tracepoints alone. Left out, and counted: what readers of the dump allocate, purges by kernel threads, frees of areas
 * that the trace does not see allocated.
 */
export function opList(trace: Trace): OpList {
  const { ops } = vmallocOps(trace);
  const all = marks(trace);
  const begin = all.find((m) => m.name === 'wl_begin')?.row ?? -1;
  const end = all.find((m) => m.name === 'wl_end' && m.row > begin)?.row ?? Number.POSITIVE_INFINITY; // biome-ignore format: one line
  const { r, geometry } = readerOf(ops, begin < 0);
  const walkers = walkersOf(trace);
  for (const o of ops) {
    if (o.n >= end) break;
    if (!r.begun && o.n > begin) {
      r.begun = true;
      r.begin_ns = o.ts_ns;
    }
    if (walkers.has(o.pid) && o.kind !== 'free') leaveOut(r, 'operations of readers of the dump');
    else take(r, o);
  }
  const tasks = [...r.threads.values()]
    .filter((t) => t.ops.length > 0)
    .map(({ task, pid, cpus, ops }) => ({ task, pid, cpu: mostOf(cpus), ops }))
    .sort((a, b) => b.ops.length - a.ops.length);
  const image = r.whole ? imageFrom(ops, r.whole) : [];
  return {
    before: r.before,
    tasks,
    operations: tasks.reduce((n, t) => n + t.ops.length, 0),
    cpus: ops.reduce((n, o) => Math.max(n, o.cpu + 1), 1),
    geometry,
    image_pages: image.reduce((n, [from, to]) => n + (to - from) / r.units, 0),
    left_out: r.out,
  };
}
