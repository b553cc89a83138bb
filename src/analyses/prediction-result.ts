import type { TableCounts } from '../linux/arm64/pgtable.js';
import type { Miss, Run } from './prediction-run.js';
import { hex } from './replay-purges.js';
import type { TableReplay } from './replay-tables.js';
import { type OpBase, threadOf } from './vmalloc-op.js';

/** How the model compares with a real run. */
export interface Prediction {
  readonly allocations: {
    readonly total: number;
    readonly exact: number;
    /** Of the exact ones: those that needed an order other than the trace's. */
    readonly reordered: number;
    readonly first_mismatch: number | null;
  };
  /** Requests whose area has the size and alignment the model chooses; where calls were probed. */
  readonly requests: {
    readonly total: number;
    readonly exact: number;
    readonly first_mismatch: string | null;
  };
  readonly purges: {
    readonly total: number;
    readonly exact: number;
    /** Of the exact ones: those that took areas whose free events come later, or left some behind. */
    readonly reordered: number;
  };
  readonly tables: {
    readonly predicted: TableCounts;
    readonly observed: TableCounts | null;
    /** PTE tables of mappings that no vmalloc event announces; counted on both sides. */
    readonly untraced: number;
    readonly because: readonly string[];
  };
  readonly misses: readonly Miss[];
  /** What is exact only in an order other than that of the events, and what shows that order. */
  readonly races: readonly Miss[];
  readonly equal: boolean;
}

/** The model's counts from the first probe on, as the probes would have seen them. */
function predictedCounts(t: TableReplay): TableCounts {
  const out = { ...t.tables.counts };
  for (const k of Object.keys(out) as (keyof TableCounts)[]) out[k] -= t.base[k];
  out.pte_tables_allocated += t.late + t.unplaced;
  if (t.freedBelowPud > 0 && t.seenBelowPud === 0) out.pte_tables_freed -= t.freedBelowPud;
  return out;
}

/**
 * Can the trace not tell this count? It holds events whose format it lacks (trace.dat files can), and
 * none of this kind, though the model has some.
 */
const untold = (run: Run, predicted: TableCounts, key: keyof TableCounts): boolean =>
  run.formatless && run.tables.observed[key] === 0 && predicted[key] > 0;

const who = (op: OpBase): string => `${op.task}-${op.pid} (event ${op.n})`;

/** Two tasks found no table and both allocated one: the second gives its own back under the lock. */
function surplusNote(run: Run, { op, slot, before }: TableReplay['surplus'][number]): string {
  const at = hex(run.replay, slot * run.rules.geometry.pmd_pages);
  if (before && threadOf(before) !== threadOf(op))
    return `${who(before)} and ${who(op)} both allocated a table for ${at}: one was given back`;
  return `${who(op)} installed a table at ${at}, where the model has one`;
}

function tableNotes(run: Run, predicted: TableCounts): string[] {
  const t = run.tables;
  const notes: string[] = [];
  if (t.untraced > 0)
    notes.push(
      `${t.untraced} PTE tables belong to mappings no vmalloc event announces (PCI I/O, per-CPU memory, vm_map_ram)`,
    );
  if (t.freedBelowPud > 0 && t.seenBelowPud === 0)
    notes.push(
      `${t.freedBelowPud} PTE tables were freed below PUD entries by a function without a probe`,
    );
  for (const key of Object.keys(predicted) as (keyof TableCounts)[])
    if (untold(run, predicted, key))
      notes.push(`${key}: not compared, its event may be one of those without a format`);
    else if (predicted[key] !== t.observed[key])
      notes.push(`${key}: predicted ${predicted[key]}, observed ${t.observed[key]}`);
  notes.push(...t.surplus.map((x) => surplusNote(run, x)));
  if (untold(run, predicted, 'pte_tables_allocated')) return notes;
  for (const list of t.expected.values())
    for (const e of list)
      if (e.counted)
        notes.push(`${e.op.task}-${e.op.pid}: no table was installed for event ${e.op.n}`);
  return notes;
}

/** The comparison, when the replay has come to its end. */
export function result(run: Run): Prediction {
  const probed = run.firstProbe < Number.POSITIVE_INFINITY;
  const predicted = predictedCounts(run.tables);
  const { observed } = run.tables;
  const keys = Object.keys(predicted) as (keyof TableCounts)[];
  const same =
    !probed || keys.every((k) => predicted[k] === observed[k] || untold(run, predicted, k));
  return {
    allocations: {
      total: run.total,
      exact: run.exact,
      reordered: run.reordered,
      first_mismatch: run.first,
    },
    requests: {
      total: run.requests,
      exact: run.exactRequests,
      first_mismatch: run.firstRequest ?? null,
    },
    purges: { total: run.purges, exact: run.exactPurges, reordered: run.reorderedPurges },
    tables: {
      predicted,
      observed: probed ? observed : null,
      untraced: run.tables.untraced,
      because: probed ? tableNotes(run, predicted) : [],
    },
    misses: run.misses,
    races: run.races,
    equal: same && run.exact === run.total && run.exactPurges === run.purges,
  };
}
