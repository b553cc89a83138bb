// What a step costs in time. One table for every machine; profiles scale or replace entries; a profile fitted to a real
// trace (`ptlab calibrate`) adds segments: times between two neighbouring events of one task, which then rule.

/** A spread of times: a log-normal by median and sigma, or the quantiles of what was measured, ascending. */
export type Dist =
  | { readonly median_ns: number; readonly sigma?: number }
  | { readonly quantiles_ns: readonly number[] };

/** One entry of the table: the cost and where it comes from. */
export interface Cost {
  readonly dist: Dist;
  readonly source: string;
}

const seed = 'estimate, ~3 GHz server class (reference 5.6)';
const cost = (median_ns: number, sigma = 0.3, source = seed): Cost => ({
  dist: { median_ns, sigma },
  source,
});

/** The seeds: every kind of step, its cost on a 3 GHz server core without contention. */
export const seeds = {
  read: cost(2),
  write: cost(2),
  rmw: cost(10, 0.3, 'uncontended LSE atomic 5 to 20 ns (reference 5.6, estimate)'),
  'dmb ish': cost(10),
  'dsb ishst': cost(25, 0.4, 'dsb(ishst) 10 to 50 ns (reference 5.6, estimate)'),
  'dsb ish': cost(60, 0.5),
  isb: cost(10),
  tlbi: cost(250, 0.5, 'tlbi vaae1is + dsb 100 to 500 ns on a small SoC (reference 5.6, estimate)'),
  'tlbi all': cost(2000, 0.5, 'broadcast flush 1 to 5 us (reference 5.6, estimate)'),
  'rwsem lock': cost(15, 0.2, 'rwsem read lock + unlock 20 to 40 ns (reference 5.6, estimate)'),
  'rwsem unlock': cost(15, 0.2, 'rwsem read lock + unlock 20 to 40 ns (reference 5.6, estimate)'),
  'spin lock': cost(12, 0.2),
  'spin unlock': cost(6, 0.2),
  'line transfer': cost(60, 0.4, 'line from another core of the socket (estimate)'),
  'line remote': cost(200, 0.4, 'line from another socket 100 to 400 ns (reference 5.6, estimate)'),
  'alloc table': cost(250, 0.4, 'zeroed 4K page 150 to 400 ns (reference 5.6, estimate)'),
  'free table': cost(70, 0.3, 'page to the pcp list 50 to 100 ns (reference 5.6, estimate)'),
  'key flip': cost(
    20000,
    0.4,
    'IPI round 10 to 40 us at 128 CPUs + sites (reference 5.6, estimate)',
  ),
  'key count': cost(20, 0.3),
  'key test': cost(1, 0, 'a NOP or B'),
  ipi: cost(3000, 0.4, 'IPI and wait 2 to 5 us at 8 CPUs (reference 5.6, estimate)'),
  'might sleep': cost(1, 0),
  'context switch': cost(
    1500,
    0.3,
    'sleep + wake-up 3 to 10 us together (reference 5.6, estimate)',
  ),
  'wake-up': cost(3500, 0.5, 'sleep + wake-up 3 to 10 us together (reference 5.6, estimate)'),
  'work item': cost(5000, 0.5, 'sleep + wake-up 3 to 10 us together (reference 5.6, estimate)'),
  'rwsem wake': cost(100, 0.3),
  alloc_pages: cost(60, 0.4, 'order-0 page from the bulk allocator (estimate)'),
  split_page: cost(2, 0.3, 'reference count of one page (estimate)'),
  free_pages: cost(40, 0.3),
  set_pte_at: cost(3, 0.2, 'store of one PTE, barriers apart (estimate)'),
  ptep_get_and_clear: cost(4, 0.2),
  ptdump_entry: cost(8, 0.2, 'ptdump 5 to 10 ns a visited PTE (reference 5.6, estimate)'),
  'next read': cost(1e6, 0.5, 'a reader opens the file again (choice of the workload)'),
  seq_file: cost(20000, 0.5, 'buffer doubled, show() again (estimate)'),
  work: cost(100, 0.3),
  free: cost(0, 0, 'costs nothing: a mark of the model'),
} as const satisfies Record<string, Cost>;
export type CostName = keyof typeof seeds;

/** A machine: factors on the seeds, costs of its own, tick rate. */
export interface Profile {
  readonly name: string;
  readonly about: string;
  /** Seeds times this, where `own` has no entry. */
  readonly factor: number;
  readonly own: Partial<Record<CostName, Cost>>;
  readonly hz: number;
  /** Cores that share a socket. */
  readonly socket: number;
  /** 'event>event' -> time between the two, of one task, waits apart. Measured only. */
  readonly segments: Readonly<Record<string, Dist>>;
  /** Complete walks a read of the dump makes. */
  readonly walks_per_read: number;
  /** Share of the time of a key flip after which the new text stands; the rest is the wait for all CPUs. */
  readonly patch_share: number;
}

/** N sites of 0.5 to 1 us against an IPI round of 10 to 40 us (reference 5.6). */
export const PATCH_SHARE = 0.1;

const none = {
  own: {},
  hz: 250,
  socket: 64,
  segments: {},
  walks_per_read: 3,
  patch_share: PATCH_SHARE,
} as const;

/** Machines of which nothing was measured: seeds and factors. */
export const profiles = {
  'small-soc': {
    ...none,
    name: 'small-soc',
    about: '8 small cores at 2 GHz, one cluster',
    factor: 2,
    own: { tlbi: seeds.tlbi, 'key flip': cost(6000, 0.4), ipi: cost(3000, 0.4) },
    socket: 8,
  },
  'mesh-server': {
    ...none,
    name: 'mesh-server',
    about: '128 cores at 3 GHz on a mesh, two sockets',
    factor: 1,
    own: {
      tlbi: cost(1000, 0.5, 'tlbi 0.5 to 2 us on a large mesh (reference 5.6, estimate)'),
      'tlbi all': cost(5000, 0.5),
    },
  },
  'emulated-guest': {
    ...none,
    name: 'emulated-guest',
    about: 'QEMU TCG guest on a busy host: some hundred times slower; calibrate for figures',
    factor: 30,
    own: { 'wake-up': cost(60000, 0.6), 'context switch': cost(30000, 0.5) },
  },
} as const satisfies Record<string, Profile>;
