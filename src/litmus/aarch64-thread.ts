// One thread of an AArch64 test as it is written: its code, registers and addresses.
import type { Place } from '../linux/step.js';
import type { System } from '../linux/system.js';
import { word } from './export-tree.js';

/** What a reader adds to a rwsem's word; a writer sets bit 0. */
export const READER = 256;

/** Registers the condition asks about, in the order a run fills them: runs that part use the same ones. */
export interface Asked {
  readonly registers: number[];
  used: number;
}

/** The code of one thread, and what the condition says of it. */
export interface Thread {
  readonly n: number;
  readonly lines: string[];
  /** Registers with start values: [register, value or place name]. */
  readonly init: [number, string][];
  /** Places by the register that holds their address. */
  readonly address: Map<string, number>;
  /** Of each place, the register that holds what was last read there. */
  readonly last: Map<Place, number>;
  /** Registers that must be 0 at the end (locks got), and those that hold what was read of tables. */
  readonly zero: Asked;
  readonly tables: Asked;
  /** Registers in use for good, and those that held something in passing. */
  readonly kept: Set<number>;
  readonly passing: Set<number>;
  labels: number;
}

const LAST = 30;

const tooMany = (t: Thread): never => {
  throw new RangeError(`thread ${t.n} needs more than ${LAST + 1} registers`);
};

/** A register, from X0 up, that holds nothing that is still needed. */
export function register(t: Thread): number {
  const busy = new Set([...t.kept, ...t.last.values()]);
  let r = 0;
  while (busy.has(r)) r++;
  if (r > LAST) tooMany(t);
  t.passing.add(r);
  return r;
}

/** A register, from X30 down, that nothing else is ever written to: its start value, or 0, lasts. */
export function keep(t: Thread): number {
  let r = LAST;
  while (t.kept.has(r) || t.passing.has(r)) r--;
  if (r < 0) tooMany(t);
  t.kept.add(r);
  return r;
}

/** The next register the condition will ask about. */
export function asked(t: Thread, list: Asked): number {
  const r = list.registers[list.used] ?? keep(t);
  list.registers[list.used++] = r;
  return r;
}

/** A register that starts with `value`. */
export function constant(t: Thread, value: string): number {
  const known = t.init.find(([, v]) => v === value);
  if (known) return known[0];
  const r = keep(t);
  t.init.push([r, value]);
  return r;
}

/** The register that holds the address of `name`. */
export const addressOf = (t: Thread, name: string): number => {
  const known = t.address.get(name) ?? constant(t, name);
  t.address.set(name, known);
  return known;
};

/** '[Xa]' or, where the address depends on what was read at `from`, '[Xa,Xd]' with Xd always 0. */
export function operand(t: Thread, sys: System, on: Place, from: Place | undefined): string {
  const base = addressOf(t, word(sys, on));
  const source = from === undefined ? undefined : t.last.get(from);
  if (source === undefined) return `[X${base}]`;
  const zero = register(t);
  t.lines.push(`EOR X${zero},X${source},X${source}`);
  return `[X${base},X${zero}]`;
}

/** A thread with nothing in it. */
export const newThread = (n: number): Thread => ({
  n,
  lines: [],
  init: [],
  address: new Map(),
  last: new Map(),
  zero: { registers: [], used: 0 },
  tables: { registers: [], used: 0 },
  kept: new Set(),
  passing: new Set(),
  labels: 0,
});
