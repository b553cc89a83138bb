/** A kprobe: name, function, arguments; for kernels from `since` up to before `until`. */
export interface Probe {
  readonly name: string;
  readonly at: string;
  readonly args: string;
  readonly since?: string;
  readonly until?: string;
  readonly back?: boolean;
  /** Only calls with arm64's key of ptdump are wanted. */
  readonly keyOnly?: boolean;
}

/** What an analysis needs in its trace. */
export interface Need {
  readonly about: string;
  readonly events: readonly (readonly [event: string, since: string])[];
  readonly probes: readonly Probe[];
  /** Only events of init_mm's mmap_lock are wanted. */
  readonly initMm: boolean;
}

const vmalloc = [
  ['vmalloc/alloc_vmap_area', '6.1'],
  ['vmalloc/free_vmap_area_noflush', '6.1'],
  ['vmalloc/purge_vmap_area_lazy', '6.1'],
] as const;

const locks = [
  ['mmap_lock/mmap_lock_start_locking', '5.11'],
  ['mmap_lock/mmap_lock_acquire_returned', '5.11'],
  ['mmap_lock/mmap_lock_released', '5.11'],
  ['lock/contention_begin', '5.19'],
  ['lock/contention_end', '5.19'],
] as const;

const range = 'size=$arg1:u64 align=$arg2:u64 vmflags=$arg7:x64';

const tables: readonly Probe[] = [
  { name: 'vmalloc_range', at: '__vmalloc_node_range', args: range, until: '6.10' },
  { name: 'vmalloc_range', at: '__vmalloc_node_range_noprof', args: range, since: '6.10' },
  { name: 'vfree', at: 'vfree', args: 'addr=$arg1:x64' },
  ...['pmd_free_pte_page', 'pud_free_pmd_page'].map((at) => {
    const level = at.slice(0, 3);
    return { name: at, at, args: `${level}p=$arg1:x64 addr=$arg2:x64 ${level}=+0($arg1):x64` };
  }),
  ...['pmd', 'pud'].map((level) => ({
    name: `${level}_set_huge`,
    at: `${level}_set_huge`,
    args: `${level}p=$arg1:x64 phys=$arg2:x64 old=+0($arg1):x64`,
  })),
  ...['pmd', 'pud'].map((level) => ({
    name: `${level}_clear_huge`,
    at: `${level}_clear_huge`,
    args: `${level}p=$arg1:x64 ${level}=+0($arg1):x64`,
  })),
  { name: 'pte_alloc_kernel', at: '__pte_alloc_kernel', args: 'pmdp=$arg1:x64' },
  { name: 'pmd_alloc', at: '__pmd_alloc', args: 'pudp=$arg2:x64 addr=$arg3:x64' },
  { name: 'pud_alloc', at: '__pud_alloc', args: 'p4dp=$arg2:x64 addr=$arg3:x64' },
  {
    name: 'decay_node',
    at: 'decay_va_pool_node',
    args: 'vn=$arg1:x64 full=$arg2:u8',
    since: '6.9',
  },
  { name: 'purge_node', at: 'purge_vmap_node', args: 'work=$arg1:x64', since: '6.9' },
  { name: 'drain', at: 'drain_vmap_area_work', args: '' },
];

const walks: readonly Probe[] = [
  { name: 'walk', at: 'ptdump_walk_pgd', args: '' },
  { name: 'walk_ret', at: 'ptdump_walk_pgd', args: '', back: true },
  // v3 of the patch turned its key on and off; as merged (6.18 to 7.2) it counts
  { name: 'key_en', at: 'static_key_enable', args: 'key=$arg1:x64', until: '6.18' },
  { name: 'key_dis', at: 'static_key_disable', args: 'key=$arg1:x64', until: '6.18' },
  ...[
    ['key_en', 'static_key_slow_inc'],
    ['key_dis', 'static_key_slow_dec'],
  ].map(([name, at]) => ({
    name: name as string, // race-windows tells by the place that these count
    at: at as string,
    args: 'key=$arg1:x64',
    since: '6.18',
    until: '7.2',
    keyOnly: true,
  })),
];

/** What each analysis needs, by name. */
export const needs: Readonly<Record<string, Need>> = {
  overwrites: {
    about: 'how often huge mappings overwrite page tables of old objects',
    events: vmalloc,
    probes: tables,
    initMm: false,
  },
  'race-windows': {
    about: 'page tables freed while ptdump walks',
    events: [...vmalloc, ...locks],
    probes: [...tables, ...walks],
    initMm: true,
  },
  'sleep-costs': {
    about: 'who waits for init_mm, how long, and asleep or not',
    events: [...vmalloc, ...locks, ['sched/sched_switch', '2.6'], ['sched/sched_wakeup', '2.6']],
    probes: [...tables.filter((p) => /free|set_huge|range/.test(p.name)), ...walks],
    initMm: true,
  },
};
