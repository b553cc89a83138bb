import { type Analysis, analyses } from '../analyses/index.js';
import { shortNames, sideBySide } from '../charts/side-by-side.js';
import { toText } from '../export/text.js';
import { chartOf } from './charts.js';
import { type Answer, byName, type Command, type Context, type Options } from './command.js';
import { missing, missingOf } from './gap-marks.js';
import { aboutOf, load, traceOptions } from './load.js';
import { toCsv } from './write.js';

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const [name, path, ...more] = args as [string, string, ...string[]];
  const analysis = byName<Analysis<unknown>>('analysis', analyses, name);
  if (more.length > 0) return several(name, analysis, [path, ...more], options, context);
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

/** The same analysis of several traces: `{traces: [{trace, sha256, result}]}`, a column a trace. */
async function several(
  name: string,
  analysis: Analysis<unknown>,
  paths: readonly string[],
  options: Options,
  context: Context,
): Promise<Answer> {
  const done = [];
  for (const path of paths) {
    const trace = await load(path, options, context);
    const result = analysis.run(trace);
    const rows = analysis.rows(result).map((r) => ({ trace: path, ...r }));
    done.push({
      path,
      meta: trace.meta,
      missing: missing(trace),
      json: analysis.json(result),
      rows,
    });
  }
  const lost = done.reduce((n, d) => n + d.meta.lost, 0);
  const command = ['ptlab', 'analyze', name, ...paths];
  const columns = done.map((d) => ({ name: d.path, result: d.json }));
  const names = shortNames(paths);
  const gone = missingOf(done.map((d, i) => ({ name: names[i]!, missing: d.missing })));
  const about = { trace: `${paths.length} traces`, lost, ...gone, command };
  return {
    json: { traces: done.map((d) => ({ trace: d.path, sha256: d.meta.sha256, result: d.json })) },
    text: toText(sideBySide(`${name}: ${analysis.about}`, columns, about)),
    csv: toCsv(done.flatMap((d) => d.rows)),
  };
}

/** `ptlab analyze`: the figures of an analysis. */
export const analyze: Command = {
  args: '<analysis> <traces...>',
  about: `the figures of an analysis: ${Object.keys(analyses).join(', ')}`,
  options: traceOptions,
  examples: [
    'ptlab analyze overwrites trace.txt.gz',
    'ptlab analyze overwrites x.arrow --json',
    'ptlab analyze overwrites x.arrow --csv > overwrites.csv',
    'ptlab analyze race-windows v3.txt.gz trylock.txt.gz',
  ],
  run,
};
