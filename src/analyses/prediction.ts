import { dictValues, type Trace } from '../events/trace.js';
import { type Era, eras } from '../linux/eras.js';
import { type Prediction, result } from './prediction-result.js';
import { type Run, step } from './prediction-run.js';
import { geometryFor, imageFrom, newReplay, vmallocRange } from './replay.js';
import { newFlights } from './replay-flights.js';
import { tableReplay } from './replay-tables.js';
import { type AllocOp, type FreeOp, type Op, VM_ALLOW_HUGE_VMAP } from './vmalloc-op.js';
import { vmallocOps } from './vmalloc-ops.js';
import { inPages } from './vmalloc-pages.js';
import { fromStart } from './vmalloc-purges.js';

export type { Prediction } from './prediction-result.js';
export type { Miss } from './prediction-run.js';

/** What the model is to start from, where the trace does not tell. */
export interface PredictOptions {
  /** Possible CPUs; default: the vmap nodes seen, else the trace's CPUs. */
  readonly cpus?: number | undefined;
  /** Kernel whose rules apply. Default 6.12. */
  readonly era?: Era | undefined;
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

/** Did any request that may be mapped by blocks get a place for them? Else they are switched off. */
const usesBlocks = (ops: readonly Op[], block: number): boolean => {
  const may = ops.filter(
    (o) => o.kind === 'alloc' && ((o.request?.flags ?? 0) & VM_ALLOW_HUGE_VMAP) !== 0,
  );
  return may.length === 0 || may.some((o) => o.kind === 'alloc' && o.align >= block);
};

/**
 * Replay the operations of a real run through the model: each allocation, free and stage of a purge
 * as the trace has it, and compare every address, every purge and the page tables. After a miss the
 * replay goes on from the real address.
 */
export function predict(trace: Trace, options: PredictOptions = {}): Prediction {
  const { ops: ops4k, nodes, firstProbe } = vmallocOps(trace);
  const range4k = vmallocRange(ops4k) ?? { vstart: 0, vend: 0 };
  const g = geometryFor(range4k.vstart, range4k.vend);
  const era = options.era ?? eras['6.12'];
  const scale = 2 ** (g.pageShift - 12);
  const known = options.areas && earlyAreas(options.areas, ops4k);
  const ops = inPages(ops4k, g.pageShift);
  const range = vmallocRange(ops) ?? range4k;
  const early = known
    ? known.map(([s, e]): [number, number] => [s / scale, e / scale])
    : imageFrom(ops, range);
  const cpus = options.cpus ?? (nodes || trace.meta.cpus || 1);
  const replay = newReplay(g, range, early, cpus, era.drainShortPools);
  const run: Run = {
    ops,
    replay,
    tables: tableReplay(replay.tables),
    firstProbe,
    formatless: dictValues(trace, 'event').some((e) => e.startsWith('unknown:')),
    done: new Set(),
    calls: newFlights(ops.filter((o): o is AllocOp => o.kind === 'alloc')),
    frees: newFlights(ops.filter((o): o is FreeOp => o.kind === 'free')),
    freed: new Map(),
    misses: [],
    total: 0,
    exact: 0,
    reordered: 0,
    requests: 0,
    exactRequests: 0,
    firstRequest: undefined,
    passed: new Set(),
    late: !known && !fromStart(ops),
    rules: { geometry: g, era, huge: usesBlocks(ops, g.pmd_pages), nodes: 1 },
    purges: 0,
    exactPurges: 0,
    reorderedPurges: 0,
    races: [],
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
