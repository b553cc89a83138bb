import { basename, join } from 'node:path';
import { arrivals } from '../notebook/watch.js';
import { type Command, UserError } from './command.js';
import { describeRun, perform } from './run.js';
import { stem } from './run-jobs.js';

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
  async run([notebook = ''], options, context) {
    if (options['trace'] === undefined)
      throw new UserError('name the folder to watch with --trace');
    const count = Number(options['count'] ?? Number.POSITIVE_INFINITY);
    if (!(count >= 1)) throw new UserError(`--count: a number wanted, '${options['count']}' given`);
    const folder = String(options['trace']);
    const end = new AbortController();
    process.once('SIGINT', () => end.abort());
    context.note(`watching ${folder}; Ctrl-C ends it`);
    const runs: unknown[] = [];
    for await (const trace of arrivals(folder, options['existing'] === true, end.signal)) {
      const name = `${basename(notebook, '.ipynb')}-${stem(trace)}.ipynb`;
      const job = { notebook, values: { trace }, output: join(String(options['output']), name) };
      const result = await perform(job, options, context);
      const { record, lines } = describeRun(job, result);
      runs.push(record);
      for (const line of lines) context.note(line);
      if (runs.length >= count) break;
    }
    return { json: runs, text: `${runs.length} runs` };
  },
};
