import { type About, type Chart, type Spec, schema, textMeta, titled } from './chart.js';
import { gapLayers } from './gaps.js';
import { theme } from './theme.js';

/** What the overwrite charts need of the analysis. */
export interface OverwriteData {
  readonly first_ns: number;
  readonly last_ns: number;
  readonly spans: readonly { phase: string; from_ns: number; to_ns: number }[];
  readonly rows: readonly { ts_ns: number; age_ns: number | null; how: string }[];
}

const buckets = 50;

/** A round bucket length (1, 2 or 5 times a power of ten) that cuts `span` into about `buckets`. */
export function roundStep(span: number): number {
  const raw = Math.max(span, 1e-9) / buckets;
  const ten = 10 ** Math.floor(Math.log10(raw));
  return ten * [1, 2, 5, 10].find((m) => m * ten >= raw * 0.999)!;
}

/** A bucket's width in words: '200 ms', '2 s'. */
export const duration = (s: number): string =>
  s >= 1 ? `${s} s` : `${Number((s * 1000).toPrecision(3))} ms`;

function perBucket(data: OverwriteData): { rows: Record<string, number>[]; step_s: number } {
  const span_s = (data.last_ns - data.first_ns) / 1e9;
  const step_s = roundStep(span_s);
  const counts = new Array<number>(Math.floor(span_s / step_s + 1e-9) + 1).fill(0);
  for (const r of data.rows) {
    const i = Math.floor((r.ts_ns - data.first_ns) / 1e9 / step_s);
    counts[Math.min(Math.max(i, 0), counts.length - 1)]!++;
  }
  const at = (i: number): number => Number((i * step_s).toPrecision(12));
  const rows = counts.map((count, i) => ({ time_s: at(i), end_s: at(i + 1), count }));
  return { rows, step_s };
}

/** Overwrites over time, with the phases marked. */
export const overTime: Chart<OverwriteData> = {
  about: 'page tables overwritten, over time',
  from: 'overwrites',
  spec(data: OverwriteData, about: About): Spec {
    const { rows, step_s } = perBucket(data);
    const how = data.rows[0]?.how ?? 'seen or predicted';
    const what = `page tables overwritten by huge mappings (${how})`;
    const unit = `overwrites per ${duration(step_s)}`;
    const x = { field: 'time_s', type: 'quantitative', title: 'time since the trace began (s)' };
    const marks = data.spans.slice(1).map((s) => ({
      phase: s.phase,
      time_s: (s.from_ns - data.first_ns) / 1e9,
    }));
    const gaps = gapLayers(about.gaps, (data.last_ns - data.first_ns) / 1e9);
    return {
      $schema: schema,
      title: titled(`${data.rows.length} ${what}`, about),
      config: theme,
      data: { values: rows },
      layer: [
        ...gaps.below,
        {
          mark: { type: 'bar', tooltip: true },
          encoding: {
            x: { ...x, bin: 'binned' },
            x2: { field: 'end_s' },
            y: { field: 'count', type: 'quantitative', title: unit, axis: { tickMinStep: 1 } },
          },
        },
        {
          data: { values: marks },
          mark: { type: 'rule', strokeDash: [4, 3] },
          encoding: { x: { field: 'time_s', type: 'quantitative' } },
        },
        {
          data: { values: marks },
          mark: { type: 'text', align: 'left', dx: 3, y: 6 },
          encoding: {
            x: { field: 'time_s', type: 'quantitative' },
            text: { field: 'phase' },
          },
        },
        ...gaps.above,
      ],
      usermeta: textMeta('series', what, unit, data.rows.length, about, {
        notes: marks.map((m) => `${m.phase} begins at ${m.time_s.toFixed(3)} s.`),
      }),
    };
  },
};

/** Counts per power of two, from the lowest bucket that has any to the highest. */
function log2Buckets(values: readonly number[]): { lo: number; hi: number; count: number }[] {
  const exponents = values.map((v) => (v < 1 ? -1 : Math.floor(Math.log2(v))));
  if (exponents.length === 0) return [];
  const from = exponents.reduce((a, b) => Math.min(a, b));
  const to = exponents.reduce((a, b) => Math.max(a, b));
  const list = Array.from({ length: to - from + 1 }, (_, i) => ({
    lo: from + i < 0 ? 0 : 2 ** (from + i),
    hi: 2 ** (from + i + 1),
    count: 0,
  }));
  for (const e of exponents) list[e - from]!.count++;
  return list;
}

/** How long the overwritten tables had been there. */
export const tableAges: Chart<OverwriteData> = {
  about: 'age of the page tables that were overwritten',
  from: 'overwrites',
  spec(data: OverwriteData, about: About): Spec {
    const ages = data.rows.flatMap((r) => (r.age_ns === null ? [] : [r.age_ns / 1000]));
    const rows = log2Buckets(ages).map((b) => ({
      ...b,
      range: `${short(b.lo)} to ${short(b.hi)}`,
    }));
    const what = 'age of page tables when a huge mapping overwrote them';
    const older = data.rows.length - ages.length;
    return {
      $schema: schema,
      title: titled(`Age of ${ages.length} overwritten page tables`, about),
      config: theme,
      data: { values: rows },
      mark: { type: 'bar', tooltip: true },
      encoding: {
        x: {
          field: 'range',
          type: 'ordinal',
          sort: null,
          title: 'age (us, powers of two)',
          axis: { labelAngle: -40 },
        },
        y: { field: 'count', type: 'quantitative', title: 'tables', axis: { tickMinStep: 1 } },
      },
      usermeta: textMeta('log2-histogram', what, 'us', ages.length, about, {
        notes: older > 0 ? [`${older} more were installed before the trace or its probes.`] : [],
      }),
    };
  },
};

/** 1500 -> '1.5K': a bucket's bound in few characters. */
function short(v: number): string {
  if (v < 1024) return String(v);
  if (v < 1024 ** 2) return `${v / 1024}K`;
  return v < 1024 ** 3 ? `${v / 1024 ** 2}M` : `${v / 1024 ** 3}G`;
}

/** What the chart by task needs. */
export interface TaskData {
  readonly by_task: readonly {
    task: string;
    pid: number;
    observed: { pte_tables_freed: number } | null;
    predicted: { overwrites: number; lost_to_trylock: number };
  }[];
}

const shown = 15;

/** Who overwrote the tables. */
export const byTask: Chart<TaskData> = {
  about: 'page tables overwritten, by task',
  from: 'overwrites',
  spec(data: TaskData, about: About): Spec {
    const all = data.by_task.map((t) => ({
      task: `${t.task}-${t.pid}`,
      overwrites:
        t.observed?.pte_tables_freed ?? t.predicted.overwrites - t.predicted.lost_to_trylock,
    }));
    const n = all.reduce((sum, t) => sum + t.overwrites, 0);
    const rows = all.filter((t) => t.overwrites > 0).slice(0, shown);
    const how = data.by_task.some((t) => t.observed !== null) ? 'observed' : 'predicted';
    const what = `page tables overwritten by huge mappings, by task (${how})`;
    return {
      $schema: schema,
      title: titled(`${n} ${what}`, about),
      config: theme,
      data: { values: rows },
      mark: { type: 'bar', tooltip: true },
      encoding: {
        y: { field: 'task', type: 'nominal', sort: null, title: 'task-pid' },
        x: {
          field: 'overwrites',
          type: 'quantitative',
          title: 'overwrites',
          axis: { tickMinStep: 1 },
        },
      },
      usermeta: textMeta('bars', what, 'overwrites', n, about),
    };
  },
};
