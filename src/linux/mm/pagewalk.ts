// The walk of a kernel page table in software, as far as the explorer's small tables go.
// C: mm/pagewalk.c walk_pud_range(), walk_pmd_range(), walk_pte_range() (6.12).
import { pmd_table, tableEntry, tableOf } from '../arm64/entry.js';
import { branch, READ_ONCE } from '../memory.js';
import type { Deps, Kernel, Place } from '../step.js';
import type { System } from '../system.js';

/** What a walk finds: entries per table, and the level of the top table. */
export interface Shape {
  /** Entries of the top table. */
  readonly top: number;
  /** Entries of each PMD table, where the top table is of PUDs; 0 where it is of PMDs. */
  readonly pmds: number;
  /** Entries read of each PTE table. */
  readonly ptes: number;
}

/**
 * The entry at `at`, as the walk last reads it before it descends. The kernel reads it four times (none? callback, leaf?,
 * then once more for the table's address); an earlier read can only end the walk sooner, so one is enough to find a freed
 * table. With the variant 'full-walk' all four are done: then the last may find the entry cleared, or a block, under it, and the
 * table's address is computed from that: pte_offset_kernel() and pmd_offset() read the entry anew and do not look whether it
 * is still a table. Real, as the source has it, wherever the clear takes no lock that the walk holds (v3 to v6, rcu-walker,
 * rcu-free); no recorded run shows it. 'checked-walk' looks: then v3 to v6 are as safe as with one read.
 */
function* entryAt(sys: System, at: Place, deps?: Deps): Kernel<number> {
  const { variant } = sys;
  const full = variant.has('full-walk') || variant.has('checked-walk');
  if (full)
    for (let i = 0; i < 3; i++) {
      const seen = yield* pXdp_get(at, deps);
      yield* branch(at);
      if (!pmd_table(seen)) return 0;
    }
  const entry = yield* pXdp_get(at, deps);
  if (full && !variant.has('checked-walk')) return pmd_table(entry) ? entry : tableEntry(0);
  yield* branch(at);
  return entry;
}

/** pmdp_get, pudp_get: READ_ONCE of an entry. */
function* pXdp_get(at: Place, deps?: Deps): Kernel<number> {
  return yield { op: 'read', on: at, mode: 'once', ...deps, by: 'pXdp_get' };
}

function* walk_pte_range(pmdp: Place, entry: number, shape: Shape): Kernel {
  for (let i = 0; i < shape.ptes; i++) yield* READ_ONCE(tableOf(entry) + i, { addr: pmdp });
}

function* walk_pmd_range(sys: System, pmds: Place, n: number, walk: Walk, deps?: Deps): Kernel {
  for (let i = 0; i < n; i++) {
    const entry = yield* entryAt(sys, pmds + i, deps);
    if (pmd_table(entry)) yield* walk_pte_range(pmds + i, entry, walk.shape);
    yield { op: 'forget', key: `${walk.memory} ${pmds + i}` };
  }
}

/** A walk: what it finds, and what its caller remembers beyond it (which walk this is, its frame), in words. */
export interface Walk {
  readonly shape: Shape;
  readonly memory: string;
}

/** Walk the tables below `top` in ascending order, reading every entry. */
export function* walk_page_range(sys: System, top: Place, walk: Walk): Kernel {
  const { shape } = walk;
  if (shape.pmds === 0) {
    yield* walk_pmd_range(sys, top, shape.top, walk);
    return;
  }
  for (let i = 0; i < shape.top; i++) {
    const pud = yield* entryAt(sys, top + i);
    if (pmd_table(pud))
      yield* walk_pmd_range(sys, tableOf(pud), shape.pmds, walk, { addr: top + i });
    yield { op: 'forget', key: `${walk.memory} ${top + i}` };
  }
}
