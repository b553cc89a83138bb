/** How ptdump is kept off a table that vmalloc frees. */
export type Protection = 'none' | 'static-key' | 'trylock';

/**
 * What differs between kernel versions, as far as page tables and vmalloc go. One record is one
 * parameter of the model; nothing else knows of versions.
 */
export interface Era {
  /** First release that behaves so. */
  readonly name: string;
  /** Kernels it stands for. */
  readonly kernels: string;
  /** Letter in the discussion of the patch. */
  readonly letter: 'A' | "A'" | 'B' | 'C';
  /** Are blocks used in vmalloc when CONFIG_PTDUMP_DEBUGFS=y? C: arch_vmap_pmd_supported() */
  readonly hugeWithPtdump: boolean;
  readonly protection: Protection;
  /** pud_free_pmd_page() unhooks the PMD table before it frees what is below. */
  readonly isolatesPmdTable: boolean;
  /** A request without a node is divided by the nodes online before it is held against PMD_SIZE. */
  readonly dividesByNodes: boolean;
  /** A pool of fewer than 4 areas is drained whole when it should lose a quarter. */
  readonly drainShortPools: boolean;
  /** Contiguous-PTE groups in huge mappings. C: arch_vmap_pte_supported_shift() */
  readonly contpte: boolean;
  /** Large orders are tried first for every vmalloc, without changing the mapping. */
  readonly triesLargeOrders: boolean;
  /** GFP_ATOMIC and GFP_NOWAIT are allowed, never huge. */
  readonly nonBlocking: boolean;
  /** Barriers after PTE writes are put off to the end of a lazy-MMU section. */
  readonly lazyBarriers: boolean;
  /** alloc_vmap_area reports an error number in place of the end of the range on failure. */
  readonly failsWithErrno: boolean;
  /** ptdump flushes its last line at the true end of the range. */
  readonly rangeAwareFlush: boolean;
  /** Tests of lib/test_vmalloc.c. */
  readonly tests: '6.12' | '7.x';
}

const v6_12: Era = {
  name: '6.12',
  kernels: '6.12 to 6.15, 6.12.y before 6.12.105',
  letter: 'A',
  hugeWithPtdump: false,
  protection: 'none',
  isolatesPmdTable: false,
  dividesByNodes: true,
  drainShortPools: true,
  contpte: false,
  triesLargeOrders: false,
  nonBlocking: false,
  lazyBarriers: false,
  failsWithErrno: false,
  rangeAwareFlush: false,
  tests: '6.12',
};

const v6_16: Era = {
  ...v6_12,
  name: '6.16',
  kernels: '6.16, 6.17',
  contpte: true,
  lazyBarriers: true,
};

const v6_18: Era = {
  ...v6_16,
  name: '6.18',
  kernels: '6.18 before the backport of the trylock',
  letter: 'B',
  hugeWithPtdump: true,
  protection: 'static-key',
  isolatesPmdTable: true,
};

const v6_19: Era = { ...v6_18, name: '6.19', kernels: '6.19', nonBlocking: true };

const v7_0: Era = {
  ...v6_19,
  name: '7.0',
  kernels: '7.0 to 7.2-rc5',
  dividesByNodes: false,
  drainShortPools: false,
  triesLargeOrders: true,
  failsWithErrno: true,
  rangeAwareFlush: true,
  tests: '7.x',
};

/**
 * Eras by the first release that behaves so. The sources read are 6.12.117 and about 7.1; what changed
 * between them is put where its patch was merged, and where that is not known at 7.0.
 */
export const eras = {
  '6.12': v6_12,
  '6.12.105': {
    ...v6_12,
    name: '6.12.105',
    kernels: '6.12.y from 6.12.105 on',
    letter: "A'",
    protection: 'trylock',
    rangeAwareFlush: true,
  },
  '6.16': v6_16,
  '6.18': v6_18,
  '6.19': v6_19,
  '7.0': v7_0,
  '7.2': {
    ...v7_0,
    name: '7.2',
    kernels: '7.2-rc6 and later',
    letter: 'C',
    protection: 'trylock',
    isolatesPmdTable: false,
  },
} as const satisfies Record<string, Era>;
export type EraName = keyof typeof eras;

const numbers = (release: string): number[] =>
  (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release)?.slice(1) ?? []).map((n) => Number(n ?? 0));

const notAfter = (a: readonly number[], b: readonly number[]): boolean => {
  for (let i = 0; i < 3; i++) {
    const d = (a[i] ?? 0) - (b[i] ?? 0);
    if (d !== 0) return d < 0;
  }
  return true;
};

/**
 * The era of a kernel release ('6.12.117', '7.0-rc3', '6.6.30+'); releases before 6.12 count as 6.12.
 * @throws RangeError if it does not begin with a version, naming the eras.
 */
export function eraOf(release: string): Era {
  const wanted = numbers(release);
  if (wanted.length === 0)
    throw new RangeError(
      `'${release}' is no kernel release. Known eras: ${Object.keys(eras).join(', ')}`,
    );
  const stable = wanted[0] === 6 && wanted[1] === 12 && (wanted[2] ?? 0) >= 105;
  if (stable) return eras['6.12.105'];
  let found: Era = v6_12;
  for (const era of Object.values<Era>(eras))
    if (era.name !== '6.12.105' && notAfter(numbers(era.name), wanted)) found = era;
  const rc = /^7\.2(?:\.0)?-rc([1-5])\b/.exec(release);
  return rc ? v7_0 : found;
}
