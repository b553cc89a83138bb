// A dump of init_mm's tables: locks, points and walk; what is printed does not matter here.
// C: mm/ptdump.c ptdump_walk_pgd(), arch/arm64/mm/ptdump.c (6.12, 6.18). Left out: get_online_mems().
import { mmap_write_lock, mmap_write_unlock } from '../lock.js';
import type { Frame } from '../scheme.js';
import type { Kernel, Place } from '../step.js';
import { place, type System } from '../system.js';
import { type Shape, walk_page_range } from './pagewalk.js';

/** Walk the tables below `top` once, as the `nth` walk of this task, on `cpu`. */
export function* ptdump_walk(sys: System, top: Place, shape: Shape, cpu: number, nth = 0): Kernel {
  const frame: Frame = { cpu };
  const { walkBegin, walkEnd, walkLock, walkUnlock } = sys.scheme;
  const locks = !sys.variant.has('no-walk-lock');
  if (walkBegin) yield* walkBegin(sys, frame);
  if (walkLock) yield* walkLock(sys, frame);
  else if (locks) yield* mmap_write_lock(place(sys, 'init_mm'));
  const memory = `${nth} ${Object.entries(frame).join(' ')}`;
  yield* walk_page_range(sys, top, { shape, memory });
  if (walkUnlock) yield* walkUnlock(sys, frame);
  else if (locks) yield* mmap_write_unlock(place(sys, 'init_mm'));
  if (walkEnd) yield* walkEnd(sys, frame);
  yield { op: 'forget', key: `walk ${nth}` };
}
