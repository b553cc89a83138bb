import { type About, type Spec, schema, textMeta, titled } from './chart.js';
import { theme } from './theme.js';

/** One figure before and after, with an interval of its change. */
export interface ChangeRow {
  readonly figure: string;
  readonly unit: string;
  readonly n_before: number;
  readonly n_after: number;
  readonly before: number;
  readonly after: number;
  readonly low: number | null;
  readonly high: number | null;
}

const round = (v: number, digits = 5): number => Number(v.toPrecision(digits));
const percent = (v: number | null, of: number): number | null =>
  v === null || of === 0 ? null : round((100 * v) / of);

/** The interval of a change in percent, as a person reads it; '-' where there is none. */
function interval({ before, low, high }: ChangeRow): string {
  const ends = [percent(low, before), percent(high, before)];
  const [from, to] = ends.map((v) => (v === null ? null : round(v, 3)));
  return from === null || to === null ? '-' : `[${from}, ${to}]`;
}

/** Two traces: the change of each figure in percent of before, with its 95 % interval. */
export function comparison(changes: readonly ChangeRow[], about: About): Spec {
  const rows = changes.map((c) => ({
    figure: `${c.figure} (${c.unit})`,
    before: round(c.before, 3),
    after: round(c.after, 3),
    change: percent(c.after - c.before, c.before),
    low: percent(c.low, c.before),
    high: percent(c.high, c.before),
    means: `${round(c.before, 3)} to ${round(c.after, 3)}`,
    interval: interval(c),
    n: `${c.n_before}/${c.n_after}`,
  }));
  const what = 'change of the mean, before to after, with 95 % intervals';
  const x = { type: 'quantitative', title: 'change (% of before)' };
  const y = {
    field: 'figure',
    type: 'nominal',
    title: null,
    sort: null,
    axis: { labelLimit: 320 },
  };
  return {
    $schema: schema,
    title: titled(what, about),
    config: theme,
    data: { values: rows },
    layer: [
      { data: { values: [{ zero: 0 }] }, mark: { type: 'rule', strokeDash: [4, 3] }, encoding: { x: { field: 'zero', ...x } } },
      { mark: 'rule', encoding: { x: { field: 'low', ...x }, x2: { field: 'high' }, y } },
      { mark: { type: 'point', filled: true, size: 60 }, encoding: { x: { field: 'change', ...x }, y } },
    ], // biome-ignore format: a layer a line
    usermeta: textMeta('table', what, '% of before; means', rows.length, about, {
      columns: [
        'figure',
        { field: 'means', title: 'mean' },
        { field: 'interval', title: 'change %' },
        'n',
      ],
      notes: [
        'Change: 95 % interval by percentile bootstrap of the difference of means, 2000 resamples, fixed seed; - below ten samples.',
      ],
    }),
  };
}
