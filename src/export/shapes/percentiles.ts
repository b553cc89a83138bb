import { figure, isNumber } from '../ascii.js';
import type { Block } from '../text.js';
import { column, panels } from './table.js';

/** A line a percentile, a column a series: rows p (0..100), value, [series]. */
export function percentiles({ view, utf8 }: Block): string[] {
  if (view.rows.length === 0) return ['(nothing was counted)'];
  const series = [...new Set(view.rows.map((r) => String(r['series'] ?? 'value')))];
  const ps = [...new Set(view.rows.map((r) => Number(r['p'])))].sort((a, b) => a - b);
  const cells = new Map(
    view.rows.map((r) => [`${Number(r['p'])} ${r['series'] ?? 'value'}`, r['value']]),
  );
  const rows = ps.map((p) =>
    Object.fromEntries(series.map((s, i) => [`s${i}`, cells.get(`${p} ${s}`)])),
  );
  const label = (p: number) => (p === 0 ? 'min' : p === 100 ? 'max' : `p${figure(p)}`);
  const first = { title: 'percentile', cells: ps.map(label), right: false };
  const others = series.map((s, i) => ({ ...column(rows, `s${i}`, s, utf8), right: true }));
  if (!view.rows.every((r) => isNumber(r['value']) || r['value'] == null))
    throw new Error('percentiles need a number in every row: p, value, [series]');
  return panels([first, ...others]);
}
