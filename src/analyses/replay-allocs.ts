import { type Effect, peek, type Replay, take, takeReal, type Whereabouts } from './replay.js';
import { perform } from './replay-purges.js';
import { type AllocOp, type Op, threadOf } from './vmalloc-op.js';

/** A call without a probe at its begin counts as under way for so long before its event. */
const UNPROBED_CALL_NS = 1e6;

/** Calls under way: begun by their first sign in the trace, not yet served. */
export interface Flights {
  readonly byBegin: readonly AllocOp[];
  next: number;
  open: AllocOp[];
}

/** No call begun yet. */
export const newFlights = (ops: readonly Op[]): Flights => ({
  byBegin: ops.filter((o): o is AllocOp => o.kind === 'alloc').sort((x, y) => x.since - y.since),
  next: 0,
  open: [],
});

/** The calls of other tasks that were under way at `op`. */
export function underWay(f: Flights, op: Pick<Op, 'n' | 'ts_ns' | 'pid' | 'cpu'>): AllocOp[] {
  for (let o = f.byBegin[f.next]; o && o.since < op.n; o = f.byBegin[++f.next]) f.open.push(o);
  return f.open.filter(
    (o) =>
      o.n > op.n &&
      threadOf(o) !== threadOf(op) &&
      (o.request !== undefined || o.ts_ns - op.ts_ns < UNPROBED_CALL_NS),
  );
}

/** `op` is served: no longer under way. */
export function land(f: Flights, op: AllocOp): void {
  const at = f.open.indexOf(op);
  if (at >= 0) f.open.splice(at, 1);
}

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

/**
 * Place `op`. First as the order of the trace says; then, one by one, with the stages of a purge done
 * that had begun, and with calls served first that were under way.
 */
export function place(r: Replay, flights: Flights, op: AllocOp, early: Early): Placed {
  const predicted = peek(r, op);
  let cpu = cpuThatFits(r, op);
  if (cpu >= 0) return accept(r, op, cpu, '');
  for (let e = r.effects.shift(); e; e = r.effects.shift()) {
    perform(r, e);
    cpu = cpuThatFits(r, op);
    if (cpu >= 0) return accept(r, op, cpu, `a purge on CPU ${e.op.cpu} was at work`);
  }
  for (const other of underWay(flights, op)) {
    const fits = cpuThatFits(r, other);
    if (fits < 0) continue;
    early(other, accept(r, other, fits, 'it was served before its event was logged'));
    cpu = cpuThatFits(r, op);
    if (cpu >= 0)
      return accept(r, op, cpu, `${other.task}-${other.pid} was served first, and logged later`);
  }
  const where = op.at >= 0 ? takeReal(r, op) : 'free';
  return { at: op.at, predicted, exact: false, assumed: '', where };
}

/**
 * Do a stage of a purge. Calls under way that the model would have served as the kernel did before the
 * stage, and would not after it, were served before it.
 */
export function performAmong(r: Replay, flights: Flights, effect: Effect, early: Early): void {
  const fitted = underWay(flights, effect.op).filter((o) => cpuThatFits(r, o) >= 0);
  perform(r, effect);
  for (const op of fitted) {
    if (op.at < 0 || cpuThatFits(r, op) >= 0) continue;
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
  flights: Flights,
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
