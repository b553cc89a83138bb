// What the text form needs of a Vega-Lite spec: its inline rows, its encodings, its axis titles.

/** One row of inline data. */
export type Row = Readonly<Record<string, unknown>>;

/** A Vega-Lite spec as plain JSON. */
export type Spec = Readonly<Record<string, unknown>>;

/** One encoded channel: which field, of what type, under what title, on what scale. */
export interface Channel {
  readonly field: string;
  readonly type: string;
  readonly title: string;
  readonly log: boolean;
}

/** The view the text is made from. */
export interface View {
  readonly rows: readonly Row[];
  readonly mark: string;
  readonly x?: Channel;
  readonly y?: Channel;
  /** What tells series apart: colour, stroke dash or shape. */
  readonly group?: Channel;
}

type Json = Record<string, unknown>;
const record = (v: unknown): Json => (v !== null && typeof v === 'object' ? (v as Json) : {});
const list = (v: unknown): Json[] => (Array.isArray(v) ? v.map(record) : []);

function channel(encoding: Json, key: string): Channel | undefined {
  const c = record(encoding[key]);
  const { field, type } = c;
  if (typeof field !== 'string') return undefined;
  for (const step of ['aggregate', 'bin', 'timeUnit'])
    if (c[step] && c[step] !== 'binned')
      throw new Error(`no text form of a chart that leaves ${step} of '${field}' to Vega`);
  const titles = [c['title'], record(c['axis'])['title'], record(c['legend'])['title']];
  const title = titles.find((t) => typeof t === 'string');
  const log = ['log', 'symlog'].includes(String(record(c['scale'])['type']));
  return {
    field: field.replace(/\\(.)/g, '$1'),
    type: String(type ?? ''),
    title: (title as string | undefined) ?? field,
    log,
  };
}

function values(spec: Json, datasets: Json): Row[] | undefined {
  const data = record(spec['data']);
  const named = typeof data['name'] === 'string' ? datasets[data['name']] : undefined;
  const rows = data['values'] ?? named;
  return Array.isArray(rows) ? (rows as Row[]) : undefined;
}

interface Found extends View {
  readonly transformed: boolean;
}

/** Every view of a spec, outermost first; layers inherit data and encoding. */
function* views(spec: Json, parent: Found, datasets: Json, above: Json): Generator<Found> {
  const encoding = { ...above, ...record(spec['encoding']) };
  const mark = spec['mark'];
  const group = ['color', 'strokeDash', 'shape'].map((k) => channel(encoding, k)).find(Boolean);
  const [x, y] = [channel(encoding, 'x'), channel(encoding, 'y')];
  const found: Found = {
    rows: values(spec, datasets) ?? parent.rows,
    mark: typeof mark === 'string' ? mark : String(record(mark)['type'] ?? ''),
    transformed: parent.transformed || list(spec['transform']).length > 0,
    ...(x ? { x } : {}),
    ...(y ? { y } : {}),
    ...(group ? { group } : {}),
  };
  yield found;
  for (const key of ['layer', 'vconcat', 'hconcat', 'concat'])
    for (const inner of list(spec[key])) yield* views(inner, found, datasets, encoding);
  if (spec['spec']) yield* views(record(spec['spec']), found, datasets, encoding);
}

/**
 * The first view with both an x and a y field (or the first at all): what the chart is about.
 * `rows` takes the place of the inline data.
 * @throws Error where Vega itself would still compute the rows (transform, aggregate, bin).
 */
export function mainView(spec: Spec, rows?: readonly Row[]): View {
  const empty: Found = { rows: [], mark: '', transformed: false };
  const all = [...views(record(spec), empty, record(spec['datasets']), {})];
  const view = all.find((v) => v.x && v.y) ?? all[0] ?? empty;
  if (rows) return { ...view, rows };
  if (view.transformed) throw new Error('no text form of a chart whose rows Vega still transforms');
  return view;
}
