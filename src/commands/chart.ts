import type { Spec } from '../charts/chart.js';
import { charts } from '../charts/index.js';
import { toText } from '../export/text.js';
import { chartOf, chartSpec, formOf } from './charts.js';
import type { Answer, Command, Context, Options } from './command.js';
import { load, traceOptions } from './load.js';
import { notAnInput, writeOut } from './write.js';

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const [name, path] = args as [string, string];
  chartOf(name); // an unknown name should not wait for the trace
  const outputs = (options['output'] as string[] | undefined) ?? [];
  const inText = (s: Spec): string => toText(s, { utf8: options['utf8'] === true });
  const form = (o: string) => (o.endsWith('.txt') ? inText : formOf(o));
  const writers = outputs.map((o) => [notAnInput(o, [path]), form(o)] as const);
  const spec = chartSpec(name, await load(path, options, context), path);
  for (const [out, make] of writers) writeOut(out, await make(spec));
  const text = inText(spec);
  if (outputs.length === 0) return { json: spec, text };
  return { json: { chart: name, trace: path, written: outputs }, text: outputs.join('\n') };
}

/** `ptlab chart`: one chart as picture, text or spec. */
export const chart: Command = {
  args: '<chart> <trace>',
  about: `a chart as picture, text or spec: ${Object.keys(charts).join(', ')}`,
  options: [
    ['-o, --output <files...>', 'x.svg, .png, .html, .txt or .vl.json; default: text to stdout'],
    ['--utf8', 'text with letters beyond ASCII as they are, and solid bars'],
    ['--self-contained', 'HTML that needs no network (it is always written so)'],
    ...traceOptions,
  ],
  examples: [
    'ptlab chart overwrites trace.txt.gz',
    'ptlab chart table-ages x.arrow -o ages.svg ages.png',
  ],
  run,
};
