// What a notebook says in words, computed from the tables of its cells.
import { overwrites } from '../analyses/overwrites.js';
import { predict } from '../analyses/prediction.js';
import type { SweepRow, TestRow } from '../analyses/sweep.js';
import type { Trace } from '../events/trace.js';
import { figure, WIDTH, wrap } from '../export/ascii.js';
import { ascii } from './ascii.js';
import { checklist } from './checklist.js';
import { load } from './notebook.js';
import { type Compared, compare } from './notebook-tables.js';
import { predictionText } from './predict.js';

const paragraph = (text: string): string => wrap(ascii(text), WIDTH).join('\n');

const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** How many tables were overwritten, how often that is, and what the model makes of it. */
function ofOverwrites(trace: Trace): string {
  const a = overwrites(trace);
  const { observed, predicted, rates } = a;
  if (observed === null && a.allocations === 0)
    return paragraph(
      'This trace cannot tell: it has neither alloc_vmap_area, from which overwrites are ' +
        'predicted, nor a probe on pmd_free_pte_page. Record them with: ptlab record overwrites',
    );
  const made = observed?.pte_tables_freed ?? predicted.overwrites - predicted.lost_to_trylock;
  const how = observed ? 'observed' : 'predicted: this trace has no probes';
  const per = (v: number | null, of: string) => (v === null ? [] : [`${v.toFixed(1)} per ${of}`]);
  const often = [
    ...per(rates.per_second, 'second'),
    ...per(rates.per_1000_huge, '1000 huge mappings'),
    ...per(rates.per_1000_allocations, '1000 allocations'),
  ];
  const model =
    a.allocations === 0
      ? 'Without alloc_vmap_area events nothing is predicted.'
      : `The model predicts ${predicted.overwrites} (between ${predicted.lower} and ` +
        `${predicted.upper}); ${predicted.lost_to_trylock} of these were refused by the trylock.`;
  return paragraph(
    `${many(made, 'page table')} overwritten in ${a.seconds.toFixed(2)} s (${how}): ` +
      `${often.join(', ')}. ${model}`,
  );
}

/** The replay of a trace through the model, as `ptlab predict` prints it. */
function ofPrediction(trace: Trace): string {
  const p = predict(trace);
  if (p.allocations.total > 0) return predictionText(p);
  return paragraph(
    'Nothing to replay: this trace has no alloc_vmap_area event. Record it with: ' +
      'echo 1 > /sys/kernel/tracing/events/vmalloc/enable',
  );
}

/** What of a sweep overwrites most, and how much of test_vmalloc overwrites anything. */
function ofSweeps(mixes: readonly SweepRow[], tests: readonly TestRow[]): string {
  const worst = mixes.reduce((a, b) => (b.per_1000_allocations > a.per_1000_allocations ? b : a));
  const some = tests.filter((r) => r.overwrites > 0);
  return paragraph(
    `In the modelled mixes the most is ${worst.per_1000_allocations.toFixed(0)} per 1000 ` +
      `allocations (${100 * worst.huge} % huge, small up to ${worst.small} block, ` +
      `${many(worst.cpus, 'CPU')}). ${some.length} of ${many(tests.length, 'run')} of ` +
      `test_vmalloc overwrite anything${some.length > 0 ? ':' : '.'}`,
  ).concat(
    ...some.map(
      (r) =>
        `\n  ${r.kernel} ${r.test}${r.use_huge ? ', use_huge' : ''}: ${r.overwrites} of ` +
        `${many(r.huge_mappings, 'huge mapping')}`,
    ),
  );
}

/** Which figures of two traces differ by more than chance, and what could not be compared. */
function ofComparison(c: Compared | null): string {
  if (c === null) return 'No second trace: give one with -p before=FILE';
  const differ = c.changes.filter((x) => x.differs);
  const list = differ.map(
    (x) => `  ${x.figure}: ${figure(x.before, 3)} to ${figure(x.after, 3)} ${x.unit}`,
  );
  const few = c.changes.filter((x) => x.differs === null).map((x) => x.figure);
  const head =
    c.changes.length === 0
      ? 'The two traces have no figure in common.'
      : differ.length === 0
        ? `None of ${many(c.changes.length, 'figure')} differs by more than chance.`
        : `${differ.length} of ${many(c.changes.length, 'figure')} differ by more than chance:`;
  const not = c.missing.flatMap((m) => wrap(`  not compared: ${ascii(m)}`, WIDTH, '    '));
  const unsure = few.flatMap((f) => wrap(`  too few samples to say: ${f}`, WIDTH, '    '));
  return [head, ...list, ...unsure, ...not].join('\n');
}

/** Text of at most 72 columns about a trace, or about what a cell has computed. */
export const inWords = {
  /** What the trace holds, lacks, and how to record that: {@link checklist}. */
  trace: (trace: Trace): string => checklist(trace).text,
  overwrites: ofOverwrites,
  prediction: ofPrediction,
  sweeps: ofSweeps,
  comparison: ofComparison,
} as const;

/**
 * The trace in file `before` against `after`; null if no file is named.
 * @example const c = await compareWith('before.txt.gz', t); if (c) await plot(c.chart)
 */
export const compareWith = async (before: string, after: Trace): Promise<Compared | null> =>
  before === '' ? null : compare(await load(before), after);
