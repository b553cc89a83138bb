// One thread of an AArch64 test as it is written: its code, registers and addresses.
import type { Place } from '../linux/step.js';
import { regionOf, type System } from '../linux/system.js';

/** What a freed table reads as. */
export const POISON = 0xdead;
/** What a reader adds to a rwsem's word; a writer sets bit 0. */
export const READER = 256;

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
  readonly zero: number[];
  readonly tables: number[];
  free: number;
  labels: number;
}

/** The word's name in a litmus test: letters, digits and '_'. */
export function word(sys: System, at: Place): string {
  const r = regionOf(sys, at)!;
  const name = r.name.replace(/\W/g, '_');
  return r.size > 1 && (r.kind === 'entries' || r.kind === 'table') ? `${name}_${at - r.base}` : name; // biome-ignore format: one line
}

/** A register nobody uses. */
export function register(t: Thread): number {
  if (t.free > 30) throw new RangeError(`thread ${t.n} needs more than 30 registers`);
  return t.free++;
}

/** A register that starts with `value`. */
export function constant(t: Thread, value: string): number {
  const known = t.init.find(([, v]) => v === value);
  if (known) return known[0];
  const r = register(t);
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
  zero: [],
  tables: [],
  free: 0,
  labels: 0,
});
