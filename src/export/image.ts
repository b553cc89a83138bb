// A Vega-Lite spec as a picture. The same spec gives the same bytes on every machine: text is
// measured and drawn with the bundled font only, whatever fonts or canvas are installed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Font } from 'opentype.js';
import type { Spec } from './spec.js';

const FAMILY = 'DejaVu Sans';

const fontFile = (weight: 'normal' | 'bold'): string => {
  const folder = dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'));
  return join(folder, 'ttf', weight === 'bold' ? 'DejaVuSans-Bold.ttf' : 'DejaVuSans.ttf');
};

/** What Vega measures: a mark of type text, or the style of an axis, legend or title. */
interface TextItem {
  /** Widest it may get; Vega cuts the text itself. */
  readonly limit?: number;
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
}

type Measure = (item: TextItem, text: string) => number;

const isBold = (weight: string | number | undefined): boolean =>
  weight === 'bold' || Number(weight) >= 600;

let measure: Measure | undefined;

/** Text widths in pixels of the bundled font; without them Vega guesses, and clips or wastes. */
async function fontMeasure(): Promise<Measure> {
  if (measure) return measure;
  const { parse } = (await import('opentype.js')).default;
  const load = (weight: 'normal' | 'bold'): Font => {
    const bytes = readFileSync(fontFile(weight));
    return parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };
  const [normal, bold] = [load('normal'), load('bold')];
  const em = normal.unitsPerEm;
  const advance = (font: Font, text: string): number =>
    Array.from(text).reduce((sum, c) => sum + (font.charToGlyph(c).advanceWidth ?? em), 0);
  measure = (item, text) => {
    const font = isBold(item.fontWeight) ? bold : normal;
    const width = (advance(font, `${text ?? ''}`.trim()) * (item.fontSize ?? 11)) / em;
    return item.limit && item.limit > 0 ? Math.min(width, item.limit) : width;
  };
  return measure;
}

/** What XML cannot hold at all, and lone halves of surrogate pairs. */
const unfit = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;
const shown = (c: string): string =>
  `\\x${(c.codePointAt(0) as number).toString(16).padStart(2, '0')}`;

/** The spec with every such character of its strings (names out of traces) written as \xNN. */
function drawable(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(unfit, shown);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(drawable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, drawable(v)]));
}

/** The Vega spec of a Vega-Lite spec, its text fit for XML and measured with the bundled font. */
export async function compiled(spec: Spec) {
  const [vega, lite, width] = await Promise.all([
    import('vega'),
    import('vega-lite'),
    fontMeasure(),
  ]);
  (vega as unknown as { textMetrics: { width: Measure } }).textMetrics.width = width;
  return lite.compile(drawable(spec) as Parameters<typeof lite.compile>[0]).spec;
}

/**
 * The spec as an SVG document; fonts are named, not embedded.
 * @throws Error of Vega-Lite or Vega where the spec is wrong, or where it wants data from a URL.
 */
export async function toSvg(spec: Spec): Promise<string> {
  const [vega, vegaSpec] = await Promise.all([import('vega'), compiled(spec)]);
  const loader = vega.loader();
  loader.load = (uri) =>
    Promise.reject(new Error(`a chart holds its data inline; not read: ${uri}`));
  const view = new vega.View(vega.parse(vegaSpec), {
    renderer: 'none',
    loader,
    logLevel: vega.Error,
  });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/**
 * The spec as a PNG image, `scale` (2) pixels a point.
 * @throws Error as `toSvg`.
 */
export async function toPng(
  spec: Spec,
  options: { readonly scale?: number } = {},
): Promise<Uint8Array> {
  const [{ Resvg }, svg] = await Promise.all([import('@resvg/resvg-js'), toSvg(spec)]);
  return new Resvg(svg, {
    fitTo: { mode: 'zoom', value: options.scale ?? 2 },
    font: {
      loadSystemFonts: false,
      fontFiles: [fontFile('normal'), fontFile('bold')],
      defaultFontFamily: FAMILY,
      sansSerifFamily: FAMILY,
    },
    logLevel: 'off',
  })
    .render()
    .asPng();
}
