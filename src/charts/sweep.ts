import { type About, type Spec, schema, textMeta, titled } from './chart.js';
import { theme } from './theme.js';

/** What the chart needs of a sweep's row (`sweep`). */
export interface SweptRow {
  readonly kernel: string;
  readonly granule: string;
  readonly cpus: number;
  /** Share of allocations that may be mapped by blocks, 0 to 1. */
  readonly huge: number;
  /** Largest page-mapped size, as a part of a block. */
  readonly small: number;
  readonly purge_every: number;
  readonly per_1000_allocations: number;
}

type Axis = 'kernel' | 'granule' | 'cpus' | 'small' | 'purge_every';

const names: Record<Axis, (row: SweptRow) => string> = {
  kernel: (r) => r.kernel,
  granule: (r) => r.granule,
  cpus: (r) => `${r.cpus} CPU${r.cpus === 1 ? '' : 's'}`,
  small: (r) => `small <= ${r.small} block`,
  purge_every: (r) => (r.purge_every === 0 ? 'lazy purge' : `purge each ${r.purge_every}`),
};

const axes = Object.keys(names) as Axis[];

/**
 * Overwrites against the share of huge requests, one line a machine and mix. Axes on which all rows
 * agree are not named.
 */
export function sweepChart(rows: readonly SweptRow[], about: About): Spec {
  const varied = axes.filter((a) => new Set(rows.map((r) => r[a])).size > 1);
  const values = rows.map((r) => ({
    huge_percent: Number((100 * r.huge).toPrecision(3)),
    per_1000: Number(r.per_1000_allocations.toPrecision(3)),
    machine: varied.map((a) => names[a](r)).join(', ') || 'all',
  }));
  const what = 'page tables overwritten in modelled mixes of small and huge vmallocs';
  const unit = 'overwrites per 1000 allocations';
  return {
    $schema: schema,
    title: titled(what, about, 'modelled runs, not recorded ones'),
    config: theme,
    data: { values },
    mark: { type: 'line', point: true, tooltip: true },
    encoding: {
      x: { field: 'huge_percent', type: 'quantitative', title: 'huge requests (%)' },
      y: { field: 'per_1000', type: 'quantitative', title: unit },
      color: { field: 'machine', type: 'nominal', title: null },
      strokeDash: { field: 'machine', type: 'nominal', title: null },
    },
    usermeta: textMeta('table', what, unit, rows.length, about, {
      rows: values,
      columns: [
        { field: 'machine', title: 'machine and mix' },
        { field: 'huge_percent', title: 'huge %' },
        { field: 'per_1000', title: 'overwrites' },
      ],
      limit: 40,
    }),
  };
}
