import { detachLazy, envelope, lazyNode } from '../linux/mm/vmap-nodes.js';
import type { Run } from './prediction-run.js';
import { onTheWay } from './replay-flights.js';
import type { DecayOp, FreeOp } from './vmalloc-op.js';

/** An area whose free was on the way when a purge took the lazy areas of its node off. */
interface Maybe {
  readonly va: number;
  readonly op: FreeOp;
  /** Its event comes later. */
  readonly ahead: boolean;
}

/** Lazy areas that were surely there when the purge came to their nodes, and those that may have been. */
function sort(run: Run, visits: readonly DecayOp[], now: number) {
  const { space } = run.replay;
  const sure = new Set<number>();
  const maybe: Maybe[] = [];
  const visit = new Map(visits.map((d) => [d.node, d]));
  for (const d of visits)
    for (const va of space.nodes[d.node]?.lazy ?? []) {
      const op = run.freed.get(va);
      if (!op || op.n < d.n) sure.add(va);
      else if (op.since < d.until) maybe.push({ va, op, ahead: false });
    }
  for (const op of onTheWay(run.frees, now)) {
    const va = space.busy.get(op.at);
    const d = va === undefined ? undefined : visit.get(lazyNode(space, va));
    if (va !== undefined && d && op.since < d.until) maybe.push({ va, op, ahead: true });
  }
  return { sure, maybe };
}

/** Those of `maybe` the purge took: as many as its event says, within its range, in the order of their events. */
function choose(run: Run, maybe: readonly Maybe[], sure: number, last: DecayOp): Maybe[] {
  const { ends } = last;
  if (!ends) return maybe.filter((m) => !m.ahead);
  const { start, end } = run.replay.space.areas;
  const edge = (m: Maybe): number => (start[m.va] === ends.start || end[m.va] === ends.end ? 0 : 1);
  return maybe
    .filter((m) => start[m.va]! >= ends.start && end[m.va]! <= ends.end)
    .sort((x, y) => edge(x) - edge(y) || x.op.n - y.op.n)
    .slice(0, Math.max(0, ends.areas - sure));
}

/**
 * A purge has been to every node and goes on: take the lazy areas off that it took. Frees on the way at
 * that time may be on either side; how many were, the event at the end of the purge tells.
 * `free` is told of each whose event comes later.
 */
export function takeOff(run: Run, now: number, free: (op: FreeOp) => void): void {
  const { replay } = run;
  const { space, visits, purge } = replay;
  if (visits.length === 0) return;
  replay.visits = [];
  const whole = visits.some((d) => d.node < 0);
  let taken: ((va: number) => boolean) | undefined;
  if (!whole) {
    const { sure, maybe } = sort(run, visits, now);
    const chosen = choose(run, maybe, sure.size, visits.at(-1)!);
    replay.reordered = chosen.some((m) => m.ahead);
    for (const m of chosen) {
      if (m.ahead) free(m.op);
      sure.add(m.va);
    }
    taken = (va) => sure.has(va);
  }
  for (let i = 0; i < space.nodes.length; i++) {
    if (!whole && !visits.some((d) => d.node === i)) continue;
    const n = detachLazy(space, i, taken);
    purge.areas += n;
    if (n > 0) envelope(space, i, purge);
  }
}
