// Giving out page tables and taking them back.
import type { Place, Step } from '../step.js';
import { type FaultKind, FREED, LIVE, type System, table } from '../system.js';

type Alloc = Extract<Step, { op: 'alloc' }>;
type Free = Extract<Step, { op: 'free' }>;

/** Note what goes wrong first. */
export function fault(sys: System, kind: FaultKind, on: Place, step: Step): void {
  sys.fault ??= { kind, on, step };
}

/** A zeroed table: one given back, one laid out beforehand, or a new one where memory may grow; 0 if there is none. */
export function alloc(sys: System, step: Alloc): Place {
  const { cells, freeTables } = sys;
  const found = freeTables
    ? freeTables.get(step.n)?.pop()
    : sys.regions.find((r) => r.kind === 'table' && r.size === step.n && cells[r.base - 1] !== LIVE)
        ?.base;
  if (found === undefined) return freeTables ? table(sys, `table ${sys.used + 1}`, step.n) : 0;
  cells[found - 1] = LIVE;
  cells.fill(0, found, found + step.n);
  return found;
}

/** Poison a table; where memory may grow, keep it for the next `alloc`. */
export function free(sys: System, step: Free): void {
  const state = sys.owner[step.on]!;
  if (sys.cells[state] !== LIVE) fault(sys, 'double free', step.on, step);
  sys.cells[state] = FREED;
  if (!sys.freeTables) return;
  const n = tableSize(sys, step.on);
  const list = sys.freeTables.get(n);
  if (list) list.push(step.on);
  else sys.freeTables.set(n, [step.on]);
}

function tableSize(sys: System, on: Place): number {
  const state = sys.owner[on]!;
  let end = on;
  while (sys.owner[end] === state) end++;
  return end - on;
}
