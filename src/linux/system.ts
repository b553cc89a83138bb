import type { Scheme } from './scheme.js';
import type { Kernel, Place, Step } from './step.js';

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

/** State word of a table that is allocated; any other value means it is free (poison). */
export const LIVE = 1;
/** State word of a table that was freed. */
export const FREED = 2;
/** Words 0 to 7 are nobody's: an access there follows a NULL or cleared entry. */
export const NULL_PAGE = 8;
/** Waiters a lock has room for. */
export const MAX_WAITERS = 8;

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

function reserve(sys: System, size: number): Place {
  const base = sys.used;
  sys.used += size;
  if (sys.used > sys.cells.length) {
    const cells = new Float64Array(Math.max(sys.used, 2 * sys.cells.length));
    cells.set(sys.cells);
    const owner = new Int32Array(cells.length);
    owner.set(sys.owner);
    sys.cells = cells;
    sys.owner = owner;
  }
  return base;
}

/** Lay out `size` words called `name`; gives the first one's place. Kernel code finds it again with `place`. */
export function region(sys: System, name: string, size = 1, kind: Region['kind'] = 'word'): Place {
  const base = reserve(sys, size);
  sys.regions.push({ base, size, name, kind });
  sys.named.set(name, base);
  return base;
}

/** Lay out a live table of `n` zero entries; gives its first entry. */
export function table(sys: System, name: string, n: number): Place {
  const state = reserve(sys, n + 1);
  const base = state + 1;
  sys.cells[state] = LIVE;
  sys.owner.fill(state, base, base + n);
  sys.regions.push({ base, size: n, name, kind: 'table' });
  sys.named.set(name, base);
  return base;
}

/** Lay out a lock of any kind; its words are `system/rwsem.ts`'s business. */
export const lock = (sys: System, name: string): Place =>
  region(sys, name, 4 + MAX_WAITERS, 'lock');

/** Lay out a static key that is off: its `enabled` count, the text as patched, each CPU's view (`system/text.ts`). */
export function staticKey(sys: System, name: string, cpus: number): Place {
  const base = region(sys, name, 2 + cpus, 'text');
  sys.cells.fill(1, base + 2, base + 2 + cpus);
  sys.keys.push(base);
  return base;
}

/** Lay out an empty walk cache. */
export function walkCache(sys: System, name: string): Place {
  const base = region(sys, name, 1, 'walk-cache');
  sys.walkCaches.push(base);
  return base;
}

/**
 * The place called `name`.
 * @throws Error if nothing is called so.
 */
export function place(sys: System, name: string): Place {
  const at = sys.named.get(name);
  if (at === undefined) throw new Error(`nothing is called '${name}' in this system`);
  return at;
}

/** Add a task; the order of adding is the order of columns in a diagram. */
export function task(
  sys: System,
  name: string,
  cpu: number,
  run: Task['run'],
  daemon = false,
): Task {
  const base = region(sys, `${name} (context)`, 3);
  const made = {
    id: sys.tasks.length,
    name,
    cpu,
    daemon,
    run,
    atomic: base,
    rcu: base + 1,
    gp: base + 2,
  };
  sys.tasks.push(made);
  return made;
}

/** The region that holds `at`, by binary search (regions are laid out in order). */
export function regionOf(sys: System, at: Place): Region | undefined {
  let low = 0;
  let high = sys.regions.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (sys.regions[mid]!.base <= at) low = mid + 1;
    else high = mid;
  }
  const found = sys.regions[low - 1];
  return found && at < found.base + found.size ? found : undefined;
}

/** What people call the word at `at`: 'init_mm.mmap_lock', 'pmd[3]'. */
export function nameOf(sys: System, at: Place): string {
  const found = regionOf(sys, at);
  if (!found) return `word ${at}`;
  const indexed = found.kind === 'entries' || found.kind === 'table' || (found.kind === 'word' && found.size > 1); // biome-ignore format: one line
  return indexed ? `${found.name}[${at - found.base}]` : found.name;
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
