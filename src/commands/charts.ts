import { extname } from 'node:path';
import { type Analysis, analyses } from '../analyses/index.js';
import type { Chart, Spec } from '../charts/chart.js';
import { charts as all } from '../charts/index.js';
import type { Trace } from '../events/trace.js';
import { toHtml } from '../export/html.js';
import { toPng, toSvg } from '../export/image.js';
import { toText } from '../export/text.js';
import { byName, UserError } from './command.js';
import { aboutOf } from './load.js';

/** The chart called `name`. */
export const chartOf = (name: string): Chart<unknown> => byName('chart', all, name);

const results = new WeakMap<Trace, Map<string, unknown>>();

/** What analysis `name` says of a trace; run once a trace, however many charts ask. */
function resultOf(name: string, trace: Trace): unknown {
  const known = results.get(trace) ?? new Map<string, unknown>();
  results.set(trace, known);
  const analysis = byName<Analysis<unknown>>('analysis', analyses, name);
  if (!known.has(name)) known.set(name, analysis.run(trace));
  return known.get(name);
}

/** The spec of chart `name` for a trace that lies at `path`. */
export function chartSpec(name: string, trace: Trace, path: string): Spec {
  const chart = chartOf(name);
  return chart.spec(resultOf(chart.from, trace), aboutOf(path, trace, ['chart', name, path]));
}

/** The forms a chart can be written in, by the end of the file's name. */
export const forms: Readonly<Record<string, (spec: Spec) => Promise<string | Uint8Array>>> = {
  '.svg': toSvg,
  '.png': (spec) => toPng(spec),
  '.html': toHtml,
  '.txt': async (spec) => toText(spec),
  '.json': async (spec) => `${JSON.stringify(spec, null, 1)}\n`,
};

/** How a chart is to be written to `path`. */
export function formOf(path: string): (spec: Spec) => Promise<string | Uint8Array> {
  const form = forms[extname(path).toLowerCase()];
  if (form) return form;
  throw new UserError(`${path}: a chart is written as .svg, .png, .html, .txt or .vl.json`);
}
