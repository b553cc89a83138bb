import { type GapMark, gapLines } from './gaps.js';
import { subtitleLines } from './theme.js';

/** A Vega-Lite spec: plain JSON with its data inline. */
export type Spec = Record<string, unknown>;

/** What a chart says of where its numbers come from; goes into title, source line and text head. */
export interface About {
  readonly kernel?: string;
  readonly config?: string;
  readonly trace?: string;
  readonly sha256?: string;
  readonly lost?: number;
  /** Where events are missing, in order. */
  readonly gaps?: readonly GapMark[];
  /** Events lost of which the trace does not say where. */
  readonly lost_somewhere?: number;
  /** The words that make the chart again: ['ptlab', 'chart', ...]. */
  readonly command: readonly string[];
}

/** A chart: a file in charts/, a line in charts/index.ts. */
export interface Chart<Data> {
  readonly about: string;
  /** The analysis whose result it draws. */
  readonly from: string;
  spec(data: Data, about: About): Spec;
}

/** 'trace.txt.gz, sha256 0123456789ab, 0 events lost': the line under a picture. */
export function sourceLine(about: About): string {
  const parts = [
    about.trace ?? 'no trace',
    about.sha256 ? `sha256 ${about.sha256.slice(0, 12)}` : '',
    about.kernel ? `kernel ${about.kernel}` : '',
    about.lost === undefined ? '' : `${about.lost} events lost`,
  ];
  return parts.filter((p) => p !== '').join(', ');
}

/** Title with the figures, the source line below it, and what is missing. */
export const titled = (text: string, about: About, ...more: string[]) => ({
  text,
  subtitle: [...more, sourceLine(about), ...gapLines(about).flatMap(subtitleLines)],
});

/** Head and command for the text form: `usermeta.ptlab` of every spec. */
export const textMeta = (
  shape: string,
  what: string,
  unit: string,
  n: number,
  about: About,
  more: Record<string, unknown> & { readonly notes?: readonly string[] } = {},
) => {
  const { command, gaps: _, lost_somewhere: __, ...head } = about;
  const missing = gapLines(about).map((l) => `${l.charAt(0).toUpperCase()}${l.slice(1)}.`);
  const notes = [...(more.notes ?? []), ...missing];
  return { ptlab: { shape, head: { what, unit, n, ...head }, command, ...more, notes } };
};

export const schema = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Mark and encoding of cumulative curves of times on a log scale, one curve a value of `group`. */
export const cdfOf = (x: { field: string; title: string }, share: string, group: string) => ({
  mark: { type: 'line', interpolate: 'step-after', tooltip: true },
  encoding: {
    x: { ...x, type: 'quantitative', scale: { type: 'log' } },
    y: { field: 'share', type: 'quantitative', title: share },
    color: { field: group, type: 'nominal', title: null },
    strokeDash: { field: group, type: 'nominal', title: null },
  },
});
