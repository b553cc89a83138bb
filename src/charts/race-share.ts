import { type About, type Spec, schema, textMeta, titled } from './chart.js';
import { theme } from './theme.js';

/** What the chart needs of a race window (`raceWindow`), with a name for its bar. */
export interface RaceShare {
  readonly label: string;
  readonly share: number | null;
  readonly runs: number | null;
}

/** Bars: which part of all interleavings goes wrong, one bar a scheme or size. */
export function raceShare(windows: readonly RaceShare[], about: About): Spec {
  const values = windows
    .filter((w) => w.share !== null)
    .map(({ label, share, runs }) => ({
      label,
      percent: Number((100 * share!).toPrecision(3)),
      runs,
    }));
  const what = 'interleavings that end in a bug';
  return {
    $schema: schema,
    title: titled(what, about, 'counted one by one under sequential consistency; no probability'),
    config: theme,
    data: { values },
    mark: { type: 'bar', tooltip: true },
    encoding: {
      y: { field: 'label', type: 'nominal', sort: null, title: 'scheme' },
      x: { field: 'percent', type: 'quantitative', title: 'bad runs, %' },
    },
    usermeta: textMeta('bars', what, '% of interleavings', values.length, about),
  };
}
