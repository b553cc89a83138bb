import { basename, join, resolve } from 'node:path';
import { endSignal } from '../notebook/ending.js';
import { readNotebook } from '../notebook/nbformat.js';
import { checkName, parametersOf, type Values } from '../notebook/parameters.js';
import { arrivals } from '../notebook/watch.js';
import { type Command, type Context, type Options, UserError } from './command.js';
import { describeRun, perform } from './run.js';
import { readFileValues, readPairs, sortWords, tame, variants } from './run-jobs.js';

/** What each run is made of; all of it must be right before the first trace comes. */
interface Watch {
  readonly notebook: string;
  readonly folder: string;
  readonly count: number;
  readonly values: Values;
}

async function checked(args: readonly string[], options: Options): Promise<Watch> {
  const { files, pairs } = sortWords(args, options);
  const [notebook = '', ...more] = files;
  if (more.length > 0) throw new UserError(`one notebook is watched for, ${files.length} given`);
  if (options['trace'] === undefined) throw new UserError('name the folder to watch with --trace');
  const folder = String(options['trace']);
  const count = Number(options['count'] ?? Number.POSITIVE_INFINITY);
  if (!(count >= 1)) throw new UserError(`--count: a number wanted, '${options['count']}' given`);
  const { charts } = options;
  if (charts !== undefined && resolve(String(charts)) === resolve(folder))
    throw new UserError('--charts: name a folder that is not watched, as charts are written there');
  checkName('trace', parametersOf(readNotebook(notebook)), notebook);
  const given = await readPairs(pairs);
  if (given.has('trace')) throw new UserError('-p trace=...: the traces are those of --trace');
  const [values = {}] = variants(notebook, readFileValues(options['file']), given);
  return { notebook, folder, count, values };
}

/** A copy is named after the whole name of its trace: a.txt and a.dat are two. */
const copyOf = (notebook: string, trace: string): string =>
  `${basename(notebook, '.ipynb')}-${tame(basename(trace))}.ipynb`;

async function run(args: readonly string[], options: Options, context: Context) {
  const { notebook, folder, count, values } = await checked(args, options);
  const end = endSignal();
  const traces = arrivals(folder, options['existing'] === true, end);
  context.note(`watching ${folder}; Ctrl-C ends it`);
  const done: ReturnType<typeof describeRun>['record'][] = [];
  for await (const trace of traces) {
    const output = join(String(options['output']), copyOf(notebook, trace));
    const job = { notebook, values: { ...values, trace }, output };
    const { record, lines } = describeRun(job, await perform(job, options, context, end));
    done.push(record);
    for (const line of lines) context.note(line);
    if (done.length >= count) break;
  }
  const failed = done.filter((r) => !r.ok).length;
  const status = failed > 0 && options['allowErrors'] !== true ? 1 : 0;
  const runs = done.length === 1 ? '1 run' : `${done.length} runs`;
  return { json: done, text: `${runs}, ${failed} failed`, status };
}

/** `ptlab watch`: a notebook run again for each trace that arrives. */
export const watch: Command = {
  args: '[notebook]',
  about: 'run a notebook again whenever a new trace arrives in a folder',
  options: [
    ['--trace <folder>', 'the folder to watch'],
    ['-p, --param <key=value...>', 'another parameter of every run'],
    ['-f, --file <yaml>', 'parameters from a YAML file'],
    ['-o, --output <folder>', 'where the executed copies go', '.'],
    ['--existing', 'run for the traces that are already there, too'],
    ['--count <n>', 'end after so many runs'],
    ['--kernel <name>', "the kernel, where it is not the notebook's own"],
    ['--charts <folder>', 'write every chart as svg, png, txt and vl.json'],
    ['--timeout <seconds>', 'how long a cell may take; 0 is no limit', '3600'],
    ['--allow-errors', 'go on after a cell that failed'],
    ['--html', 'write an HTML page beside each copy'],
  ],
  examples: [
    'ptlab watch notebooks/03-table-overwrites.ipynb --trace /srv/traces -o out',
    'ptlab watch notebooks/04-new-trace.ipynb --trace /srv/traces -p before=old.txt.gz',
  ],
  run,
};
