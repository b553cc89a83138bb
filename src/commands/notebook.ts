import type { Spec } from '../charts/chart.js';
import type { Trace } from '../events/trace.js';
import { type OpenOptions, openTrace } from '../importers/open.js';
import { chartSpec } from './charts.js';

/** Where a trace was loaded from, for the command that a chart names. */
const paths = new WeakMap<Trace, string>();

/**
 * Open a trace of any known format.
 * @example const t = await load('../data/A-x2b/trace.txt.gz')
 */
export async function load(path: string, options: OpenOptions = {}): Promise<Trace> {
  const trace = await openTrace(path, options);
  paths.set(trace, path);
  return trace;
}

/**
 * A chart of a trace by name, as a Vega-Lite spec.
 * @example await plot(chart('overwrites', t))
 */
export const chart = (name: string, trace: Trace): Spec =>
  chartSpec(name, trace, paths.get(trace) ?? trace.meta.source);
