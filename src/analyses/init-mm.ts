import type { RecordBatch } from 'apache-arrow';
import { bool, cursor, dictValues, has, type Trace, u64 } from '../events/trace.js';
import { kindsOf } from './kinds.js';

const known = [
  'mmap_lock_acquire_returned',
  'mmap_lock_released',
  'walk',
  'walk_ret',
  'pmd_free_pte_page',
  'pmd_set_huge',
] as const;

/** What a task is in the middle of, and the mms it holds. */
interface Doing {
  walks: number;
  frees: boolean;
  readonly held: Set<bigint>;
}

interface Votes {
  readonly tasks: Map<number, Doing>;
  readonly votes: Map<bigint, number>;
  readonly write: number;
}

function taskOf(s: Votes, pid: number): Doing {
  let t = s.tasks.get(pid);
  if (!t) {
    t = { walks: 0, frees: false, held: new Set() };
    s.tasks.set(pid, t);
  }
  return t;
}

const vote = (s: Votes, mm: bigint): void => void s.votes.set(mm, (s.votes.get(mm) ?? 0) + 1);

function scan(s: Votes, b: RecordBatch, kind: Int8Array): void {
  const pid = cursor(b, 'pid');
  const lock = cursor(b, 'lock');
  const mode = cursor(b, 'lock_mode');
  const ok = cursor(b, 'ok');
  for (let i = 0; i < kind.length; i++) {
    const k = kind[i]!;
    if (k < 0 || !has(pid, i)) continue;
    const t = taskOf(s, pid.values[i]!);
    if (k === 0 && has(lock, i) && (!has(ok, i) || bool(ok, i))) {
      const mm = u64(lock, i);
      t.held.add(mm);
      const write = has(mode, i) && mode.values[i] === s.write;
      if (write ? t.walks > 0 : t.frees) vote(s, mm);
    } else if (k === 1 && has(lock, i)) t.held.delete(u64(lock, i));
    else if (k === 2) t.walks++;
    else if (k === 3) t.walks = Math.max(0, t.walks - 1);
    else if (k === 4) {
      t.frees = true;
      for (const mm of t.held) vote(s, mm);
    } else if (k === 5) t.frees = false;
  }
}

/**
 * The mm whose mmap_lock guards kernel page tables, as the trace writes it (its address is not
 * known beforehand, and may be hashed): the one most often locked for write inside
 * ptdump_walk_pgd(), or for read around the free of a kernel table. Null if neither is seen.
 */
export function initMm(trace: Trace): bigint | null {
  const write = dictValues(trace, 'lock_mode').indexOf('write');
  const s: Votes = { tasks: new Map(), votes: new Map(), write };
  const kinds = kindsOf(trace, known);
  for (const b of trace.batches) scan(s, b, kinds(b));
  let best: bigint | null = null;
  for (const [mm, n] of s.votes) if (best === null || n > s.votes.get(best)!) best = mm;
  return best;
}
