import { type AllocOp, type FreeOp, type Op, threadOf } from './vmalloc-op.js';

/** A call without a probe at its begin counts as under way for so long before its event. */
const UNPROBED_CALL_NS = 1e6;

/** Operations under way: begun by their first sign in the trace, not yet done. */
export interface Flights<T extends AllocOp | FreeOp> {
  readonly byBegin: readonly T[];
  /** Those at each address that are not done, the next one last. */
  readonly byPlace: ReadonlyMap<number, T[]>;
  next: number;
  open: T[];
}

function placesOf<T extends AllocOp | FreeOp>(ops: readonly T[]): Map<number, T[]> {
  const places = new Map<number, T[]>();
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i]!;
    const list = places.get(op.at);
    if (list) list.push(op);
    else places.set(op.at, [op]);
  }
  return places;
}

/** No operation begun yet. */
export const newFlights = <T extends AllocOp | FreeOp>(ops: readonly T[]): Flights<T> => ({
  byBegin: [...ops].sort((x, y) => x.since - y.since),
  byPlace: placesOf(ops),
  next: 0,
  open: [],
});

/** What has begun before place `n` of the trace, has its event at `now` or later, and is not done. */
export function onTheWay<T extends AllocOp | FreeOp>(
  f: Flights<T>,
  n: number,
  now = n,
): readonly T[] {
  if (f.open.length > 0) f.open = f.open.filter((o) => o.n >= now);
  for (let o = f.byBegin[f.next]; o && o.since < n; o = f.byBegin[++f.next])
    if (o.n >= now) f.open.push(o);
  return f.open.filter((o) => o.since < n);
}

/**
 * The calls of other tasks that were under way at `op` and may have been served by then: nobody else gets
 * their place first.
 */
export const underWay = (
  f: Flights<AllocOp>,
  op: Pick<Op, 'n' | 'ts_ns' | 'pid' | 'cpu'>,
): AllocOp[] =>
  onTheWay(f, op.n).filter(
    (o) =>
      o.n > op.n &&
      threadOf(o) !== threadOf(op) &&
      (o.request !== undefined || o.ts_ns - op.ts_ns < UNPROBED_CALL_NS) &&
      f.byPlace.get(o.at)?.at(-1) === o,
  );

/** `op` is done: no longer under way. */
export function land<T extends AllocOp | FreeOp>(f: Flights<T>, op: T): void {
  const at = f.open.indexOf(op);
  if (at >= 0) f.open.splice(at, 1);
  const list = f.byPlace.get(op.at);
  const mine = list?.lastIndexOf(op) ?? -1;
  if (mine >= 0) list!.splice(mine, 1);
}
