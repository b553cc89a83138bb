// Allocation contexts: what a caller of vmalloc says it may do. C: include/linux/gfp_types.h
import type { Era } from '../eras.js';

/** The flags vmalloc knows (GFP_VMALLOC_SUPPORTED of 7.x), as far as they decide who may sleep. */
export const GFPS = ['GFP_KERNEL', 'GFP_NOFS', 'GFP_NOIO', '__GFP_NOFAIL', 'GFP_NOWAIT', 'GFP_ATOMIC'] as const; // biome-ignore format: a list
export type Gfp = (typeof GFPS)[number];

/** May a caller with these flags block? C: gfpflags_allow_blocking() */
export const gfpBlocks = (gfp: Gfp): boolean => gfp !== 'GFP_NOWAIT' && gfp !== 'GFP_ATOMIC';

/** Does vmalloc keep from sleeping for such a caller? From 6.19 on; before, nobody who cannot block may call it. */
export const neverBlocks = (era: Era, gfp: Gfp): boolean => era.nonBlocking && !gfpBlocks(gfp);

/** In what surroundings a call is made. */
export const CONTEXTS = [
  'task',
  'preempt_disable',
  'rcu_read_lock',
  'spinlock',
  'irqs_off',
] as const;
export type CallContext = (typeof CONTEXTS)[number];
