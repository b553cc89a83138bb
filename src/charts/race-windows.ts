import { type About, type Chart, cdfOf, type Spec, schema, textMeta, titled } from './chart.js';
import { gapLayers } from './gaps.js';
import { duration, roundStep } from './overwrites.js';
import { theme } from './theme.js';

interface Spread {
  readonly n: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly max?: number;
}

/** What the race-window charts need of the analysis. */
export interface RaceData {
  readonly walks: number | null;
  readonly write_holds: number | null;
  readonly frees: Readonly<Record<string, number | null>>;
  readonly read_lock: {
    readonly acquired: number | null;
    readonly trylock_failed: number | null;
    readonly wait_us: Spread | null;
  };
  readonly write_lock: { readonly wait_us: Spread | null; readonly hold_us: Spread | null };
  readonly key: { readonly flips: number; readonly off_under_walk: number } | null;
  readonly windows: readonly {
    ts_ns: number;
    walker: object | null;
    lock: string | null;
    unlocked: boolean | null;
  }[];
  readonly read_waits_ns: readonly number[];
  readonly write_waits_ns: readonly number[];
  readonly holds: readonly { from_ns: number; to_ns: number | null }[];
  readonly first_ns: number;
  readonly missing: readonly string[];
}

const meanings: Readonly<Record<string, string>> = {
  total: 'page tables freed',
  in_walk: 'freed in a walk',
  read_lock_held_at_free: 'freed under read lock',
  read_lock_taken_before_free: 'freed after read lock',
  in_walk_unlocked: 'freed in walk, no lock',
  in_walk_unlocked_to_the_end: 'no lock to the end',
};

const countRows = (d: RaceData) => [
  { figure: 'ptdump walks', count: d.walks },
  { figure: 'write holds of init_mm', count: d.write_holds },
  ...Object.entries(d.frees).map(([k, v]) => ({ figure: meanings[k] ?? k, count: v })),
  { figure: 'read lock acquired', count: d.read_lock.acquired },
  { figure: 'trylock failed', count: d.read_lock.trylock_failed },
  { figure: 'key flips', count: d.key?.flips ?? null },
  { figure: 'key off under a walk', count: d.key?.off_under_walk ?? null },
];

const spreadText = (what: string, s: Spread | null): string[] =>
  s === null || s.n === 0
    ? []
    : [`${what}: p50 ${s.p50} us, p90 ${s.p90} us, max ${s.max} us (n ${s.n}).`];

/** The figures as one table, the spreads and what is missing below it. */
export const raceSummary: Chart<RaceData> = {
  about: 'what ptdump walks met: the figures',
  from: 'race-windows',
  spec(data: RaceData, about: About): Spec {
    const rows = countRows(data);
    const n = data.frees['total'] ?? 0;
    const bad = data.frees['in_walk_unlocked'];
    const what = 'page tables freed, against ptdump walks';
    const title =
      bad === null || bad === undefined
        ? `${n} ${what}`
        : `${bad} of ${n} page tables freed under a walk with no lock`;
    return {
      $schema: schema,
      title: titled(title, about),
      config: theme,
      data: { values: rows.filter((r) => r.count !== null) },
      mark: { type: 'bar', tooltip: true },
      encoding: {
        y: { field: 'figure', type: 'nominal', sort: null, title: null },
        x: { field: 'count', type: 'quantitative', title: 'events' },
      },
      usermeta: textMeta('table', what, 'events', n, about, {
        rows,
        columns: [
          { field: 'figure', title: 'figure' },
          { field: 'count', title: 'count' },
        ],
        notes: [
          'freed after read lock: v3 to v6; trylock failed: each a huge mapping lost; no lock to ' +
            'the end: the same walker still held init_mm when the block was set.',
          ...spreadText('Wait for the read lock', data.read_lock.wait_us),
          ...spreadText('Wait for the write lock', data.write_lock.wait_us),
          ...spreadText('Write lock held', data.write_lock.hold_us),
          ...data.missing,
        ],
      }),
    };
  },
};

/** Cumulative shares of a list, at most `most` points: the tail is kept point by point. */
export function cumulative(list: readonly number[], most = 400): { x: number; share: number }[] {
  const sorted = Float64Array.from(list).sort();
  const n = sorted.length;
  const step = Math.max(1, Math.floor(n / most));
  const out: { x: number; share: number }[] = [];
  for (let i = 0; i < n; i++) {
    if (i % step === 0 || i >= n - 20) out.push({ x: sorted[i]!, share: (i + 1) / n });
  }
  return out;
}

const curve = (list: readonly number[], of: string) =>
  cumulative(list).map(({ x, share }) => ({ wait_us: Math.max(x / 1000, 0.1), share, of }));

