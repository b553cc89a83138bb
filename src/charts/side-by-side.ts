import { type About, type Spec, schema, textMeta, titled } from './chart.js';
import { theme } from './theme.js';

/** Records of a list that their role tells apart (of vmalloc, of ptdump). */
const byRole = (list: readonly unknown[]): readonly { role: string }[] => {
  const roles = list.map((r) => (r as { role?: unknown } | null)?.role);
  const apart = roles.every((r) => typeof r === 'string') && new Set(roles).size === roles.length;
  return apart ? (list as { role: string }[]) : [];
};

/** Every number of a result by its path; lists are rows, not figures, and are left out, but for those by role. */
export function figuresOf(result: unknown, path = ''): [string, number | string | null][] {
  if (Array.isArray(result)) return byRole(result).flatMap((r) => figuresOf(r, r.role));
  if (result !== null && typeof result === 'object') {
    return Object.entries(result).flatMap(([k, v]) =>
      figuresOf(v, path === '' ? k : `${path}.${k}`),
    );
  }
  if (typeof result === 'number') return [[path, Number(result.toPrecision(5))]];
  return result === null ? [[path, null]] : [];
}

/** Shortest ends of paths that still tell them apart: 'B2/trace.txt', 'D/trace.txt'. */
export function shortNames(paths: readonly string[]): string[] {
  for (let parts = 1; parts < 8; parts++) {
    const names = paths.map((p) => p.split('/').slice(-parts).join('/'));
    if (new Set(names).size === paths.length) {
      const last = names.map((n) => n.split('/').at(-1));
      // The same file name in several folders: the folder says it all.
      return parts > 1 && new Set(last).size === 1
        ? names.map((n) => n.split('/').slice(0, -1).join('/'))
        : names;
    }
  }
  return paths.map((p, i) => `${i + 1}: ${p}`);
}

/** The figures of one analysis over several traces: a row a figure, a column a trace. */
export function sideBySide(
  what: string,
  columns: readonly { name: string; result: unknown }[],
  about: About,
): Spec {
  const names = shortNames(columns.map((c) => c.name));
  const figures = columns.map((c) => new Map(figuresOf(c.result)));
  const all = [...new Set(figures.flatMap((f) => [...f.keys()]))];
  // 'key' of a trace that has none says nothing beside the 'key.flips' of one that has.
  const paths = all.filter((p) => !all.some((q) => q.startsWith(`${p}.`)));
  const rows = paths.map((path) => ({
    figure: path,
    ...Object.fromEntries(figures.map((f, i) => [`t${i}`, f.get(path) ?? null])),
  }));
  const values = figures.flatMap((f, i) =>
    [...f].map(([figure, value]) => ({ figure, trace: names[i], value })),
  );
  return {
    $schema: schema,
    title: titled(what, about),
    config: theme,
    data: { values },
    mark: { type: 'bar', tooltip: true },
    encoding: {
      y: { field: 'figure', type: 'nominal', sort: null, title: null },
      yOffset: { field: 'trace', sort: null },
      x: { field: 'value', type: 'quantitative', title: 'value' },
      color: { field: 'trace', type: 'nominal', title: null },
    },
    usermeta: textMeta('table', what, 'as in --json', columns.length, about, {
      rows,
      limit: rows.length,
      columns: [
        { field: 'figure', title: 'figure' },
        ...names.map((title, i) => ({ field: `t${i}`, title })),
      ],
      notes: columns.map((c, i) => `${names[i]}: ${c.name}`),
    }),
  };
}
