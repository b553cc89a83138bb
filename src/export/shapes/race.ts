import { clean, fit, name, WIDTH, wrap } from '../ascii.js';
import type { Block } from '../text.js';

/** Who runs, from left to right: `lanes`, or the lanes in order of their first step. */
function lanesOf({ meta, view }: Block): string[] {
  const seen = [...new Set(view.rows.map((r) => String(r['lane'])))];
  const lanes = [...(meta.lanes ?? seen)];
  const unknown = seen.find((l) => !lanes.includes(l));
  if (unknown !== undefined)
    throw new Error(`race step of '${unknown}', who is none of lanes: ${lanes.join(', ')}`);
  if (lanes.length > 4)
    throw new Error(`a race diagram has at most 4 columns, not ${lanes.length}`);
  return lanes;
}

/** Steps in the order they happened, each in the column of who did it: rows lane, text, [note]. */
export function race(block: Block): string[] {
  const { view, utf8 } = block;
  const lanes = lanesOf(block);
  if (view.rows.length === 0) return ['(no steps)'];
  const digits = String(view.rows.length).length;
  const gap = '  ';
  const size = Math.floor((WIDTH - digits - 1 - gap.length * lanes.length) / lanes.length);
  const across = (number: string, lane: number, text: string) =>
    `${number.padStart(digits)} ${gap}${' '.repeat((size + gap.length) * lane)}${text}`;
  const titles = lanes.map((l) => fit(name(l, utf8), size).padEnd(size)).join(gap);
  const rule = lanes
    .map((l) =>
      '='.repeat(Math.min(size, Math.max(4, fit(name(l, utf8), size).length))).padEnd(size),
    )
    .join(gap);
  const lines = view.rows.flatMap((r, i) => {
    const text = wrap(clean(String(r['text'] ?? ''), utf8), size, '  ');
    const note = r['note'] == null ? [] : wrap(`<- ${clean(String(r['note']), utf8)}`, size, '   ');
    const lane = lanes.indexOf(String(r['lane']));
    const all = [...text, ...note];
    return (all.length > 0 ? all : ['-']).map((t, k) =>
      across(k === 0 ? String(i + 1) : '', lane, t),
    );
  });
  return [
    `${' '.repeat(digits + 1)}${gap}${titles}`,
    `${' '.repeat(digits + 1)}${gap}${rule}`,
    ...lines,
  ];
}
