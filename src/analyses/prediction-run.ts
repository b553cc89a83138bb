import type { SizeRules } from '../linux/mm/vmalloc-size.js';
import { shapeOf } from '../linux/mm/vmalloc-size.js';
import { free_vmap_area_noflush } from '../linux/mm/vmap-area.js';
import { adopt, backOfPool, learn, type Replay } from './replay.js';
import { because, type Placed, performAmong, place } from './replay-allocs.js';
import { atOnce } from './replay-decay.js';
import { takeOff } from './replay-detach.js';
import { type Flights, land, onTheWay } from './replay-flights.js';
import { begin, due, type Effect, endPurge, hex } from './replay-purges.js';
import { mapArea, seeTable, type TableReplay, unmapArea } from './replay-tables.js';
import type { AllocOp, FreeOp, Op, PurgeOp } from './vmalloc-op.js';

/** One address or purge the model got wrong. */
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

/** A replay on its way, and what it has counted. */
export interface Run {
  readonly ops: readonly Op[];
  readonly replay: Replay;
  readonly tables: TableReplay;
  readonly firstProbe: number;
  /** Does the trace hold events whose format it lacks? */
  readonly formatless: boolean;
  readonly done: Set<Op>;
  readonly calls: Flights<AllocOp>;
  readonly frees: Flights<FreeOp>;
  /** The free of each area that is lazily free. */
  readonly freed: Map<number, FreeOp>;
  readonly misses: Miss[];
  total: number;
  exact: number;
  reordered: number;
  requests: number;
  exactRequests: number;
  firstRequest: string | undefined;
  readonly rules: SizeRules;
  /** Did the trace begin when vmalloc was in use already? Then what is taken is learnt from misses. */
  readonly late: boolean;
  /** Places the kernel passed over once. */
  readonly passed: Set<number>;
  purges: number;
  exactPurges: number;
  reorderedPurges: number;
  /** What was exact, but not in the order of the events. */
  readonly races: Miss[];
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
  land(run.calls, op);
  run.total++;
  if (placed.exact) run.exact++;
  if (placed.exact && placed.assumed) {
    run.reordered++;
    const at = hex(run.replay, op.at);
    run.races.push(miss(op, at, at, placed.assumed));
  }
  if (op.at < 0) return;
  const { space } = run.replay;
  const pages = mapArea(run.tables, op, op.at, op.n > run.firstProbe);
  space.areas.pages[space.busy.get(op.at)!] = pages;
}

/** Does the model choose the size and alignment that the kernel asked its allocator for? */
function checkRequest(run: Run, op: AllocOp): void {
  if (!op.request) return;
  const { size_bytes, align_bytes, flags } = op.request;
  const { size, align } = shapeOf(run.rules, size_bytes, align_bytes, flags, op.secondTry);
  run.requests++;
  if (size === op.size && align === op.align) run.exactRequests++;
  else
    run.firstRequest ??=
      `event ${op.n}: ${size_bytes} bytes aligned to ${align_bytes}, flags 0x${flags.toString(16)}: ` +
      `predicted ${size} pages aligned to ${align}, real ${op.size} aligned to ${op.align}`;
}

/** Has the kernel passed this place over before? */
function again(run: Run, place: number): boolean {
  const before = run.passed.has(place);
  run.passed.add(place);
  return before;
}

/** A place passed over once may be a race; in a trace of mid-life, or the second time, it is taken. */
function passOver(run: Run, predicted: number, real: number): void {
  if (again(run, predicted) || run.late) learn(run.replay, predicted, real);
}

function allocate(run: Run, op: AllocOp, i: number): void {
  checkRequest(run, op);
  if (run.done.has(op)) return;
  const placed = place(run.replay, run.calls, op, (o, p) => settle(run, o, p));
  settle(run, op, placed);
  if (placed.exact) return;
  run.first ??= op.n;
  if (placed.where === 'free') passOver(run, placed.predicted, op.at);
  else if (placed.where === 'pool' && again(run, placed.predicted))
    backOfPool(run.replay, placed.predicted);
  const why = because(run.ops, i, op, placed.where, run.calls, run.late);
  run.misses.push(miss(op, hex(run.replay, placed.predicted), hex(run.replay, op.at), why));
}

function release(run: Run, op: FreeOp): void {
  if (run.done.has(op)) return;
  run.done.add(op);
  land(run.frees, op);
  const { space } = run.replay;
  space.lazy_max = op.lazy_max;
  const va = space.busy.get(op.at) ?? adopt(run.replay, op.at, op.nr_lazy - space.lazy_nr);
  if (va === undefined) return;
  run.freed.set(va, op);
  unmapArea(run.tables, op.at, space.areas.pages[va]!);
  free_vmap_area_noflush(space, va);
}

function finishPurge(run: Run, op: PurgeOp): void {
  const { reordered } = run.replay;
  const result = endPurge(run.replay, op);
  run.replay.reordered = false;
  run.purges++;
  if (result.exact) run.exactPurges++;
  else run.misses.push(miss(op, result.predicted, result.real, result.because));
  if (!result.exact || !reordered) return;
  run.reorderedPurges++;
  const why = 'frees were on the way: which of them it took, its count tells';
  run.races.push(miss(op, result.predicted, result.real, why));
}

/** Let the model do one operation, and compare. */
export function step(run: Run, op: Op, i: number): void {
  const { replay } = run;
  const stages = (list: readonly Effect[]) => {
    for (const e of list) performAmong(replay, run.calls, e, op, (o, p) => settle(run, o, p));
  };
  stages(due(replay, op.n));
  if (op.kind === 'release' || op.kind === 'purge') takeOff(run, op.n, (f) => release(run, f));
  if (op.kind === 'alloc') allocate(run, op, i);
  else if (op.kind === 'free') release(run, op);
  else if (op.kind === 'purge') {
    stages(replay.effects);
    finishPurge(run, op);
  } else if (op.kind === 'table') seeTable(run.tables, op);
  else {
    const calls = onTheWay(run.calls, op.until, op.n);
    stages(begin(replay, op).filter((e) => atOnce(replay, e, calls)));
  }
}
