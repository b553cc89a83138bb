import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyses } from '../analyses/index.js';
import { charts } from '../charts/index.js';
import type { Trace } from '../events/trace.js';
import { toText } from '../export/text.js';
import { importFile, openTrace } from '../importers/open.js';
import { runNotebook } from '../notebook/runner.js';
import { chartOf, chartSpec, forms } from './charts.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import { aboutOf } from './load.js';
import { outputFolder } from './run.js';
import { writeOut } from './write.js';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const sample = join(home, 'data', 'B2-x2b-2readers', 'trace.txt.gz');
const notebook = join(home, 'notebooks', '03-table-overwrites.ipynb');

/** Every chart of a trace in every form, into `folder`. */
async function drawAll(trace: Trace, path: string, folder: string, context: Context) {
  const bar = context.progress('drawing charts');
  const names = Object.keys(charts);
  for (const [i, name] of names.entries()) {
    bar.update(i, names.length, name);
    const spec = chartSpec(name, trace, path);
    for (const [end, form] of Object.entries(forms)) {
      writeOut(join(folder, `${name}${end === '.json' ? '.vl.json' : end}`), await form(spec));
    }
  }
  bar.stop();
  return names;
}

/** Each analysis in words, one below the other. */
const inWords = (trace: Trace, path: string): string =>
  Object.entries(analyses)
    .map(([name, a]) => {
      const about = aboutOf(path, trace, ['analyze', name, path]);
      return toText(chartOf(a.summary).spec(a.run(trace), about));
    })
    .join('\n');

async function runDemo(trace: string, folder: string, context: Context): Promise<string> {
  const output = join(folder, '03-table-overwrites.ipynb');
  const bar = context.progress('running the notebook');
  const result = await runNotebook(notebook, {
    values: { trace: resolve(trace) },
    output,
    onCell: (done, total, cell) => bar.update(done, total, cell),
  });
  bar.stop();
  const failed = result.failures[0];
  if (failed) {
    throw new UserError(`${output}: cell ${failed.cell} failed: ${failed.ename}: ${failed.evalue}`);
  }
  return output;
}

/** A run's name: of its file, or of its folder where the file is just called 'trace'. */
function nameOf(path: string): string {
  const name = basename(path).replace(/\..*$/, '');
  return name === 'trace' ? basename(dirname(resolve(path))) : name;
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const source = args[0] ?? sample;
  const folder = String(options['output'] ?? 'out');
  outputFolder(folder);
  const arrow = join(folder, `${nameOf(source)}.arrow`);
  await importFile(source, arrow);
  const trace = await openTrace(arrow);
  const names = await drawAll(trace, arrow, folder, context);
  const executed = await runDemo(arrow, folder, context);
  const summary = inWords(trace, arrow);
  writeOut(join(folder, 'summary.txt'), summary);
  const files = [arrow, executed, join(folder, 'summary.txt')];
  const pictures = names.map((n) => join(folder, `${n}.{svg,png,html,txt,vl.json}`));
  const text = [summary, 'written:', ...[...files, ...pictures].map((f) => `  ${f}`)].join('\n');
  return { json: { source, written: [...files, ...pictures] }, text };
}

/** `ptlab demo`: the whole way from a trace to pictures, text and an executed notebook. */
export const demo: Command = {
  args: '[trace]',
  about: 'the whole way: import a trace, run the notebook, draw every chart (npm start)',
  options: [['-o, --output <folder>', 'where everything goes; default: out']],
  examples: ['ptlab demo', 'ptlab demo trace.txt.gz -o out'],
  run,
};
