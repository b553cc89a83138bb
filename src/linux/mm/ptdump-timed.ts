// A dump of the tables vmalloc has, for runs in time: what other CPUs can see half done is a step, the rest is work.
// C: mm/ptdump.c ptdump_walk_pgd(), mm/pagewalk.c (6.12). Left out: every entry that is not a table is work, not a read.
import { pmd_table, tableOf } from '../arm64/entry.js';
import { mmap_write_lock, mmap_write_unlock } from '../lock.js';
import { READ_ONCE } from '../memory.js';
import { trace, work } from '../sched.js';
import type { Frame } from '../scheme.js';
import { flat } from '../step/flat.js';
import type { Kernel, Place } from '../step.js';
import { place, type System } from '../system.js';
import type { VmallocState } from './vmalloc-state.js';

/** Index of the first entry from `i` on that points to a table; `n` if there is none. */
function nextTable(cells: Float64Array, table: Place, i: number, n: number): number {
  let at = i;
  while (at < n && !pmd_table(cells[table + at]!)) at++;
  return at;
}

/** Entries below `table` at `height`: a read each that points to a table, and its PTEs as one work behind one read. */
function* walkBelow(vm: VmallocState, table: Place, n: number, height: number): Kernel {
  const { sys } = vm; // whose cells may move when memory grows
  let plain = n;
  for (
    let i = nextTable(sys.cells, table, 0, n);
    i < n;
    i = nextTable(sys.cells, table, i + 1, n)
  ) {
    plain--;
    const entry = yield* READ_ONCE(table + i);
    if (!pmd_table(entry)) continue;
    const below = tableOf(entry);
    if (height > 1) yield* walkBelow(vm, below, vm.geometry.entries, height - 1);
    else {
      yield* work('ptdump_entry', 1); // between the entry and its PTEs lies the race window
      yield* READ_ONCE(below, { addr: table + i });
      yield* work('ptdump_entry', vm.geometry.entries - 1);
      yield* READ_ONCE(below + vm.geometry.entries - 1, { addr: table + i });
    }
  }
  if (plain > 0) yield* work('ptdump_entry', plain);
}

/** What a dump walks besides vmalloc's tables, and how often. */
export interface Dumping {
  /** Entries of all other tables: linear mapping, vmemmap ... */
  readonly rest_entries: number;
  /** Complete walks a read makes: seq_file doubles its buffer and starts anew. */
  readonly walks_per_read: number;
}

/**
 * Complete walks that one read of a dump of `text_bytes` makes: seq_file begins with a page of `page_bytes` and, whenever the
 * text does not fit, doubles its buffer and shows everything again. C: fs/seq_file.c seq_read_iter() (single_open)
 */
export function walksOfDump(text_bytes: number, page_bytes = 4096): number {
  let walks = 1;
  for (let room = page_bytes; text_bytes >= room; room *= 2) walks++;
  return walks;
}

/** One complete walk, with the scheme's points. C: ptdump_walk() */
export function* ptdump_walk_timed(vm: VmallocState, d: Dumping, cpu: number): Kernel {
  const { sys, geometry: g } = vm;
  const frame: Frame = { cpu };
  const { walkBegin, walkEnd, walkLock, walkUnlock } = sys.scheme;
  if (walkBegin) yield* walkBegin(sys, frame);
  yield* trace('walk', {});
  if (walkLock) yield* walkLock(sys, frame);
  else yield* mmap_write_lock(place(sys, 'init_mm'));
  yield* work('ptdump_entry', d.rest_entries);
  yield* walkBelow(vm, vm.top, topEntries(g), g.levels - 1);
  if (walkUnlock) yield* walkUnlock(sys, frame);
  else yield* mmap_write_unlock(place(sys, 'init_mm'));
  yield* trace('walk_ret', {});
  if (walkEnd) yield* walkEnd(sys, frame);
}

const topEntries = (g: VmallocState['geometry']): number => g.topEntries;

/** A task that reads the dump again and again: a daemon, or `reads` times. */
export function* reads_dump(
  vm: VmallocState,
  d: Dumping,
  cpu: number,
  reads: number,
  stop: (sys: System) => boolean,
): Kernel {
  for (let i = 0; i < reads && !stop(vm.sys); i++) {
    for (let k = 0; k < d.walks_per_read; k++) {
      if (k > 0) yield* work('seq_file', 1);
      yield* ptdump_walk_timed(vm, d, cpu);
    }
    yield* work('next read', 1);
  }
}

flat(walkBelow, ptdump_walk_timed, reads_dump);
