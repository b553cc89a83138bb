// The look of all charts, as plain Vega-Lite JSON. Colours are from Okabe and Ito's set, which
// people with any common colour blindness tell apart, in an order that alternates dark and light
// so that neighbours differ in grey too; dashes and shapes repeat what colour says.

const font = 'DejaVu Sans, Verdana, sans-serif';
const ink = '#222222';
const faint = '#dddddd';

/** Colours of series, first to last. */
export const palette = [
  '#0072b2',
  '#e69f00',
  '#222222',
  '#56b4e9',
  '#8f3f00',
  '#cc79a7',
  '#f0e442',
  '#009e73',
] as const;

/** Vega-Lite `config` of every chart. */
export const theme = {
  background: '#ffffff',
  font,
  padding: 12,
  title: {
    anchor: 'start',
    frame: 'bounds',
    color: ink,
    font,
    fontSize: 15,
    fontWeight: 'bold',
    subtitleColor: '#555555',
    subtitleFont: font,
    subtitleFontSize: 11,
    subtitlePadding: 4,
    lineHeight: 19,
    subtitleLineHeight: 15,
    offset: 12,
  },
  view: { continuousWidth: 560, continuousHeight: 280, discreteWidth: 560, stroke: null },
  axis: {
    labelFont: font,
    titleFont: font,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelColor: ink,
    titleColor: ink,
    labelLimit: 240,
    maxExtent: 400,
    titleLimit: 560,
    domainColor: '#888888',
    tickColor: '#888888',
    gridColor: faint,
    labelFlush: false,
    labelOverlap: 'greedy',
  },
  axisBand: { grid: false },
  axisX: { tickCount: 8 },
  axisY: { tickCount: 6 },
  legend: {
    labelFont: font,
    titleFont: font,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    labelColor: ink,
    titleColor: ink,
    labelLimit: 240,
    titleLimit: 240,
    orient: 'top',
    columns: 3,
    offset: 8,
  },
  header: { labelFont: font, titleFont: font, labelFontSize: 11, titleFontSize: 12 },
  text: { font, fontSize: 11, color: ink },
  bar: { color: palette[0] },
  line: { color: palette[0], strokeWidth: 2 },
  point: { color: palette[0], filled: true, size: 45 },
  area: { color: palette[0], opacity: 0.8 },
  rule: { color: ink },
  rect: { color: palette[0] },
  range: {
    category: [...palette],
    ordinal: ['#deebf7', '#9ecae1', '#4292c6', '#08519c', '#08264f'],
    ramp: ['#f0f4f8', '#9ecae1', '#4292c6', '#08519c', '#08264f'],
    heatmap: ['#f0f4f8', '#9ecae1', '#4292c6', '#08519c', '#08264f'],
    diverging: ['#e69f00', '#f6e3bd', '#f7f7f7', '#a6cbe3', '#0072b2'],
  },
} as const;

/** Characters of `size` points that fit `width` pixels of the font; an average letter is 0.6 wide. */
const columns = (width: number, size: number): number => Math.floor(width / (size * 0.6));

function lines(text: string, most: number): string[] {
  const out: string[] = [''];
  for (const word of text.split(' '))
    for (let rest = word; rest !== ''; ) {
      const line = out.at(-1) as string;
      const room = most - line.length - (line === '' ? 0 : 1);
      if (rest.length > room && line !== '') out.push('');
      else {
        out[out.length - 1] = line + (line === '' ? '' : ' ') + rest.slice(0, room);
        rest = rest.slice(room);
        if (rest !== '') out.push('');
      }
    }
  return out;
}

/**
 * Vega-Lite `title`: what the chart shows, then its unit and n, then the source line (trace,
 * kernel), each wrapped to a chart of `width` pixels (560).
 */
export function heading(
  what: string,
  unit: string,
  source: string,
  width = 560,
): Record<string, unknown> {
  const small = columns(width, theme.title.subtitleFontSize);
  return {
    text: lines(what, columns(width, theme.title.fontSize * 1.1)),
    subtitle: [...lines(unit, small), ...lines(source, small)].filter((l) => l !== ''),
  };
}

/** Text below a title, in lines that fit the usual chart. */
export const subtitleLines = (text: string): string[] =>
  lines(text, columns(560, theme.title.subtitleFontSize));
