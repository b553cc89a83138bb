import { figures, fit, isNumber, name, WIDTH } from '../ascii.js';
import type { Row } from '../spec.js';
import type { Block, Column } from '../text.js';

/** A column ready to print: heading and cells, numbers to the right. */
export interface Cells {
  readonly title: string;
  readonly cells: readonly string[];
  readonly right: boolean;
}

const width = (c: Cells): number => Math.max(c.title.length, ...c.cells.map((t) => t.length));

const pad = (text: string, size: number, right: boolean): string =>
  right ? text.padStart(size) : text.padEnd(size);

/** Cells of one field: numbers aligned on the decimal point, names made harmless. */
export function column(rows: readonly Row[], field: string, title: string, utf8: boolean): Cells {
  const values = rows.map((r) => (Object.hasOwn(r, field) ? r[field] : null));
  const right = values.some(isNumber) || values.every((v) => v === null || v === undefined);
  const numbers = figures(values);
  const cells = values.map((v, i) =>
    v === null || v === undefined || isNumber(v) ? (numbers[i] as string) : name(v, utf8),
  );
  return { title: name(title, utf8), cells, right };
}

const narrow = (c: Cells, most: number): Cells => ({
  ...c,
  title: fit(c.title, most),
  cells: c.cells.map((t) => (c.right && !/[^-0-9.einf]/.test(t) ? t : fit(t, most))),
});

/** Cells side by side. */
function panel(columns: readonly Cells[], gap: string): string[] {
  const sizes = columns.map(width);
  const line = (text: (c: Cells) => string) =>
    columns.map((c, i) => pad(text(c), sizes[i] as number, c.right)).join(gap);
  const count = columns[0]?.cells.length ?? 0;
  return [
    line((c) => c.title),
    ...Array.from({ length: count }, (_, r) => line((c) => c.cells[r] as string)),
  ];
}

/** As many panels below each other as it takes; the first column stands in each. */
export function panels(columns: readonly Cells[], gap = '  '): string[] {
  const [first, ...others] = columns.map((c) => narrow(c, c.right ? 24 : 30));
  if (!first) return [];
  const lines: string[] = [];
  let row: Cells[] = [first];
  let used = width(first);
  for (const c of others) {
    if (used + gap.length + width(c) > WIDTH && row.length > 1) {
      lines.push(...panel(row, gap), '');
      row = [first];
      used = width(first);
    }
    row.push(c);
    used += gap.length + width(c);
  }
  return [...lines, ...panel(row, gap)];
}

const fieldsOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.flatMap((r) => Object.keys(r))),
];

/** Rows as they are: the columns of usermeta.ptlab, or all fields; numbers to the right. */
export function table({ meta, view, utf8 }: Block): string[] {
  const shown = view.rows.slice(0, meta.limit ?? 16);
  const wanted: readonly (Column | string)[] = meta.columns ?? fieldsOf(view.rows);
  const columns = wanted.map((c) => {
    const { field, title } = typeof c === 'string' ? ({ field: c } as Column) : c;
    return column(shown, field, title ?? field, utf8);
  });
  if (view.rows.length === 0) return ['(no rows)'];
  const rest = view.rows.length - shown.length;
  return [...panels(columns), ...(rest > 0 ? [`and ${rest} rows more`] : [])];
}