/** How long vmalloc waited for the read lock, and ptdump for the write lock. */
export const lockWaits: Chart<RaceData> = {
  about: "waits for init_mm's lock, cumulative",
  from: 'race-windows',
  spec(data: RaceData, about: About): Spec {
    const rows = [
      ...curve(data.read_waits_ns, 'read lock (vmalloc)'),
      ...curve(data.write_waits_ns, 'write lock (ptdump)'),
    ];
    const n = data.read_waits_ns.length + data.write_waits_ns.length;
    const what = "waits for init_mm's mmap_lock";
    return {
      $schema: schema,
      title: titled(`${n} ${what}`, about),
      config: theme,
      data: { values: rows },
      ...cdfOf({ field: 'wait_us', title: 'wait (us, log)' }, 'share of waits', 'of'),
      usermeta: textMeta('cdf', what, 'us', n, about, {
        notes: n === 0 ? data.missing : ['Waits under 0.1 us stand at 0.1 us.'],
      }),
    };
  },
};

const percents = [0, 50, 90, 99, 100] as const;

const quantileRows = (list: readonly number[], series: string) => {
  const sorted = Float64Array.from(list).sort();
  if (sorted.length === 0) return [];
  return percents.map((p) => ({
    series,
    p,
    value: sorted[Math.min(Math.floor((p / 100) * sorted.length), sorted.length - 1)]! / 1000,
  }));
};

/** Percentiles of every wait and hold. */
export const lockPercentiles: Chart<RaceData> = {
  about: "percentiles of waits for and holds of init_mm's lock",
  from: 'race-windows',
  spec(data: RaceData, about: About): Spec {
    const holds = data.holds.flatMap((h) => (h.to_ns === null ? [] : [h.to_ns - h.from_ns]));
    const rows = [
      ...quantileRows(data.read_waits_ns, 'read wait'),
      ...quantileRows(data.write_waits_ns, 'write wait'),
      ...quantileRows(holds, 'write hold'),
    ];
    const n = data.read_waits_ns.length + data.write_waits_ns.length + holds.length;
    const what = "waits for and holds of init_mm's mmap_lock";
    const label = rows.map((r) => ({ ...r, percentile: `p${r.p}` }));
    return {
      $schema: schema,
      title: titled(`${n} ${what}`, about),
      config: theme,
      data: { values: label },
      mark: { type: 'bar', tooltip: true },
      encoding: {
        y: { field: 'percentile', type: 'nominal', sort: null, title: 'percentile' },
        yOffset: { field: 'series', sort: null },
        x: { field: 'value', type: 'quantitative', title: 'us' },
        color: { field: 'series', type: 'nominal', title: null },
      },
      usermeta: textMeta('percentiles', what, 'us', n, about, { rows, notes: data.missing }),
    };
  },
};

const sorts = ['outside any walk', 'in a walk, locked', 'in a walk, no lock'] as const;

const sortOf = (w: RaceData['windows'][number]): (typeof sorts)[number] =>
  w.walker === null ? sorts[0] : w.unlocked ? sorts[2] : sorts[1];

/** Frees in each step of time, a colour for each sort. */
const bars = (unit: string) => ({
  mark: { type: 'bar', tooltip: true },
  encoding: {
    x: {
      field: 'time_s',
      type: 'quantitative',
      bin: 'binned',
      title: 'time since the trace began (s)',
    },
    x2: { field: 'end_s' },
    y: { field: 'count', type: 'quantitative', title: unit, axis: { tickMinStep: 1 } },
    color: { field: 'sort', type: 'nominal', title: null },
  },
});

/** Tables freed over time, by what a walker could have seen. */
export const windowsOverTime: Chart<RaceData> = {
  about: 'page tables freed over time: outside a walk, locked, with no lock',
  from: 'race-windows',
  spec(data: RaceData, about: About): Spec {
    const last = data.windows.at(-1)?.ts_ns ?? data.first_ns;
    const step_s = roundStep((last - data.first_ns) / 1e9);
    const counts = new Map<string, number>();
    for (const w of data.windows) {
      const slot = Math.floor((w.ts_ns - data.first_ns) / 1e9 / step_s);
      const key = `${slot} ${sortOf(w)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const slots = Math.floor((last - data.first_ns) / 1e9 / step_s + 1e-9) + 1;
    const present = sorts.filter((sort) => data.windows.some((w) => sortOf(w) === sort));
    const rows = present.flatMap((sort) =>
      Array.from({ length: slots }, (_, i) => ({
        time_s: Number((i * step_s).toPrecision(12)),
        end_s: Number(((i + 1) * step_s).toPrecision(12)),
        sort,
        count: counts.get(`${i} ${sort}`) ?? 0,
      })),
    );
    const what = 'page tables freed, by what a walker could have seen';
    const unit = `frees per ${duration(step_s)}`;
    const gaps = gapLayers(about.gaps, (last - data.first_ns) / 1e9);
    return {
      $schema: schema,
      title: titled(`${data.windows.length} ${what}`, about),
      config: theme,
      data: { values: rows },
      layer: [...gaps.below, bars(unit), ...gaps.above],
      usermeta: textMeta('series', what, unit, data.windows.length, about, {
        notes: data.missing,
      }),
    };
  },
};
