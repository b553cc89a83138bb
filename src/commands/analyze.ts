import { type Analysis, analyses } from '../analyses/index.js';
import { toText } from '../export/text.js';
import { chartOf } from './charts.js';
import { type Answer, byName, type Command, type Context, type Options } from './command.js';
import { aboutOf, load, traceOptions } from './load.js';
import { toCsv } from './write.js';

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const [name, path] = args as [string, string];
  const analysis = byName<Analysis<unknown>>('analysis', analyses, name);
  const trace = await load(path, options, context);
  const result = analysis.run(trace);
  const about = aboutOf(path, trace, ['analyze', name, path]);
  const spec = chartOf(analysis.summary).spec(result, about);
  return {
    json: analysis.json(result),
    text: toText(spec),
    csv: toCsv(analysis.rows(result)),
  };
}

/** `ptlab analyze`: the figures of an analysis. */
export const analyze: Command = {
  args: '<analysis> <trace>',
  about: `the figures of an analysis: ${Object.keys(analyses).join(', ')}`,
  options: traceOptions,
  examples: [
    'ptlab analyze overwrites trace.txt.gz',
    'ptlab analyze overwrites x.arrow --json',
    'ptlab analyze overwrites x.arrow --csv > overwrites.csv',
  ],
  run,
};
