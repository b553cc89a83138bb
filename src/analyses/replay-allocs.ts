import { peek_free_area } from '../linux/mm/free-areas.js';
import { MAX_VA_SIZE_PAGES } from '../linux/mm/vmap-nodes.js';
import { peek, type Replay, take, takeReal, type Whereabouts } from './replay.js';
import { type Flights, underWay } from './replay-flights.js';
import { advance, type Effect, perform, thinning } from './replay-purges.js';
import { type AllocOp, type Op, threadOf } from './vmalloc-op.js';

type Calls = Flights<AllocOp>;

/** Result of one allocation. */
export interface Placed {
  /** Where the area is: the real place. */
  readonly at: number;
  readonly predicted: number;
  readonly exact: boolean;
  /** What had to be assumed about the order of things that were under way together; '' if nothing. */
  readonly assumed: string;
  readonly where: Whereabouts;
}

const SAME = { where: 'free' } as const;

/** Would the model serve `op` as the kernel did, on the CPU of its event or of its call? Gives the CPU, or -1. */
export function cpuThatFits(r: Replay, op: AllocOp): number {
  if (peek(r, op) === op.at) return op.cpu;
  return op.sinceCpu !== op.cpu && op.sinceCpu >= 0 && peek(r, op, op.sinceCpu) === op.at
    ? op.sinceCpu
    : -1;
}

function accept(r: Replay, op: AllocOp, cpu: number, assumed: string): Placed {
  if (op.at >= 0) take(r, op, cpu);
  const moved = cpu === op.cpu ? '' : `the task moved from CPU ${cpu} to CPU ${op.cpu}`;
  return { ...SAME, at: op.at, predicted: op.at, exact: true, assumed: assumed || moved };
}

/** Told of each call that is served before its turn. */
export type Early = (op: AllocOp, placed: Placed) => void;

/** Most calls that may have been served first, one because of the other. */
const MOST_AHEAD = 6;

/** The call under way that got (part of) the place the model has for `op`. */
function blocker(r: Replay, f: Calls, op: AllocOp): AllocOp | undefined {
  const at = peek(r, op);
  if (at < 0) return undefined;
  return underWay(f, op).find((o) => o.at >= 0 && o.at < at + op.size && at < o.at + o.size);
}

/**
 * Make the model serve `op` as the kernel did, by what was under way: a purge gets on, or the call that
 * got the model's place is served first. Gives the CPU, or -1; `why` collects what had to be assumed.
 */
function reconcile(
  r: Replay,
  f: Calls,
  op: AllocOp,
  early: Early,
  why: string[],
  ahead = 0,
): number {
  for (let tries = 0; tries < 64; tries++) {
    const cpu = cpuThatFits(r, op);
    if (cpu >= 0 || op.at < 0) return cpu;
    const by = advance(r, op, op.cpu);
    if (by) {
      why.push(by);
      continue;
    }
    const other = ahead < MOST_AHEAD ? blocker(r, f, op) : undefined;
    if (!other) return -1;
    const fits = reconcile(r, f, other, early, why, ahead + 1);
    if (fits < 0) return -1;
    why.push(`${other.task}-${other.pid} was served first, and logged later`);
    early(other, accept(r, other, fits, 'it was served before its event was logged'));
  }
  return -1;
}

/** While a purge thins a pool it is empty for others: they are served from the free space. */
function besideThePool(r: Replay, op: AllocOp): string {
  const e = op.at >= 0 && r.space.nodes.length > 1 ? thinning(r, op.cpu) : undefined;
  if (!e) return '';
  const { size, align, vstart, vend } = op;
  if (peek_free_area(r.space.free, size, align, vstart, vend) !== op.at) return '';
  return `the purge on CPU ${e.op.cpu} had taken that pool off`;
}

/** Last resort: what was under way in its order, whether it helps or not. */
function inTurn(r: Replay, f: Calls, op: AllocOp, early: Early, why: string[]): number {
  for (let e = r.effects[0]; e; e = r.effects[0]) {
    perform(r, e);
    why.push(`a purge on CPU ${e.op.cpu} was at work`);
    const cpu = reconcile(r, f, op, early, why);
    if (cpu >= 0) return cpu;
  }
  for (const other of underWay(f, op)) {
    const fits = cpuThatFits(r, other);
    if (fits < 0) continue;
    early(other, accept(r, other, fits, 'it was served before its event was logged'));
    why.push(`${other.task}-${other.pid} was served first, and logged later`);
    const cpu = reconcile(r, f, op, early, why);
    if (cpu >= 0) return cpu;
  }
  return -1;
}

