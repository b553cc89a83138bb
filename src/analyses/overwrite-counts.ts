/** Counted from probes; each is a number of events, tables by the type of the entry. */
export interface Observed {
  pte_tables_allocated: number;
  pte_tables_freed: number;
  pmd_tables_freed: number;
  huge_set_pmd: number;
  huge_set_pud: number;
  huge_cleared_pmd: number;
  huge_cleared_pud: number;
}

/** What the slot model says, from alloc_vmap_area alone. */
export interface Predicted {
  /** PTE tables that huge mappings replace, one per PMD-size slot, refused ones included. */
  overwrites: number;
  /** Bounds: mappings that may never have been made; slots that may hold tables older than the trace. */
  lower: number;
  upper: number;
  /** PMD tables replaced by blocks of PUD size. */
  pmd_tables: number;
  /** Allocations that ask for huge mappings. */
  huge_mappings: number;
  /** Of the overwrites: refused by mmap_read_trylock(&init_mm), so mapped by pages instead. */
  lost_to_trylock: number;
}

/** Overwrites (observed ones where the trace has probes, else predicted) against time and work. */
export interface Rates {
  per_second: number | null;
  per_1000_huge: number | null;
  per_1000_allocations: number | null;
}

/** The figures of a whole trace, a phase or a task. */
export interface Figures {
  observed: Observed | null;
  predicted: Predicted;
  rates: Rates;
  /** alloc_vmap_area events, failed ones included. */
  allocations: number;
  seconds: number;
}

/** Running counts of one task in one phase. */
export interface Count {
  readonly observed: Observed;
  allocations: number;
  huge: number;
  overwrites: number;
  /** Slots huge mappings went to of which the trace had told nothing before. */
  unknown: number;
  pmdTables: number;
  lost: number;
  /** Overwrites of mappings that may never have been made. */
  doubtful: number;
}

export const newCount = (): Count => ({
  observed: {
    pte_tables_allocated: 0,
    pte_tables_freed: 0,
    pmd_tables_freed: 0,
    huge_set_pmd: 0,
    huge_set_pud: 0,
    huge_cleared_pmd: 0,
    huge_cleared_pud: 0,
  },
  allocations: 0,
  huge: 0,
  overwrites: 0,
  unknown: 0,
  pmdTables: 0,
  lost: 0,
  doubtful: 0,
});

type Numbers = Record<string, number>;

function addAll(to: Numbers, from: Numbers): void {
  for (const [k, v] of Object.entries(from)) if (typeof v === 'number') to[k] = to[k]! + v;
}

/** The sum of several counts. */
export function sumCounts(counts: readonly Count[]): Count {
  const all = newCount();
  for (const c of counts) {
    addAll(all as unknown as Numbers, c as unknown as Numbers);
    addAll(all.observed as unknown as Numbers, c.observed as unknown as Numbers);
  }
  return all;
}

const per = (n: number, of: number): number | null => (of > 0 ? n / of : null);

/**
 * Figures of a count.
 * @param probed whether the trace has any probe, so that zero means zero
 * @param fromBoot whether the trace holds the allocator's whole life, so that no table is older
 */
export function figures(c: Count, seconds: number, probed: boolean, fromBoot: boolean): Figures {
  const n = probed ? c.observed.pte_tables_freed : c.overwrites - c.lost;
  return {
    observed: probed ? c.observed : null,
    predicted: {
      overwrites: c.overwrites,
      lower: c.overwrites - c.doubtful,
      upper: c.overwrites + (fromBoot ? 0 : c.unknown),
      pmd_tables: c.pmdTables,
      huge_mappings: c.huge,
      lost_to_trylock: c.lost,
    },
    rates: {
      per_second: per(n, seconds),
      per_1000_huge: per(n * 1000, c.huge),
      per_1000_allocations: per(n * 1000, c.allocations),
    },
    allocations: c.allocations,
    seconds,
  };
}
