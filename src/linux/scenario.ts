import type { Scheme } from './scheme.js';
import type { System } from './system.js';

/** One size of a scenario: its default, its range, what it counts. */
export interface Size {
  readonly preset: number;
  readonly min: number;
  readonly max: number;
  readonly about: string;
}

/** Sizes by name, as the user chose them or by default: readers, freers, tables, entries ... */
export type Sizes = Readonly<Record<string, number>>;

/** Who runs what on which CPU, and the state they start from. What must never be seen is the same everywhere: `FaultKind`. */
export interface Scenario {
  readonly name: string;
  /** One line for the list. */
  readonly about: string;
  readonly sizes: Readonly<Record<string, Size>>;
  /** Lay out memory and tasks. Pure: the same arguments give the same system. */
  readonly build: (scheme: Scheme, sizes: Sizes, variant: Iterable<string>) => System;
}

/**
 * `given` completed with a scenario's defaults.
 * @throws RangeError naming the size, its value and its range; for a name the scenario does not have, the known ones.
 */
export function sizesOf(scenario: Scenario, given: Readonly<Record<string, number>>): Sizes {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(scenario.sizes, name))
      throw new RangeError(
        `${scenario.name} has no size '${name}'. Known: ${Object.keys(scenario.sizes).join(', ')}`,
      );
  const out: Record<string, number> = {};
  for (const [name, size] of Object.entries(scenario.sizes)) {
    const value = given[name] ?? size.preset;
    if (!Number.isInteger(value) || value < size.min || value > size.max)
      throw new RangeError(`${name} is ${value}; it must be ${size.min} to ${size.max}`);
    out[name] = value;
  }
  return out;
}
