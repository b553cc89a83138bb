import { type About, type Spec, schema, textMeta, titled } from './chart.js';
import { theme } from './theme.js';

/** What the charts need of a run (`runCosts`), under the name it goes by. */
export interface CostRow {
  readonly run: string;
  readonly calls_per_s: number | null;
  readonly frees: number | null;
  readonly bare: number | null;
  readonly slept: number | null;
  readonly p50_us: number | null;
  readonly p90_us: number | null;
  readonly max_us: number | null;
  readonly lost_percent: number | null;
}

/** What a sweep's row has besides: where it stands on the axis. */
export type SweptCosts = CostRow & { readonly at: number };

const figures = [
  ['calls_per_s', 'calls/s'],
  ['frees', 'frees'],
  ['bare', 'bare'],
  ['slept', 'slept'],
  ['p50_us', 'p50 us'],
  ['max_us', 'max us'],
  ['lost_percent', 'lost %'],
] as const;

const whole = (v: number | null): number | null => (v === null ? null : Math.round(v));

const shown = (r: CostRow) =>
  Object.fromEntries(figures.map(([field]) => [field, whole(r[field])]));

const legend =
  'calls/s: of vmalloc, all tasks together; frees: tables freed; bare: in a walk with no lock ' +
  'held (which a scheme that frees after a grace period may do); p50, max: time asleep of the ' +
  'calls that slept; lost: huge mappings refused by a trylock.';

/** Runs side by side, a row a run. */
export function costTable(
  what: string,
  rows: readonly CostRow[],
  about: About,
  notes: readonly string[] = [],
): Spec {
  const unit = 'as the columns say';
  return {
    $schema: schema,
    title: titled(what, about),
    config: theme,
    data: { values: rows.map(({ run, slept }) => ({ run, slept })) },
    mark: { type: 'bar', tooltip: true },
    encoding: {
      y: { field: 'run', type: 'nominal', sort: null, title: null },
      x: { field: 'slept', type: 'quantitative', title: 'calls that slept' },
    },
    usermeta: textMeta('table', what, unit, rows.length, about, {
      rows: rows.map((r) => ({ run: r.run, ...shown(r) })),
      columns: [{ field: 'run', title: 'run' }, ...figures.map(([field, title]) => ({ field, title }))], // biome-ignore format: one line
      notes: [legend, ...notes],
      limit: rows.length,
    }),
  };
}

const panels = [
  ['max_us', 'longest sleep (us)'],
  ['lost_percent', 'huge mappings lost (%)'],
  ['calls_per_s', 'calls of vmalloc a second'],
] as const;

/** The longest sleep, the share of huge mappings lost and the throughput along one axis, a line a run. */
export function costLines(axis: string, rows: readonly SweptCosts[], about: About): Spec {
  const what = `what a scheme costs, by ${axis}`;
  const panel = ([field, title]: (typeof panels)[number]) => ({
    height: 110,
    title: { text: title, fontSize: 12, fontWeight: 'normal', offset: 4 },
    mark: { type: 'line', point: true, tooltip: true },
    encoding: {
      x: { field: 'at', type: 'quantitative', title: `${axis} (log)`, scale: { type: 'log' } },
      y: { field, type: 'quantitative', title: null },
      color: { field: 'run', type: 'nominal', title: null },
      strokeDash: { field: 'run', type: 'nominal', title: null },
    },
  });
  const values = rows.map(({ run, at, max_us, lost_percent, calls_per_s }) => ({ run, at, max_us: max_us ?? 0, lost_percent: lost_percent ?? 0, calls_per_s })); // biome-ignore format: one line
  return {
    $schema: schema,
    title: titled(what, about, 'simulated runs; 0 where nobody slept, nothing was lost'),
    config: theme,
    data: { values },
    vconcat: panels.map(panel),
    usermeta: textMeta('table', what, 'as the columns say', rows.length, about, {
      rows: rows.map((r) => ({ run: r.run, at: r.at, ...shown(r) })),
      columns: [
        { field: 'run', title: 'scheme' },
        { field: 'at', title: axis.length > 9 ? 'at' : axis },
        ...figures
          .filter(([field]) => field !== 'bare')
          .map(([field, title]) => ({ field, title })),
      ],
      notes: [`at: ${axis}.`, legend],
      limit: rows.length,
    }),
  };
}
