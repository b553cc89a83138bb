// The point where vmalloc overwrites a table left by an old object. C: mm/vmalloc.c vmap_try_huge_pmd(), _pud() (6.12,
// 7.2-rc6). Left out: the conditions on size and alignment, which the caller has checked.
import { pmd_present } from '../arm64/entry.js';
import { pmd_free_pte_page, pmd_set_huge, pud_free_pmd_page } from '../arm64/mmu.js';
import { branch, READ_ONCE } from '../memory.js';
import type { Frame } from '../scheme.js';
import type { Kernel, Place } from '../step.js';
import type { System } from '../system.js';

/** Between enterOverwrite and leaveOverwrite: the events of `probes`, free what the entry points to, set the block. */
function* overwrite(
  sys: System,
  frame: Frame,
  entry: Place,
  block: number,
  free: Kernel<0 | 1>,
  probes: Kernel | undefined,
): Kernel<0 | 1> {
  // biome-ignore format: short
  const { enterOverwrite, leaveOverwrite } = sys.scheme;
  if (enterOverwrite && !(yield* enterOverwrite(sys, frame))) return 0;
  if (probes) yield* probes;
  const set = (yield* free) ? yield* pmd_set_huge(sys, entry, block) : 0;
  if (leaveOverwrite) yield* leaveOverwrite(sys, frame);
  return set;
}

/** The PMD entry as a block: 1 if it is, 0 if the caller must map with PTEs (the scheme refused). */
export function* vmap_try_huge_pmd(
  sys: System,
  pmdp: Place,
  block: number,
  cpu: number,
  probes?: Kernel,
): Kernel<0 | 1> {
  const pmd = yield* READ_ONCE(pmdp);
  yield* branch(pmdp);
  if (!pmd_present(pmd)) return yield* pmd_set_huge(sys, pmdp, block);
  const frame = { cpu };
  return yield* overwrite(sys, frame, pmdp, block, pmd_free_pte_page(sys, pmdp, frame), probes);
}

/** The PUD entry as a block, `entries` being those of a PMD table. */
export function* vmap_try_huge_pud(
  sys: System,
  pudp: Place,
  entries: number,
  block: number,
  cpu: number,
  probes?: Kernel,
): Kernel<0 | 1> {
  const pud = yield* READ_ONCE(pudp);
  yield* branch(pudp);
  if (!pmd_present(pud)) return yield* pmd_set_huge(sys, pudp, block);
  const frame = { cpu };
  const free = pud_free_pmd_page(sys, pudp, entries, frame);
  return yield* overwrite(sys, frame, pudp, block, free, probes);
}
