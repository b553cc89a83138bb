// Tables as notebook output: the first rows as HTML and as text, every name made harmless.
import { column, panels } from '../export/shapes/table.js';
import { escapeHtml } from './html.js';

/** Rows shown of a table. */
const shownRows = 20;

/** The beginning of a table, whoever made it. */
export interface Excerpt {
  readonly names: readonly string[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly total: number;
}

interface Arquero {
  columnNames(): string[];
  numRows(): number;
  objects(options: { limit: number }): Record<string, unknown>[];
}

interface Arrow {
  readonly numRows: number;
  readonly schema: { readonly fields: readonly { readonly name: string }[] };
  get(row: number): { toJSON(): Record<string, unknown> } | null;
}

type Loose = Record<string, unknown>;
const isRecord = (v: unknown): v is Loose => typeof v === 'object' && v !== null;

const isArquero = (v: Loose): boolean =>
  ['columnNames', 'numRows', 'objects'].every((m) => typeof v[m] === 'function');

const isArrow = (v: Loose): boolean =>
  typeof v['numRows'] === 'number' &&
  typeof v['get'] === 'function' &&
  isRecord(v['schema']) &&
  Array.isArray(v['schema']['fields']);

/** The first rows of an arquero table, an Arrow table or a trace; null of anything else. */
export function excerptOf(value: unknown): Excerpt | null {
  if (!isRecord(value)) return null;
  if (isArquero(value)) {
    const t = value as unknown as Arquero;
    return { names: t.columnNames(), rows: t.objects({ limit: shownRows }), total: t.numRows() };
  }
  if (isArrow(value)) {
    const t = value as unknown as Arrow;
    const rows = Array.from({ length: Math.min(shownRows, t.numRows) }, (_, i) =>
      t.get(i)?.toJSON(),
    );
    const names = t.schema.fields.map((f) => f.name);
    return { names, rows: rows.filter((r) => r !== undefined), total: t.numRows };
  }
  const isTrace = isRecord(value['meta']) && Array.isArray(value['batches']);
  return isTrace ? withoutEmpty(excerptOf(value['table'])) : null;
}

/** Without the columns in which no shown row has a value: a trace has many. */
function withoutEmpty(e: Excerpt | null): Excerpt | null {
  if (!e) return null;
  const names = e.names.filter((n) => e.rows.some((r) => r[n] !== null && r[n] !== undefined));
  return { ...e, names };
}

const more = (e: Excerpt): string => {
  const all = `${e.total} ${e.total === 1 ? 'row' : 'rows'}`;
  return e.total > e.rows.length ? `${e.rows.length} of ${all}` : all;
};

/** At most 72 columns of ASCII. */
export function tableText(e: Excerpt): string {
  if (e.rows.length === 0) return `(no rows; columns ${e.names.join(', ')})`;
  const columns = e.names.map((n) => column(e.rows, n, n, false));
  return [...panels(columns), more(e)].map((l) => l.trimEnd()).join('\n');
}

const cell = (v: unknown): string =>
  v === null || v === undefined ? '' : isRecord(v) ? JSON.stringify(v) : String(v);

/** An HTML table. */
export function tableHtml(e: Excerpt): string {
  const row = (tag: string, values: readonly unknown[]): string => {
    const cells = values.map((v) => {
      const number = typeof v === 'number' || typeof v === 'bigint';
      const text = escapeHtml(cell(v)).replace(/\n/g, '\u240a').replace(/\t/g, '\u2409');
      return `<${tag} style="text-align:${number ? 'right' : 'left'}">${text}</${tag}>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  };
  const body = e.rows.map((r) =>
    row(
      'td',
      e.names.map((n) => r[n]),
    ),
  );
  return [
    `<table><thead>${row('th', e.names)}</thead><tbody>`,
    ...body,
    `</tbody></table><p>${more(e)}</p>`,
  ].join('\n');
}
