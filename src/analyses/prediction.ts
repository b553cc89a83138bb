import type { Trace } from '../events/trace.js';
import type { TableCounts } from '../linux/arm64/pgtable.js';
import { free_vmap_area_noflush } from '../linux/mm/vmap-area.js';
import {
  adopt,
  type Effect,
  geometryFor,
  imageFrom,
  newReplay,
  type Replay,
  vmallocRange,
} from './replay.js';
import {
  because,
  type Flights,
  land,
  newFlights,
  type Placed,
  performAmong,
  place,
} from './replay-allocs.js';
import { begin, due, endPurge, hex } from './replay-purges.js';
import { mapArea, seeTable, type TableReplay, tableReplay, unmapArea } from './replay-tables.js';
import { type AllocOp, type FreeOp, type Op, type PurgeOp, vmallocOps } from './vmalloc-ops.js';
import { inPages } from './vmalloc-pages.js';

/** One thing the model got wrong. */
export interface Miss {
  /** Place of the event in the trace. */
  readonly n: number;
  readonly time: number;
  readonly cpu: number;
  readonly task: string;
  readonly predicted: string;
  readonly real: string;
  readonly because: string;
}

/** How the model compares with a real run. */
export interface Prediction {
  readonly allocations: {
    readonly total: number;
    readonly exact: number;
    /** Of the exact ones: those that needed an order other than the trace's. */
    readonly reordered: number;
    readonly first_mismatch: number | null;
  };
  readonly purges: { readonly total: number; readonly exact: number };
  readonly tables: {
    readonly predicted: TableCounts;
    readonly observed: TableCounts | null;
    /** PTE tables of mappings that no vmalloc event announces; counted on both sides. */
    readonly untraced: number;
    readonly because: readonly string[];
  };
  readonly misses: readonly Miss[];
  readonly equal: boolean;
}

/** What the model is to start from, where the trace does not tell. */
export interface PredictOptions {
  /** Possible CPUs; default: the vmap nodes seen, else the trace's CPUs. */
  readonly cpus?: number | undefined;
  /** Pools shorter than 4 are drained whole (6.12). Default true. */
  readonly drainShortPools?: boolean;
  /** Areas of /proc/vmallocinfo at any time of the run. Default: what was taken early comes from the trace. */
  readonly areas?: readonly KnownArea[] | undefined;
}

/** An area of /proc/vmallocinfo; [start, end) in 4K pages. */
export interface KnownArea {
  readonly start: number;
  readonly end: number;
  /** First frame, in 4K pages; null where it is not known. */
  readonly phys: number | null;
}

interface Run {
  readonly ops: readonly Op[];
  readonly replay: Replay;
  readonly tables: TableReplay;
  readonly firstProbe: number;
  readonly done: Set<Op>;
  readonly flights: Flights;
  readonly misses: Miss[];
  total: number;
  exact: number;
  reordered: number;
  purges: number;
  exactPurges: number;
  first: number | null;
}

const miss = (op: Op, predicted: string, real: string, why: string): Miss => ({
  n: op.n,
  time: op.ts_ns / 1e9,
  cpu: op.cpu,
  task: `${op.task}-${op.pid}`,
  predicted,
  real,
  because: why,
});

/** Count one allocation, and map its area. */
function settle(run: Run, op: AllocOp, placed: Placed): void {
  run.done.add(op);
  land(run.flights, op);
  run.total++;
  if (placed.exact) run.exact++;
  if (placed.exact && placed.assumed) run.reordered++;
  if (op.at < 0) return;
  const { space } = run.replay;
  const pages = mapArea(run.tables, op, op.at, op.n > run.firstProbe);
  space.areas.pages[space.busy.get(op.at)!] = pages;
}

function allocate(run: Run, op: AllocOp, i: number): void {
  if (run.done.has(op)) return;
  const placed = place(run.replay, run.flights, op, (o, p) => settle(run, o, p));
  settle(run, op, placed);
  if (placed.exact) return;
  run.first ??= op.n;
  const why = because(run.ops, i, op, placed.where, run.flights);
  run.misses.push(miss(op, hex(run.replay, placed.predicted), hex(run.replay, op.at), why));
}

function release(run: Run, op: FreeOp): void {
  const { space } = run.replay;
  space.lazy_max = op.lazy_max;
  const va = space.busy.get(op.at) ?? adopt(run.replay, op.at, op.nr_lazy - space.lazy_nr);
  if (va === undefined) return;
  unmapArea(run.tables, op.at, space.areas.pages[va]!);
  free_vmap_area_noflush(space, va);
}

function finishPurge(run: Run, op: PurgeOp): void {
  const result = endPurge(run.replay, op);
  run.purges++;
  if (result.exact) run.exactPurges++;
  else run.misses.push(miss(op, result.predicted, result.real, result.because));
}

