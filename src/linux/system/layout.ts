// Laying out a system's memory before a run: words, tables, locks, keys, tasks; and their names.
import type { Place } from '../step.js';
import type { Region, System, Task } from '../system.js';

/** State word of a table that is allocated; any other value means it is free (poison). */
export const LIVE = 1;
/** State word of a table that was freed. */
export const FREED = 2;
/** Words 0 to 7 are nobody's: an access there follows a NULL or cleared entry. */
export const NULL_PAGE = 8;
/** Waiters a lock has room for (as many tasks as a word of granted readers has bits), and its words before them. */
export const MAX_WAITERS = 30;
export const LOCK_WORDS = 4;
/** In a task's `atomic` word: the count of sections with interrupts off, above that of sections without preemption. */
export const IRQS_OFF = 65536;

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
  region(sys, name, LOCK_WORDS + MAX_WAITERS, 'lock');

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
 * @throws RangeError if nothing is called so.
 */
export function place(sys: System, name: string): Place {
  const at = sys.named.get(name);
  if (at === undefined) throw new RangeError(`nothing is called '${name}' in this system`);
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
