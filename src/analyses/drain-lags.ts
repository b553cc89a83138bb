import { cursor, has, ns, type Trace } from '../events/trace.js';
import { kindsOf } from './kinds.js';

const known = ['free_vmap_area_noflush', 'drain', 'purge_vmap_area_lazy'] as const;

/**
 * How long, in ns, a task went on after the free that made a drain due (more pages lazily free than allowed) until the
 * worker's drain_vmap_area_work() began: up to its last event before that, so 0 where the worker took its CPU at once.
 * Needs the probe `drain`; where somebody else purges meanwhile nothing is counted.
 */
export function drainLags(trace: Trace): number[] {
  const out: number[] = [];
  const kinds = kindsOf(trace, known);
  let due: { readonly pid: number; readonly from_ns: number; last_ns: number } | null = null;
  for (const b of trace.batches) {
    const kind = kinds(b);
    const [ts, pid] = [cursor(b, 'ts_ns'), cursor(b, 'pid')];
    const [count, limit] = [cursor(b, 'count'), cursor(b, 'limit')];
    for (let i = 0; i < kind.length; i++) {
      if (kind[i] === 0) {
        const over = has(count, i) && has(limit, i) && count.values[i]! > limit.values[i]!;
        const at = ns(ts, i);
        if (over && !due && has(pid, i)) due = { pid: pid.values[i]!, from_ns: at, last_ns: at };
      } else if (due && kind[i]! > 0) {
        if (kind[i] === 1) out.push(due.last_ns - due.from_ns);
        due = null;
      }
      if (due && has(pid, i) && pid.values[i] === due.pid) due.last_ns = ns(ts, i);
    }
  }
  return out;
}
