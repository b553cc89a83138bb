import ttest from 'ttest';
import { clean, figure, figures, fit, name, WIDTH, wrap } from '../ascii.js';
import type { Row } from '../spec.js';
import type { Block, Column } from '../text.js';

interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n - 1); NaN for one run. */
  readonly spread: number;
}

/** Significance: Welch's two-sided t test below this. */
const ALPHA = 0.05;

function summary(samples: readonly number[]): Summary {
  const n = samples.length;
  const mean = samples.reduce((s, v) => s + v, 0) / n;
  const squares = samples.reduce((s, v) => s + (v - mean) ** 2, 0);
  return { n, mean, spread: n > 1 ? Math.sqrt(squares / (n - 1)) : Number.NaN };
}

/** p of Welch's t test; NaN where a side has one run, or neither side varies. */
function welch(a: readonly number[], b: readonly number[], s: Summary, t: Summary): number {
  if (!(s.spread > 0 || t.spread > 0) || s.n < 2 || t.n < 2) return Number.NaN;
  return ttest(a, b, { varEqual: false }).pValue();
}

function samples(row: Row, side: 'before' | 'after', i: number): number[] {
  const v = row[side];
  if (
    Array.isArray(v) &&
    v.length > 0 &&
    v.every((x) => typeof x === 'number' && Number.isFinite(x))
  )
    return v as number[];
  throw new Error(`compare row ${i + 1}: '${side}' must be a list of numbers, one a run`);
}

/** Percent as mmtests writes it: (  0.00%), with stars when significant. */
function percent(from: number, to: number, better: string | undefined, star: boolean): string {
  const raw = from === 0 && to === 0 ? 0 : ((to - from) / Math.abs(from)) * 100;
  const value = better === 'lower' && raw !== 0 ? -raw : raw;
  const digits = Math.abs(value) < 1e5 ? value.toFixed(2) : value.toPrecision(3);
  const text = Number.isFinite(value) ? `${digits}%` : 'n/a';
  return star ? `*${text.padStart(8)}*` : `(${text.padStart(8)})`;
}

/** The two lines of a row: label, name, n, before, after, percent, p. */
function pair(row: Row, i: number, utf8: boolean, better: string | undefined): string[][] {
  const [a, b] = [samples(row, 'before', i), samples(row, 'after', i)];
  const [s, t] = [summary(a), summary(b)];
  const p = welch(a, b, s, t);
  const label = name(row['name'], utf8);
  const n = s.n === t.n ? `${s.n}` : `${s.n}/${t.n}`;
  const shown = Number.isNaN(p) ? '-' : p < 0.0001 ? '<0.0001' : p.toFixed(4);
  const mean = percent(s.mean, t.mean, better, p < ALPHA);
  const spread = percent(s.spread, t.spread, better, false);
  return [
    ['Amean', label, n, ...figures([s.mean, t.mean]), mean, shown],
    ['Stddev', label, '', ...figures([s.spread, t.spread]), spread, ''],
  ];
}

/** Columns side by side, the first two to the left; names (the second) give way to numbers. */
function aligned(rows: readonly string[][]): string[] {
  const sizes = (rows[0] as string[]).map((_, c) =>
    Math.max(...rows.map((r) => r[c]?.length ?? 0)),
  );
  const others = sizes.reduce((sum, size, c) => sum + (c === 1 ? 0 : size + 1), 0);
  sizes[1] = Math.min(sizes[1] as number, WIDTH - others);
  return rows.map((r) =>
    r
      .map((t, c) =>
        c < 2
          ? fit(t, sizes[c] as number).padEnd(sizes[c] as number)
          : t.padStart(sizes[c] as number),
      )
      .join(' '),
  );
}

/** Before and after as mmtests shows them: rows name, before: number[], after: number[]. */
export function compare({ meta, view, utf8 }: Block): string[] {
  if (view.rows.length === 0) return ['(nothing was measured)'];
  const title = (c: Column | string | undefined, otherwise: string) =>
    fit(clean(typeof c === 'string' ? c : (c?.title ?? c?.field ?? otherwise), utf8), 12);
  const [before, after] = [title(meta.columns?.[0], 'before'), title(meta.columns?.[1], 'after')];
  const way = meta.better ? `gain (${meta.better} is better)` : 'change from the first column';
  const test = `percent: ${way}; *: p < ${figure(ALPHA)}, Welch's t test, two-sided`;
  return [
    ...aligned([
      ['', '', 'n', before, after, 'percent', 'p'],
      ...view.rows.flatMap((r, i) => pair(r, i, utf8, meta.better)),
    ]),
    ...wrap(test, WIDTH - 1, '  '),
  ];
}
