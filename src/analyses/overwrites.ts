import { cursor, dictValues, ns, type Trace } from '../events/trace.js';
import { type Count, type Figures, figures, sumCounts } from './overwrite-counts.js';
import { newState, type State, scan, startOf } from './overwrite-scan.js';
import { type Phase, phases } from './phases.js';
import { type Quantiles, quantiles } from './quantiles.js';
import { geometryOf } from './slots.js';

/** One table replaced. */
export interface Overwrite {
  readonly ts_ns: number;
  readonly pid: number;
  readonly task: string;
  readonly phase: string;
  /** Start of the slot, hexadecimal. */
  readonly va: string;
  /** Since the table was installed (observed) or first needed (predicted); null if unknown. */
  readonly age_ns: number | null;
  readonly how: 'observed' | 'predicted';
}

/** Result of `overwrites`: figures of the whole trace, then by phase and task. */
export interface Overwrites extends Figures {
  readonly page_bytes: number;
  /** The trace holds the allocator's life from boot on: no table is older than it. */
  readonly from_boot: boolean;
  /** Of the observed frees: calls whose entry the trace does not show, each taken for a table. */
  readonly entries_unseen: number;
  /** Stamps of the first and last row. */
  readonly first_ns: number;
  readonly last_ns: number;
  readonly phases: Record<string, Figures>;
  /** When each phase began and ended. */
  readonly spans: readonly { phase: string; from_ns: number; to_ns: number }[];
  /** Tasks that allocated or freed anything, most overwrites first. */
  readonly by_task: (Figures & { task: string; pid: number })[];
  readonly table_age_ns: Quantiles | null;
  /** In time order: observed ones if the trace has probes, else predicted ones. */
  readonly rows: readonly Overwrite[];
}

/** When each phase began and ended: the stamps of its first row and of the next phase's. */
function spansOf(trace: Trace, list: readonly Phase[]) {
  const stamp = (row: number): number => {
    let at = row;
    for (const b of trace.batches) {
      if (at < b.numRows) return ns(cursor(b, 'ts_ns'), at);
      at -= b.numRows;
    }
    const last = trace.batches.at(-1);
    return last ? ns(cursor(last, 'ts_ns'), last.numRows - 1) : 0;
  };
  const bounds = [...list.map((p) => stamp(p.first_row)), stamp(Number.POSITIVE_INFINITY)];
  return list.map((p, i) => ({ phase: p.name, from_ns: bounds[i]!, to_ns: bounds[i + 1]! }));
}

const hex = (va: bigint): string => `0x${va.toString(16)}`;

function rowsOf(s: State, names: readonly string[], pmd_bytes: number): Overwrite[] {
  const taskOf = (pid: number): string => names[s.tasks.get(pid) ?? -1] ?? '?';
  const phaseAt = (row: number): string =>
    s.phases.findLast((p) => p.first_row <= row)?.name ?? 'all';
  const common = (x: { row: number; ts_ns: number; pid: number }) => ({
    ts_ns: x.ts_ns,
    pid: x.pid,
    task: taskOf(x.pid),
    phase: phaseAt(x.row),
  });
  if (s.probed) {
    return s.freed.map((f) => ({ ...common(f), va: hex(f.va), age_ns: f.age_ns, how: 'observed' }));
  }
  return s.predictor.predictions
    .filter((p) => p.made)
    .map((p) => ({
      ...common(p),
      va: hex(BigInt(p.table.slot) * BigInt(pmd_bytes)),
      age_ns: p.ts_ns - p.table.born_ns,
      how: 'predicted',
    }));
}

function byTask(s: State, names: readonly string[], of: (c: Count) => Figures) {
  const pids = new Map<number, Count[]>();
  for (const m of s.counts) for (const [pid, c] of m) pids.set(pid, [...(pids.get(pid) ?? []), c]);
  const list = [...pids].map(([pid, c]) => ({
    task: names[s.tasks.get(pid) ?? -1] ?? '?',
    pid,
    ...of(sumCounts(c)),
  }));
  const n = (f: Figures): number => f.observed?.pte_tables_freed ?? f.predicted.overwrites;
  return list.sort((a, b) => n(b) - n(a) || b.allocations - a.allocations || a.pid - b.pid);
}

/**
 * How often did vmalloc overwrite page tables left by an old vmalloc object? Counted from probes
 * where the trace has them, and predicted from alloc_vmap_area alone by the slot model.
 * Left out: physical addresses, so an ioremap that is aligned but not mapped by blocks is
 * predicted as if it were.
 */
export function overwrites(trace: Trace): Overwrites {
  const { page_bytes, fromBoot } = startOf(trace);
  const list = phases(trace);
  const s = newState(trace, list, page_bytes);
  scan(trace, s);
  const spans = spansOf(trace, list);
  const [first_ns, last_ns] = [spans[0]!.from_ns, spans.at(-1)!.to_ns];
  const seconds = spans.map((p) => (p.to_ns - p.from_ns) / 1e9);
  const total = (last_ns - first_ns) / 1e9;
  const names = dictValues(trace, 'task');
  const of = (c: Count, time: number): Figures => figures(c, time, s.probed, fromBoot);
  const perPhase = s.counts.map((m) => sumCounts([...m.values()]));
  const rows = rowsOf(s, names, geometryOf(page_bytes).pmd_bytes);
  return {
    ...of(sumCounts(perPhase), total),
    page_bytes,
    from_boot: fromBoot,
    entries_unseen: s.unseen,
    first_ns,
    last_ns,
    spans,
    phases: Object.fromEntries(list.map((p, i) => [p.name, of(perPhase[i]!, seconds[i]!)])),
    by_task: byTask(s, names, (c) => of(c, total)),
    table_age_ns: quantiles(rows.flatMap((r) => (r.age_ns === null ? [] : [r.age_ns]))),
    rows,
  };
}
