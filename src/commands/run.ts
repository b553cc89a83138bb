import { basename, dirname, resolve } from 'node:path';
import { clean, fit, WIDTH, wrap } from '../export/ascii.js';
import { writeCharts } from '../notebook/chart-files.js';
import { endSignal } from '../notebook/ending.js';
import { makeFolder } from '../notebook/folders.js';
import { writeHtml, writeIndex } from '../notebook/html.js';
import { type RunResult, runNotebook } from '../notebook/runner.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import {
  type Job,
  plan,
  readFileValues,
  readPairs,
  sortWords,
  tracesOf,
  variants,
} from './run-jobs.js';

/** Make the folder of an output. @throws UserError that says what to do. */
export function outputFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    throw new UserError(`cannot write in ${folder}: ${code}; name another place with -o`);
  }
}

const seconds = (options: Options): number => {
  const s = Number(options['timeout']);
  if (!(s >= 0)) throw new UserError(`--timeout: seconds wanted, '${options['timeout']}' given`);
  return s;
};

/** Run one job, with the charts and the page that were asked for. */
export async function perform(
  job: Job,
  options: Options,
  context: Context,
  end: AbortSignal,
): Promise<RunResult> {
  outputFolder(dirname(resolve(job.output)));
  const bar = context.progress(basename(job.notebook));
  const result = await runNotebook(job.notebook, {
    values: job.values,
    output: job.output,
    ...(options['kernel'] !== undefined && { kernel: String(options['kernel']) }),
    timeout_s: seconds(options),
    allowErrors: options['allowErrors'] === true,
    end,
    onCell: (done, total, cell) => bar.update(done, total, cell),
  }).finally(() => bar.stop());
  if (options['charts'] !== undefined) {
    outputFolder(String(options['charts']));
    writeCharts(result.notebook, String(options['charts']), basename(job.output, '.ipynb'));
  }
  if (options['html'] === true) writeHtml(result.notebook, pageOf(job.output));
  return result;
}

const pageOf = (notebook: string): string => `${notebook.replace(/\.ipynb$/, '')}.html`;

/** An error's text may hold anything, names from a trace among it. */
function failureLines(f: RunResult['failures'][number]): string[] {
  const where = `cell ${f.cell}${f.line === null ? '' : `, line ${f.line}`}`;
  const what = fit(clean(`${f.ename}: ${f.evalue.trim()}`), 400);
  return wrap(`failed in ${where}: ${what}`, WIDTH - 2, '  ').map((l) => `  ${l}`);
}

/** What there is to say of a run: a record for --json, and lines. */
export function describeRun(job: Job, r: RunResult) {
  const { output, cells, duration_s, failures } = r;
  const record = {
    notebook: job.notebook,
    output,
    ok: failures.length === 0,
    cells,
    duration_s,
    failures,
  };
  const lines = [
    `${clean(output)}: ${cells} ${cells === 1 ? 'cell' : 'cells'} in ${duration_s.toFixed(1)} s`,
    ...failures.flatMap(failureLines),
  ];
  return { record, lines };
}

/** 130 if it was ended from outside, as of any program; 1 if a cell failed that may not. */
export function statusOf(
  results: readonly Pick<RunResult, 'failures'>[],
  options: Options,
  end: AbortSignal,
): number {
  if (end.aborted) return 130;
  const failed = results.some((r) => r.failures.length > 0);
  return failed && options['allowErrors'] !== true ? 1 : 0;
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const { files, pairs } = sortWords(args, options);
  const given = await readPairs(pairs);
  const fromFile = readFileValues(options['file']);
  const traces = given.has('trace') ? [] : await tracesOf(fromFile);
  if (traces.length > 0) given.set('trace', traces);
  const runs = files.flatMap((notebook) =>
    variants(notebook, fromFile, given).map((values) => ({ notebook, values })),
  );
  const jobs = plan(runs, options['output'] as string | undefined);
  const results: RunResult[] = [];
  const end = endSignal();
  for (const job of jobs) if (!end.aborted) results.push(await perform(job, options, context, end));
  const [first] = jobs;
  const index =
    first && jobs.length > 1
      ? [
          `${clean(writeIndex(results, dirname(first.output), options['html'] === true))}: all of them`,
        ]
      : [];
  const said = results.map((r, i) => describeRun(jobs[i] as Job, r));
  return {
    json: said.map((s) => s.record),
    text: [...said.flatMap((s) => s.lines), ...index].join('\n'),
    status: statusOf(results, options, end),
  };
}

/** `ptlab run`: notebooks from the command line. */
export const runCommand: Command = {
  args: '[notebooks...]',
  about: 'run notebooks from first cell to last and keep the executed copies',
  options: [
    ['-p, --param <key=value...>', 'a parameter; trace=... may be a glob or given repeatedly'],
    ['-f, --file <yaml>', 'parameters from a YAML file'],
    ['-o, --output <path>', 'the executed copy (.ipynb), or a folder for several'],
    ['--kernel <name>', "the kernel, where it is not the notebook's own"],
    ['--charts <folder>', 'write every chart as svg, png, txt and vl.json'],
    ['--timeout <seconds>', 'how long a cell may take; 0 is no limit', '3600'],
    ['--allow-errors', 'go on after a cell that failed'],
    ['--html', 'write an HTML page beside each copy'],
  ],
  examples: [
    'ptlab run notebooks/03-table-overwrites.ipynb -o out.ipynb',
    "ptlab run notebooks/03-table-overwrites.ipynb -p 'trace=data/*.gz' -o out",
  ],
  run,
};
