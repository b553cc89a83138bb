// Charts as text for a mailing list: at most 72 columns of 7-bit ASCII.
//
// A chart is a Vega-Lite spec with its data inline; the text is made from the rows, the encodings,
// the axis titles and `spec.usermeta.ptlab`, which is plain data (see `Meta`):
//
//   shape            rows of the spec                        from usermeta.ptlab
//   log2-histogram   lo, hi (hi not in the bucket), count
//   bars             x and y: one name, one number           limit
//   series           x, y numbers; colour: the series
//   cdf              x number, y share 0..1; colour
//   table            any                                     columns, limit
//   percentiles      p (0..100), value, [series]
//   compare          name, before: number[], after: number[] columns: two titles; better
//   race             lane, text, [note], in order            lanes
//   excerpt          ts_ns, cpu, task, text, [note], [left_out]
//
// `rows` in usermeta.ptlab takes the place of the spec's data where the picture needs other rows.
import { clean, figure, finish, fit, WIDTH, wrap } from './ascii.js';
import { shapes } from './shapes/index.js';
import { commandLines } from './shell.js';
import { mainView, type Row, type Spec, type View } from './spec.js';

export type { Row, Spec } from './spec.js';

/** The kinds of text a chart can have. */
export type Shape = keyof typeof shapes;

/** What stands above every block: what was counted, on what, how much of it. */
export interface Head {
  /** What the figures are: 'page tables overwritten by huge mappings'. */
  readonly what: string;
  /** Unit of the figures: 'us', 'overwrites per 100 ms'. */
  readonly unit: string;
  /** How many events, samples or runs the figures rest on. */
  readonly n: number;
  /** Release and architecture: '6.12.117 arm64'. */
  readonly kernel?: string;
  /** What of the configuration matters: 'PTDUMP_DEBUGFS=y, 4K pages'. */
  readonly config?: string;
  /** File name of the trace; left out for what no trace was needed for. */
  readonly trace?: string;
  /** sha256 of the trace, hexadecimal; the first 12 digits are shown. */
  readonly sha256?: string;
  /** Events lost while tracing; left out where that is unknown. */
  readonly lost?: number;
}

/** A column of a table: which field, what heading. */
export interface Column {
  readonly field: string;
  readonly title?: string;
}

/** `spec.usermeta.ptlab`. */
export interface Meta {
  readonly shape: Shape;
  readonly head: Head;
  /** The words that make the block again: ['ptlab', 'chart', 'overwrites', 'x.arrow']; unquoted. */
  readonly command: readonly string[];
  /** Rows for the text, in place of the spec's data. */
  readonly rows?: readonly Row[];
  /** table: columns from left to right; compare: the two headings. */
  readonly columns?: readonly (Column | string)[];
  /** table, bars: rows shown; the others are counted in a last line. */
  readonly limit?: number;
  /** compare: which way is good; percents are then gains, else plain change. */
  readonly better?: 'lower' | 'higher';
  /** race: who runs, from left to right. */
  readonly lanes?: readonly string[];
  /** Sentences below the figures. */
  readonly notes?: readonly string[];
}

/** What a shape is given. */
export interface Block {
  readonly meta: Meta;
  readonly view: View;
  readonly utf8: boolean;
}

function need(ok: boolean, where: string, want: string, got: unknown): void {
  if (ok) return;
  const shown = String(JSON.stringify(got) ?? got).slice(0, 60);
  throw new Error(`a chart needs usermeta.ptlab.${where}: ${want}, not ${shown}`);
}

function metaOf(spec: Spec): Meta {
  const meta = (spec['usermeta'] as { ptlab?: Meta } | undefined)?.ptlab;
  need(meta !== null && typeof meta === 'object', 'shape', 'see export/text.ts', meta);
  const { shape, head, command } = meta as Meta;
  need(Object.hasOwn(shapes, shape), 'shape', `one of ${Object.keys(shapes).join(', ')}`, shape);
  need(typeof head?.what === 'string', 'head.what', 'a string', head?.what);
  need(typeof head.unit === 'string', 'head.unit', 'a string', head.unit);
  need(Number.isFinite(head.n), 'head.n', 'a number', head.n);
  const words = Array.isArray(command) && command.every((w) => typeof w === 'string');
  need(words && command[0] === 'ptlab', 'command', "words that begin with 'ptlab'", command);
  return meta as Meta;
}

/** No other line looks like the command or the head of a block. */
const plain = (line: string): string => (/^(\$ |unit:)/.test(line) ? ` ${line}` : line);

function headLines(head: Head, utf8: boolean): string[] {
  const text = (value: string | undefined, none: string) => (value ? clean(value, utf8) : none);
  const digest = `, sha256 ${clean(head.sha256?.slice(0, 12) ?? 'not known', utf8)}`;
  const name = fit(text(head.trace, 'none, computed'), WIDTH - 7 - digest.length);
  const lost = head.lost === undefined ? 'not stated' : figure(head.lost);
  return [
    ...wrap(clean(head.what, utf8), WIDTH - 1).map(plain),
    ...wrap(
      `unit: ${text(head.unit, 'none')}; n = ${figure(head.n)}; events lost: ${head.trace ? lost : 'none'}`,
      WIDTH - 1,
      '  ',
    ),
    ...wrap(
      `kernel: ${text(head.kernel, 'not stated')}; config: ${text(head.config, 'not stated')}`,
      WIDTH - 1,
      '  ',
    ),
    `trace: ${name}${head.trace ? digest : ''}`,
  ];
}

/**
 * The text form of a chart: what, unit, n, kernel, configuration, trace and events lost; the
 * figures; the command that makes it again. At most 72 columns, no trailing blanks, tabs or line
 * starts that mail or patch tools act on; 7-bit ASCII unless `utf8`. Ends with a newline.
 * @throws Error naming the field of usermeta.ptlab that is missing or wrong.
 */
export function toText(spec: Spec, options: { readonly utf8?: boolean } = {}): string {
  const utf8 = options.utf8 ?? false;
  const meta = metaOf(spec);
  const block: Block = { meta, utf8, view: mainView(spec, meta.rows) };
  const notes = (meta.notes ?? []).flatMap((n) => wrap(clean(n, utf8), WIDTH - 1));
  const figures = [...shapes[meta.shape](block), ...(notes.length > 0 ? ['', ...notes] : [])];
  const lines = [
    ...headLines(meta.head, utf8),
    '',
    ...figures.map(plain),
    '',
    ...commandLines(meta.command, WIDTH),
  ];
  return `${finish(lines).join('\n')}\n`;
}
