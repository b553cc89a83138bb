import type { Geometry } from '../arm64/geometry.js';

/** Largest order of the page allocator: a PMD block, at least 10. C: MAX_PAGE_ORDER, ARCH_FORCE_MAX_ORDER */
export const maxPageOrder = (g: Geometry): number => Math.max(10, g.shift[1]!);
