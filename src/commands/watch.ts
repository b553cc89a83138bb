import { basename, join, resolve } from 'node:path';
import { endSignal } from '../notebook/ending.js';
import { readNotebook } from '../notebook/nbformat.js';
import { checkName, parametersOf } from '../notebook/parameters.js';
import { arrivals } from '../notebook/watch.js';
import { type Command, type Context, type Options, UserError } from './command.js';
import { describeRun, perform } from './run.js';
import { tame } from './run-jobs.js';

/** What must be right before the first trace comes. */
function checked(notebook: string, options: Options): { folder: string; count: number } {
  if (options['trace'] === undefined) throw new UserError('name the folder to watch with --trace');
  const folder = String(options['trace']);
  const count = Number(options['count'] ?? Number.POSITIVE_INFINITY);
  if (!(count >= 1)) throw new UserError(`--count: a number wanted, '${options['count']}' given`);
  const { charts } = options;
  if (charts !== undefined && resolve(String(charts)) === resolve(folder))
    throw new UserError('--charts: name a folder that is not watched, as charts are written there');
  checkName('trace', parametersOf(readNotebook(notebook)), notebook);
  return { folder, count };
}

/** A copy is named after the whole name of its trace: a.txt and a.dat are two. */
const copyOf = (notebook: string, trace: string): string =>
  `${basename(notebook, '.ipynb')}-${tame(basename(trace))}.ipynb`;

async function run([notebook = '']: readonly string[], options: Options, context: Context) {
  const { folder, count } = checked(notebook, options);
  const end = endSignal();
  const traces = arrivals(folder, options['existing'] === true, end);
  context.note(`watching ${folder}; Ctrl-C ends it`);
  const done: ReturnType<typeof describeRun>['record'][] = [];
  for await (const trace of traces) {
    const output = join(String(options['output']), copyOf(notebook, trace));
    const job = { notebook, values: { trace }, output };
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
  args: '<notebook>',
  about: 'run a notebook again whenever a new trace arrives in a folder',
  options: [
    ['--trace <folder>', 'the folder to watch'],
    ['-o, --output <folder>', 'where the executed copies go', '.'],
    ['--existing', 'run for the traces that are already there, too'],
    ['--count <n>', 'end after so many runs'],
    ['--kernel <name>', "the kernel, where it is not the notebook's own"],
    ['--charts <folder>', 'write every chart as svg, png, txt and vl.json'],
    ['--timeout <seconds>', 'how long a cell may take; 0 is no limit', '3600'],
    ['--allow-errors', 'go on after a cell that failed'],
    ['--html', 'write an HTML page beside each copy'],
  ],
  examples: ['ptlab watch notebooks/03-table-overwrites.ipynb --trace /srv/traces -o out'],
  run,
};
