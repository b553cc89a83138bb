import { bool, cursor, dictValues, has, type Trace, u64 } from '../events/trace.js';

/**
 * The mm whose mmap_lock guards kernel page tables, as the trace writes it: the one a ptdump walk
 * holds for write, or a task holds for read while it frees a kernel table. Null if neither is seen.
 * (The address is not known beforehand, and may be hashed.)
 */
export function initMm(trace: Trace): bigint | null {
  const names = dictValues(trace, 'event');
  const id = (name: string): number => names.indexOf(name);
  const acquired = id('mmap_lock_acquire_returned');
  const released = id('mmap_lock_released');
  const inside = new Set([id('walk'), id('pmd_free_pte_page')].filter((i) => i >= 0));
  if (acquired < 0 || inside.size === 0) return null;
  const held = new Map<number, bigint>(); // pid -> mm locked last
  for (const b of trace.batches) {
    const event = cursor(b, 'event').values;
    const pid = cursor(b, 'pid').values;
    const lock = cursor(b, 'lock');
    const ok = cursor(b, 'ok');
    for (let i = 0; i < b.numRows; i++) {
      const e = event[i]!;
      const who = pid[i]!;
      if (e === acquired && has(lock, i)) {
        const got = !has(ok, i) || bool(ok, i);
        if (got) held.set(who, u64(lock, i));
      } else if (e === released) held.delete(who);
      else if (inside.has(e) && held.has(who)) return held.get(who)!;
    }
  }
  return null;
}