/**
 * Place `op`. First as the order of the trace says; then with what was under way at the time done before
 * it: stages of a purge, calls of other tasks.
 */
export function place(r: Replay, f: Calls, op: AllocOp, early: Early): Placed {
  const predicted = peek(r, op);
  const why: string[] = [];
  let cpu = reconcile(r, f, op, early, why);
  if (cpu >= 0) return accept(r, op, cpu, said(why));
  const beside = besideThePool(r, op);
  if (beside) {
    takeReal(r, op);
    return { ...SAME, at: op.at, predicted: op.at, exact: true, assumed: beside };
  }
  cpu = inTurn(r, f, op, early, why);
  if (cpu >= 0) return accept(r, op, cpu, said(why));
  const where = op.at >= 0 ? takeReal(r, op) : 'free';
  return { at: op.at, predicted, exact: false, assumed: '', where };
}

const said = (why: readonly string[]): string => [...new Set(why)].slice(0, 3).join('; ');

/** Calls under way that got an area out of the middle of a pool: they were served while a purge filled it. */
function serveWhileFilling(
  r: Replay,
  f: Calls,
  e: Effect,
  now: Pick<Op, 'n' | 'ts_ns' | 'pid' | 'cpu'>,
  early: Early,
): void {
  if (e.what !== 'release' || e.full || r.space.nodes.length === 1) return;
  const calls = underWay(f, { ...now, pid: e.op.pid, cpu: e.op.cpu })
    .filter((o) => coveredLater(r, e, o))
    .sort((x, y) => x.at - y.at);
  for (const o of calls) {
    advance(r, o, o.cpu);
    const cpu = cpuThatFits(r, o);
    if (cpu < 0) continue;
    early(
      o,
      accept(r, o, cpu, `it was served while the purge on CPU ${e.op.cpu} filled that pool`),
    );
  }
}

/** Does the purge put the place of `o` into its pool, and others on top of it? */
function coveredLater(r: Replay, e: Effect, o: AllocOp): boolean {
  const { areas: a, nodes } = r.space;
  if (o.cpu % nodes.length !== e.node || o.size > MAX_VA_SIZE_PAGES) return false;
  const same = nodes[e.node]!.purging.filter(
    (va) => a.end[va]! - a.start[va]! === o.size && a.vn[va] !== 0,
  );
  return same.length > 1 && same.slice(0, -1).some((va) => a.start[va] === o.at);
}

/**
 * Do a stage of a purge. Calls under way at `now` that the model would have served as the kernel did before
 * the stage, and would not after it, were served before it.
 */
export function performAmong(
  r: Replay,
  f: Calls,
  effect: Effect,
  now: Pick<Op, 'n' | 'ts_ns' | 'pid' | 'cpu'>,
  early: Early,
): void {
  const fitted = underWay(f, { ...now, pid: effect.op.pid, cpu: effect.op.cpu }).filter(
    (o) => o.at >= 0 && cpuThatFits(r, o) >= 0,
  );
  serveWhileFilling(r, f, effect, now, early);
  perform(r, effect);
  for (const op of fitted) {
    if (cpuThatFits(r, op) >= 0) continue;
    takeReal(r, op);
    const assumed = `it was served before the purge on CPU ${effect.op.cpu} came`;
    early(op, { ...SAME, at: op.at, predicted: op.at, exact: true, assumed });
  }
}

/** Why the model may have missed: what the trace shows to have been under way at the time. */
export function because(
  ops: readonly Op[],
  i: number,
  op: AllocOp,
  where: Whereabouts,
  flights: Calls,
  late: boolean,
): string {
  const reasons = underWay(flights, op).map((o) => `${o.task}-${o.pid} was allocating too`);
  for (let k = i - 1; k >= 0 && ops[k]!.n > op.since; k--) {
    const o = ops[k]!;
    if (threadOf(o) === threadOf(op) || o.kind === 'table') continue;
    if (o.kind === 'alloc') reasons.push(`${o.task}-${o.pid} was served meanwhile`);
    else if (o.kind !== 'free') reasons.push(`a purge by ${o.task}-${o.pid} was at work`);
  }
  if (where === 'lazy' || where === 'purging')
    reasons.push('the real place was still lazily free in the model: a purge gave it back sooner');
  if (where === 'pool') reasons.push('the model had the real place in a pool');
  if (where === 'busy') reasons.push('the model had the real place in use: its free was not seen');
  if (reasons.length === 0 && late)
    return 'the trace begins in mid-life: taken before it began? (--from-vmallocinfo)';
  return [...new Set(reasons)].slice(0, 3).join('; ') || 'nothing else was under way in the trace';
}
