// What cells call to show something. It works under ptlab's kernel and under plain tslab: both
// keep the way to the front end in tslab's module jupyter.js, and both take whole bundles there.
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { toPng, toSvg } from '../export/image.js';
import { type Spec, toText } from '../export/text.js';
import { excerptOf, tableHtml, tableText } from './tables.js';

/** One thing to show, in every form it has, by MIME type; images as base64. */
export interface MimeBundle {
  readonly data: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
}

/** Something shown that can be shown anew in its place. */
export interface Shown {
  /** Put `value` in the place of what was shown. */
  update(value: unknown): Promise<void>;
}

/** ptlab's kernel can also clear; plain tslab cannot. */
type Write = ((message: unknown, update?: boolean) => void) & { clear?: (wait: boolean) => void };
type Loose = Record<PropertyKey, unknown>;

const specMime = 'application/vnd.vegalite.v6+json';
const require = createRequire(import.meta.url);
let shown = 0;

/**
 * The way to the front end; undefined outside a notebook. A tslab that finds another one in the
 * folder of the notebook hands over to that: of several loaded, one talks.
 */
function writer(): Write | undefined {
  const files = Object.keys(require.cache).filter((f) =>
    /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(f),
  );
  const ways = files.map((f) => require.cache[f]?.exports?.lastWriteDisplayData);
  return ways.find((w) => typeof w === 'function');
}

/** True for a Vega-Lite spec. */
const isSpec = (value: unknown): value is Spec =>
  typeof value === 'object' &&
  value !== null &&
  /vega-lite/.test(String((value as Loose)['$schema'] ?? ''));

/** The text form of a spec; of one that is not ptlab's, what it is. */
function specText(spec: Spec): string {
  try {
    return toText(spec);
  } catch {
    return 'A Vega-Lite chart; it has no text form (no usermeta.ptlab)';
  }
}

async function chartBundle(spec: Spec): Promise<MimeBundle> {
  const [svg, png] = await Promise.all([toSvg(spec), toPng(spec)]);
  return {
    data: {
      'text/plain': specText(spec),
      'image/svg+xml': svg,
      'image/png': Buffer.from(png).toString('base64'),
      [specMime]: spec,
    },
    metadata: {},
  };
}

/** Bundles as they come from a value's own `Symbol.for('Jupyter.display')` method. */
async function ownBundle(value: unknown): Promise<MimeBundle | null> {
  const own = (value as Loose | null)?.[Symbol.for('Jupyter.display')];
  if (typeof own !== 'function') return null;
  return { data: (await own.call(value)) as MimeBundle['data'], metadata: {} };
}

/**
 * All forms of a value: a chart as SVG, PNG, spec and text; a trace, an arquero or an Arrow table as
 * HTML and text; what has a method `Symbol.for('Jupyter.display')` as that says; anything else as text.
 */
export async function mimeBundle(value: unknown): Promise<MimeBundle> {
  if (isSpec(value)) return chartBundle(value);
  const own = await ownBundle(value);
  if (own) return own;
  const excerpt = excerptOf(value);
  if (!excerpt) return { data: { 'text/plain': inspect(value) }, metadata: {} };
  const data = { 'text/plain': tableText(excerpt), 'text/html': tableHtml(excerpt) };
  return { data, metadata: {} };
}

function show(bundle: MimeBundle): Shown {
  const write = writer();
  if (!write) {
    process.stdout.write(`${bundle.data['text/plain']}\n`);
    return { update: async (v) => void show(await mimeBundle(v)) };
  }
  const display_id = `ptlab-${process.pid}-${++shown}`;
  write({ ...bundle, transient: { display_id } });
  return {
    async update(value) {
      write({ ...(await mimeBundle(value)), transient: { display_id } }, true);
    },
  };
}

/**
 * Show a value in all its forms, as {@link mimeBundle} gives them; outside a notebook, print its text.
 * @example await display(table)
 */
export async function display(value: unknown): Promise<void> {
  show(await mimeBundle(value));
}

/**
 * Show a value that can be shown anew in its place.
 * @example const d = await newDisplay('0 %'); await d.update('50 %');
 */
export const newDisplay = async (value: unknown): Promise<Shown> => show(await mimeBundle(value));

/**
 * Draw a chart.
 * @example await plot(chart('overwrites', t))
 */
export const plot = (spec: Spec): Promise<void> => display(spec);

/**
 * Show the text form of a chart, the one that goes into a mail.
 * @example await text(chart('overwrites', t))
 */
export async function text(spec: Spec): Promise<void> {
  show({ data: { 'text/plain': toText(spec) }, metadata: {} });
}

/**
 * Remove what the cell has shown so far: at once, or with `wait` when the next output comes. Plain
 * tslab has no such message: there, and outside a notebook, nothing happens.
 */
export function clearOutput(wait = false): void {
  writer()?.clear?.(wait);
}
