import { clean, figure, figures, fit, isNumber, name, WIDTH } from '../ascii.js';
import type { Channel, Row } from '../spec.js';
import type { Block } from '../text.js';

/** Which encoding names a bar, and which gives its length. */
function roles({ view }: Block): { label: Channel; value: Channel } {
  const { x, y, rows } = view;
  if (!x || !y) throw new Error('bars need an x and a y field: one name, one number');
  const numeric = (c: Channel) =>
    c.type === 'quantitative' && rows.every((r) => r[c.field] == null || isNumber(r[c.field]));
  if (!numeric(x) && !numeric(y))
    throw new Error(`neither '${x.field}' nor '${y.field}' is a number`);
  return numeric(x) && !(numeric(y) && view.mark === 'bar')
    ? { label: y, value: x }
    : { label: x, value: y };
}

const amount = (row: Row, c: Channel): number => Number(row[c.field] ?? 0);

/** Plain bars by name, in the order of the rows; those beyond `limit` (16) are summed up. */
export function bars(block: Block): string[] {
  const { meta, view, utf8 } = block;
  if (view.rows.length === 0) return ['(nothing was counted)'];
  const { label, value } = roles(block);
  const group = view.group && view.group.field !== label.field ? view.group : undefined;
  const shown = view.rows.slice(0, meta.limit ?? 16);
  const rest = view.rows.slice(shown.length);
  const title = (r: Row) =>
    name(r[label.field], utf8) + (group ? ` / ${name(r[group.field], utf8)}` : '');
  const labels = shown.map((r) => fit(title(r), 28));
  const numbers = figures(shown.map((r) => r[value.field]));
  const left = Math.max(...labels.map((l) => l.length), Math.min(28, label.title.length));
  const wide = Math.max(...numbers.map((t) => t.length), Math.min(16, value.title.length));
  const room = WIDTH - left - wide - 3;
  const most = Math.max(...shown.map((r) => amount(r, value)), Number.MIN_VALUE);
  const mark = utf8 ? '\u2588' : '#';
  const lines = shown.map((r, i) => {
    const length = Math.max(0, Math.floor((amount(r, value) / most) * room));
    return `${(labels[i] as string).padEnd(left)} ${(numbers[i] as string).padStart(wide)}  ${mark.repeat(length)}`;
  });
  const top = `${fit(clean(label.title, utf8), left).padEnd(left)} ${fit(clean(value.title, utf8), wide).padStart(wide)}`;
  const sum = rest.reduce((total, r) => total + amount(r, value), 0);
  return [
    top,
    ...lines,
    ...(rest.length > 0 ? [`and ${rest.length} more, together ${figure(sum)}`] : []),
  ];
}
