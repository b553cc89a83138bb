import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { parse } from 'yaml';
import { writeCharts } from '../notebook/chart-files.js';
import { writeHtml, writeIndex } from '../notebook/html.js';
import { readNotebook } from '../notebook/nbformat.js';
import { checkName, parametersOf, parseValue, type Values } from '../notebook/parameters.js';
import { type RunResult, runNotebook } from '../notebook/runner.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';

/** One run to make: a notebook, its parameters, where its copy goes. */
export interface Job {
  readonly notebook: string;
  readonly values: Values;
  readonly output: string;
}

const list = (o: unknown): string[] => (Array.isArray(o) ? o.map(String) : []);

/** `-p` takes all words up to the next option: those that are notebooks are none of its own. */
function sortWords(
  args: readonly string[],
  options: Options,
): { files: string[]; pairs: string[] } {
  const words = list(options['param']);
  const stray = words.filter((w) => !w.includes('=') && w.endsWith('.ipynb'));
  const pairs = words.filter((w) => !stray.includes(w));
  const files = [...args, ...stray];
  if (files.length === 0) throw new UserError('name a notebook: ptlab run NB.ipynb');
  return { files, pairs };
}

/** Values by name, in the order given; a name given twice, or a glob, has several. */
async function readPairs(pairs: readonly string[]): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UserError(`-p wants key=value, not '${pair}'`);
    const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
    all.set(key, [...(all.get(key) ?? []), ...(key === 'trace' ? await expand(value) : [value])]);
  }
  return all;
}

async function expand(value: string): Promise<string[]> {
  if (existsSync(value) || !isDynamicPattern(value)) return [value];
  const found = (await glob(value, { expandDirectories: false })).sort();
  if (found.length === 0) throw new UserError(`no file matches '${value}'`);
  return found;
}

function readFileValues(file: unknown): Values {
  if (file === undefined) return {};
  let text: string;
  try {
    text = readFileSync(String(file), 'utf8');
  } catch (e) {
    throw new UserError(`cannot read ${file}: ${(e as NodeJS.ErrnoException).code}`);
  }
  let values: unknown;
  try {
    values = parse(text) ?? {};
  } catch (e) {
    throw new UserError(`${file}: ${(e as Error).message}`);
  }
  if (typeof values !== 'object' || Array.isArray(values))
    throw new UserError(`${file}: a list of 'name: value' wanted`);
  return values as Values;
}

/** The parameters of each run of one notebook: one for each trace. */
function variants(notebook: string, fromFile: Values, pairs: Map<string, string[]>): Values[] {
  const known = parametersOf(readNotebook(notebook));
  const once: Values = { ...fromFile };
  const traces = pairs.get('trace') ?? [];
  for (const [name, texts] of pairs) {
    checkName(name, known, notebook);
    if (name !== 'trace') once[name] = parseValue(texts.at(-1) ?? '', known?.get(name));
  }
  for (const name of Object.keys(fromFile)) checkName(name, known, notebook);
  return traces.length === 0 ? [once] : traces.map((trace) => ({ ...once, trace }));
}

/** The name of a trace without what stands for its format. */
export const stem = (file: string): string =>
  basename(file).replace(/(\.txt|\.dat)?(\.gz|\.zst)?$/, '');

/** A name in `folder` that no file and no other job has. */
function freeName(folder: string, name: string, taken: Set<string>, replace: boolean): string {
  for (let n = 1; ; n++) {
    const file = join(folder, `${name}${n > 1 ? `-${n}` : ''}.ipynb`);
    if (taken.has(file) || (!replace && existsSync(file))) continue;
    taken.add(file);
    return file;
  }
}

function plan(
  runs: readonly { notebook: string; values: Values }[],
  out: string | undefined,
): Job[] {
  const [only] = runs;
  const isFile = out !== undefined && extname(out) === '.ipynb';
  if (isFile && runs.length > 1)
    throw new UserError(`${runs.length} runs do not fit one file: name a folder with -o`);
  if (isFile && only) return [{ ...only, output: out }];
  const folder = out ?? '.';
  const taken = new Set<string>(runs.map((r) => join(r.notebook)));
  return runs.map((r) => {
    const base = basename(r.notebook, '.ipynb');
    const trace = r.values['trace'];
    const several = runs.filter((o) => o.notebook === r.notebook).length > 1;
    const suffix = several && typeof trace === 'string' ? `-${stem(trace)}` : '';
    const name = out === undefined ? `${base}${suffix}.out` : `${base}${suffix}`;
    return { ...r, output: freeName(folder, name, taken, out !== undefined) };
  });
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
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
export async function perform(job: Job, options: Options, context: Context): Promise<RunResult> {
  makeFolder(dirname(resolve(job.output)));
  const bar = context.progress(basename(job.notebook));
  const result = await runNotebook(job.notebook, {
    values: job.values,
    output: job.output,
    ...(options['kernel'] !== undefined && { kernel: String(options['kernel']) }),
    timeout_s: seconds(options),
    allowErrors: options['allowErrors'] === true,
    onCell: (done, total, cell) => bar.update(done, total, cell),
  }).finally(() => bar.stop());
  if (options['charts'] !== undefined) {
    makeFolder(String(options['charts']));
    writeCharts(result.notebook, String(options['charts']), basename(job.output, '.ipynb'));
  }
  if (options['html'] === true) writeHtml(result.notebook, pageOf(job.output));
  return result;
}

const pageOf = (notebook: string): string => `${notebook.replace(/\.ipynb$/, '')}.html`;

const where = (f: RunResult['failures'][number]): string =>
  `cell ${f.cell}${f.line === null ? '' : `, line ${f.line}`}: ${f.ename}: ${f.evalue}`;

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
    `${output}: ${cells} ${cells === 1 ? 'cell' : 'cells'} in ${duration_s.toFixed(1)} s`,
    ...failures.map((f) => `  failed in ${where(f)}`),
  ];
  return { record, lines };
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const { files, pairs } = sortWords(args, options);
  const given = await readPairs(pairs);
  const fromFile = readFileValues(options['file']);
  const runs = files.flatMap((notebook) =>
    variants(notebook, fromFile, given).map((values) => ({ notebook, values })),
  );
  const jobs = plan(runs, options['output'] as string | undefined);
  const results: RunResult[] = [];
  for (const job of jobs) results.push(await perform(job, options, context));
  const [first] = jobs;
  if (first && jobs.length > 1)
    writeIndex(results, dirname(first.output), options['html'] === true);
  const said = results.map((r, i) => describeRun(jobs[i] as Job, r));
  const failed = results.some((r) => r.failures.length > 0);
  return {
    json: said.map((s) => s.record),
    text: said.flatMap((s) => s.lines).join('\n'),
    status: failed && options['allowErrors'] !== true ? 1 : 0,
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
