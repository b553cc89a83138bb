import { type About, type Chart, cdfOf, type Spec, schema, textMeta, titled } from './chart.js';
import { cumulative } from './race-windows.js';
import { theme } from './theme.js';

interface Spread {
  readonly n: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p99?: number;
  readonly max?: number;
}

interface Costs {
  readonly role: string;
  readonly calls: number;
  readonly slept: number | null;
  readonly asleep_us: Spread | null;
  readonly lock_wait_us: { readonly read: Spread; readonly write: Spread } | null;
  readonly lost_huge: number | null;
  readonly grace_periods: number;
  readonly violations: number;
}

/** What the sleep-cost charts need of the analysis. */
export interface SleepData {
  readonly scheme: string;
  readonly by_task: readonly (Costs & { task: string; pid: number })[];
  readonly by_context: readonly (Costs & { context: string })[];
  readonly vmalloc: {
    readonly calls: number;
    readonly time_us: number;
    readonly share_in_free_tables: number | null;
    readonly calls_that_free_tables: number;
  };
  readonly sleeps: readonly { role: string; asleep_ns: number }[];
  readonly missing: readonly string[];
}

const row = (who: string, c: Costs) => ({
  who,
  calls: c.calls,
  slept: c.slept,
  p50: c.asleep_us?.p50 ?? null,
  p90: c.asleep_us?.p90 ?? null,
  p99: c.asleep_us?.p99 ?? null,
  max: c.asleep_us?.max ?? null,
  lost: c.lost_huge,
  gps: c.grace_periods,
  bugs: c.violations,
});

const columns = [
  { field: 'who', title: 'who' },
  { field: 'calls', title: 'calls' },
  { field: 'slept', title: 'slept' },
  { field: 'p50', title: 'p50 us' },
  { field: 'p90', title: 'p90 us' },
  { field: 'max', title: 'max us' },
  { field: 'lost', title: 'lost' },
  { field: 'gps', title: 'GPs' },
  { field: 'bugs', title: 'BUGs' },
];

const shownTasks = 8;

function notes(d: SleepData): string[] {
  const v = d.vmalloc;
  const list = [
    `Scheme: ${d.scheme}. us: time asleep, per call that slept; lost: huge mappings refused by ` +
      'the trylock; GPs: grace periods waited for; BUGs: sleeping in atomic context.',
    `vmalloc: ${v.calls} calls, ${Math.round(v.time_us)} us in all; ${v.calls_that_free_tables} ` +
      `freed a table, which took ${((v.share_in_free_tables ?? 0) * 100).toFixed(1)} % of the time.`,
  ];
  return [...list, ...d.missing];
}

/** Who slept, and how long: contexts, then tasks. */
export const sleepSummary: Chart<SleepData> = {
  about: 'who slept in vmalloc and ptdump, how long, and was it allowed',
  from: 'sleep-costs',
  spec(data: SleepData, about: About): Spec {
    const rows = [
      ...data.by_context.map((c) => row(c.context, c)),
      ...data.by_task.slice(0, shownTasks).map((c) => row(`${c.task}-${c.pid}`, c)),
    ];
    const n = data.by_context.reduce((sum, c) => sum + (c.slept ?? 0), 0);
    const what = 'calls of vmalloc and ptdump that slept';
    return {
      $schema: schema,
      title: titled(`${n} ${what}: ${data.scheme}`, about),
      config: theme,
      data: { values: rows },
      mark: { type: 'bar', tooltip: true },
      encoding: {
        y: { field: 'who', type: 'nominal', sort: null, title: null },
        x: { field: 'slept', type: 'quantitative', title: 'calls that slept' },
      },
      usermeta: textMeta('table', what, 'calls', n, about, { rows, columns, notes: notes(data) }),
    };
  },
};

/** Time asleep per call that slept, cumulative. */
export const timeAsleep: Chart<SleepData> = {
  about: 'time asleep per call that slept, cumulative',
  from: 'sleep-costs',
  spec(data: SleepData, about: About): Spec {
    const roles = [...new Set(data.sleeps.map((s) => s.role))];
    const rows = roles.flatMap((role) =>
      cumulative(data.sleeps.filter((s) => s.role === role).map((s) => s.asleep_ns)).map((p) => ({
        asleep_us: Math.max(p.x / 1000, 0.1),
        share: p.share,
        role,
      })),
    );
    const what = 'time asleep, per call that slept';
    const n = data.sleeps.length;
    return {
      $schema: schema,
      title: titled(`${what}: ${data.scheme}`, about),
      config: theme,
      data: { values: rows },
      ...cdfOf(
        { field: 'asleep_us', title: 'time asleep (us, log)' },
        'share of calls that slept',
        'role',
      ),
      usermeta: textMeta('cdf', what, 'us', n, about, { notes: data.missing }),
    };
  },
};

/** Time asleep of several runs, a curve each; null where a run cannot tell. */
export function sleepsSideBySide(
  series: readonly { name: string; times_ns: readonly number[] | null }[],
  about: About,
): Spec {
  const rows = series.flatMap((s) =>
    cumulative(s.times_ns ?? []).map((p) => ({
      asleep_us: Math.max(p.x / 1000, 0.1),
      share: p.share,
      run: s.name,
    })),
  );
  const n = series.reduce((sum, s) => sum + (s.times_ns?.length ?? 0), 0);
  const named = (list: typeof series): string => list.map((s) => s.name).join(', ');
  const none = named(series.filter((s) => s.times_ns?.length === 0));
  const unknown = named(series.filter((s) => s.times_ns === null));
  const what = 'time asleep in vmalloc, per call that slept';
  return {
    $schema: schema,
    title: titled(what, about),
    config: theme,
    data: { values: rows },
    ...cdfOf(
      { field: 'asleep_us', title: 'time asleep (us, log)' },
      'share of calls that slept',
      'run',
    ),
    usermeta: textMeta('cdf', what, 'us', n, about, {
      notes: [
        ...(none === '' ? [] : [`Never slept: ${none}.`]),
        ...(unknown === '' ? [] : [`Cannot tell who slept: ${unknown}.`]),
      ],
    }),
  };
}