function step(run: Run, op: Op, i: number): void {
  const stage = (effect: Effect) =>
    performAmong(run.replay, run.flights, effect, (o, p) => settle(run, o, p));
  due(run.replay, op.n).forEach(stage);
  if (op.kind === 'alloc') allocate(run, op, i);
  else if (op.kind === 'free') release(run, op);
  else if (op.kind === 'purge') finishPurge(run, op);
  else if (op.kind === 'table') seeTable(run.tables, op);
  else begin(run.replay, op).forEach(stage);
}

/** The model's counts from the first probe on, as the probes would have seen them. */
function predictedCounts(t: TableReplay): TableCounts {
  const out = { ...t.tables.counts };
  for (const k of Object.keys(out) as (keyof TableCounts)[]) out[k] -= t.base[k];
  out.pte_tables_allocated += t.late + t.unplaced;
  if (t.freedBelowPud > 0 && t.seenBelowPud === 0) out.pte_tables_freed -= t.freedBelowPud;
  return out;
}

function tableNotes(run: Run, predicted: TableCounts): string[] {
  const t = run.tables;
  const notes: string[] = [];
  if (t.untraced > 0)
    notes.push(
      `${t.untraced} PTE tables belong to mappings no vmalloc event announces (PCI I/O, per-CPU memory, vm_map_ram)`,
    );
  if (t.freedBelowPud > 0 && t.seenBelowPud === 0)
    notes.push(
      `${t.freedBelowPud} PTE tables were freed below PUD entries by a function without a probe`,
    );
  for (const key of Object.keys(predicted) as (keyof TableCounts)[])
    if (predicted[key] !== t.observed[key])
      notes.push(`${key}: predicted ${predicted[key]}, observed ${t.observed[key]}`);
  for (const op of t.surplus)
    notes.push(`${op.task}-${op.pid} installed a table where the model has one (event ${op.n})`);
  for (const list of t.expected.values())
    for (const e of list)
      if (e.counted)
        notes.push(`${e.op.task}-${e.op.pid}: no table was installed for event ${e.op.n}`);
  return notes;
}

function result(run: Run): Prediction {
  const probed = run.firstProbe < Number.POSITIVE_INFINITY;
  const predicted = predictedCounts(run.tables);
  const { observed } = run.tables;
  const keys = Object.keys(predicted) as (keyof TableCounts)[];
  const same = !probed || keys.every((k) => predicted[k] === observed[k]);
  return {
    allocations: {
      total: run.total,
      exact: run.exact,
      reordered: run.reordered,
      first_mismatch: run.first,
    },
    purges: { total: run.purges, exact: run.exactPurges },
    tables: {
      predicted,
      observed: probed ? observed : null,
      untraced: run.tables.untraced,
      because: probed ? tableNotes(run, predicted) : [],
    },
    misses: run.misses,
    equal: same && run.exact === run.total && run.exactPurges === run.purges,
  };
}

/** Of the known areas, those no allocation of the trace made; the others tell frames of their ioremap. */
function earlyAreas(areas: readonly KnownArea[], ops: readonly Op[]): [number, number][] {
  const made = new Map<number, AllocOp>();
  for (const op of ops) if (op.kind === 'alloc') made.set(op.at, op);
  for (const a of areas) {
    const op = made.get(a.start);
    const unknown = op && !op.request && Number.isNaN(op.phys) && op.size === a.end - a.start;
    if (unknown && a.phys !== null) op.phys = a.phys;
  }
  return areas
    .filter((a) => !made.has(a.start))
    .map((a): [number, number] => [a.start, a.end])
    .sort((x, y) => x[0] - y[0]);
}

/**
 * Replay the operations of a real run through the model: each allocation, free and stage of a purge
 * as the trace has it, and compare every address, every purge and the page tables. After a miss the
 * replay goes on from the real address.
 */
export function predict(trace: Trace, options: PredictOptions = {}): Prediction {
  const { ops: ops4k, nodes, firstProbe } = vmallocOps(trace);
  const range4k = vmallocRange(ops4k) ?? { vstart: 0, vend: 0 };
  const g = geometryFor(range4k.vstart, range4k.vend);
  const scale = 2 ** (g.pageShift - 12);
  const known = options.areas && earlyAreas(options.areas, ops4k);
  const ops = inPages(ops4k, g.pageShift);
  const range = vmallocRange(ops) ?? range4k;
  const early = known
    ? known.map(([s, e]): [number, number] => [s / scale, e / scale])
    : imageFrom(ops, range);
  const cpus = options.cpus ?? (nodes || trace.meta.cpus || 1);
  const replay = newReplay(g, range, early, cpus, options.drainShortPools ?? true);
  const run: Run = {
    ops,
    replay,
    tables: tableReplay(replay.tables),
    firstProbe,
    done: new Set(),
    flights: newFlights(ops),
    misses: [],
    total: 0,
    exact: 0,
    reordered: 0,
    purges: 0,
    exactPurges: 0,
    first: null,
  };
  let probing = false;
  ops.forEach((op, i) => {
    if (!probing && op.n >= firstProbe) {
      probing = true;
      run.tables.base = { ...run.tables.tables.counts };
    }
    step(run, op, i);
  });
  return result(run);
}
