import { type About, type Chart, type Spec, schema, textMeta, titled } from './chart.js';
import { theme } from './theme.js';

interface Figures {
  readonly observed: { pte_tables_allocated: number; pte_tables_freed: number } | null;
  readonly predicted: {
    overwrites: number;
    lower: number;
    upper: number;
    huge_mappings: number;
    lost_to_trylock: number;
  };
  readonly rates: {
    per_second: number | null;
    per_1000_huge: number | null;
    per_1000_allocations: number | null;
  };
  readonly allocations: number;
  readonly seconds: number;
}

/** What the summary needs of the analysis. */
export interface SummaryData extends Figures {
  readonly phases: Readonly<Record<string, Figures>>;
  readonly from_boot: boolean;
  readonly entries_unseen: number;
  readonly page_bytes: number;
}

const round = (v: number | null): number | null => (v === null ? null : Number(v.toPrecision(3)));

const row = (phase: string, f: Figures) => ({
  phase,
  seconds: Number(f.seconds.toFixed(3)),
  allocations: f.allocations,
  huge: f.predicted.huge_mappings,
  observed: f.observed?.pte_tables_freed ?? null,
  predicted: f.predicted.overwrites,
  lost: f.predicted.lost_to_trylock,
  per_second: round(f.rates.per_second),
});

/** The bars of one phase. */
const bars = (r: ReturnType<typeof row>) =>
  (['observed', 'predicted'] as const)
    .filter((how) => r[how] !== null)
    .map((how) => ({ phase: r.phase, how, overwrites: r[how] }));

const columns = [
  { field: 'phase', title: 'phase' },
  { field: 'seconds', title: 'seconds' },
  { field: 'allocations', title: 'allocs' },
  { field: 'huge', title: 'huge' },
  { field: 'observed', title: 'observed' },
  { field: 'predicted', title: 'predicted' },
  { field: 'lost', title: 'lost' },
  { field: 'per_second', title: 'per s' },
];

function notes(d: SummaryData): string[] {
  const { lower, upper, lost_to_trylock: lost } = d.predicted;
  const { per_1000_huge: huge, per_1000_allocations: all } = d.rates;
  const list: string[] = [];
  if (huge !== null && all !== null) {
    list.push(`${round(huge)} per 1000 huge mappings, ${round(all)} per 1000 allocations.`);
  }
  if (d.observed === null) {
    list.push(
      'No probes in this trace: overwrites are predicted from alloc_vmap_area alone. ' +
        'Record with a probe on pmd_free_pte_page to count them (ptlab record overwrites).',
    );
  }
  if (lost > 0)
    list.push(`lost: ${lost} times the trylock refused, and pages were mapped instead.`);
  if (lower !== upper) list.push(`The prediction lies between ${lower} and ${upper}.`);
  if (d.entries_unseen > 0)
    list.push(
      `${d.entries_unseen} calls do not show their entry, and are each taken for a table: ` +
        'record with a probe that fetches it (ptlab record overwrites).',
    );
  if (d.allocations === 0) list.push('No alloc_vmap_area event: nothing is predicted.');
  else if (!d.from_boot) list.push('The trace does not begin at boot: older tables are not known.');
  return list;
}

/** The figures by phase, as one table. */
export const summary: Chart<SummaryData> = {
  about: 'page tables overwritten: the figures by phase',
  from: 'overwrites',
  spec(data: SummaryData, about: About): Spec {
    const rows = Object.entries(data.phases).map(([name, f]) => row(name, f));
    if (rows.length > 1) rows.push(row('all', data));
    const n = data.observed?.pte_tables_freed ?? data.predicted.overwrites;
    const how = data.observed ? 'observed' : 'predicted';
    const what = 'page tables overwritten by huge mappings of vmalloc';
    return {
      $schema: schema,
      title: titled(`${n} ${what} (${how})`, about),
      config: theme,
      data: { values: rows.flatMap(bars) },
      mark: { type: 'bar', tooltip: true },
      encoding: {
        y: { field: 'phase', type: 'nominal', sort: null, title: 'phase' },
        yOffset: { field: 'how', sort: null },
        x: { field: 'overwrites', type: 'quantitative', title: 'overwrites' },
        color: { field: 'how', type: 'nominal', title: null },
      },
      usermeta: textMeta('table', what, 'overwrites', n, about, {
        rows,
        columns,
        notes: notes(data),
      }),
    };
  },
};
