import type { Scheme } from './scheme.js';
import type { Kernel, Place, Step } from './step.js';
import { NULL_PAGE } from './system/layout.js';

export * from './system/layout.js';

/** A thread of execution of a run. */
export interface Task {
  /** Its index in `System.tasks`. */
  readonly id: number;
  /** Name for people: 'ptdump 0', 'vmalloc CPU1'. */
  readonly name: string;
  readonly cpu: number;
  /** A daemon (worker, softirq, hardware walker) may wait for ever: that is no deadlock. */
  readonly daemon: boolean;
  /** What it runs; called anew by every engine, as often as it likes. */
  readonly run: (sys: System) => Kernel<unknown>;
  /** Its words of `cells`: depth of contexts that forbid sleeping, depth of RCU sections, sections a grace period waits for. */
  readonly atomic: Place;
  readonly rcu: Place;
  readonly gp: Place;
}

/** A named block of `cells`. */
export interface Region {
  readonly base: Place;
  readonly size: number;
  readonly name: string;
  /** 'table': a page that can be freed; its state is the word before `base` (LIVE, or not). */
  readonly kind: 'word' | 'entries' | 'lock' | 'table' | 'text' | 'walk-cache';
}

/**
 * All state of one run. What changes is in `cells`, and only steps change it; the rest is laid out once, before the run.
 */
export interface System {
  /** Every word of shared memory; grows as regions are added (`used` words are laid out). */
  cells: Float64Array;
  used: number;
  readonly regions: Region[];
  /** Of each word of a table: the place of the table's state word; 0 for all other words. */
  owner: Int32Array;
  readonly tasks: Task[];
  readonly scheme: Scheme;
  /** What differs from the scheme as posted: 'jump-label', 'no-ipi', 'unfair' ... (`variants` in scheme.ts). */
  readonly variant: ReadonlySet<string>;
  /** Places by name, for code that shares an object: 'init_mm', 'ptdump_lock_key' ... */
  readonly named: Map<string, Place>;
  /** CPUs that execute patched text, and so have a view of their own; IPIs go to these. */
  readonly textCpus: number[];
  /** Static keys laid out (`Text` steps), and walk caches. */
  readonly keys: Place[];
  readonly walkCaches: Place[];
  /**
   * Free tables by size, where `alloc` may lay out new memory (runner, simulator); without it (explorer) `alloc` takes the
   * first table laid out beforehand that is not live.
   */
  readonly freeTables?: Map<number, Place[]>;
  /** The first thing that went wrong; set by a step, read by the engine, never by kernel code. */
  fault: Fault | undefined;
}

/** A fresh system with no memory but NULL. `grows`: `alloc` may lay out new tables (not for the explorer). */
export function newSystem(
  scheme: Scheme,
  variant: Iterable<string> = [],
  { grows = false } = {},
): System {
  return {
    ...(grows ? { freeTables: new Map() } : {}),
    fault: undefined,
    keys: [],
    walkCaches: [],
    cells: new Float64Array(64),
    used: NULL_PAGE,
    regions: [],
    owner: new Int32Array(64),
    tasks: [],
    scheme,
    variant: new Set(variant),
    named: new Map(),
    textCpus: [],
  };
}

/** What an engine found wrong at a step; `kind` is the verdict's. */
export interface Fault {
  readonly kind: FaultKind;
  /** The object: the freed table, the lock. */
  readonly on: Place;
  readonly step: Step;
}
export type FaultKind =
  | 'use after free'
  | 'double free'
  | 'deadlock'
  | 'wild access'
  | 'sleeping in atomic context';
