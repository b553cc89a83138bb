// From the words of `ptlab run` to the runs to make.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { parse } from 'yaml';
import { readNotebook } from '../notebook/nbformat.js';
import { checkName, parametersOf, parseValue, type Values } from '../notebook/parameters.js';
import { type Options, UserError } from './command.js';

/** One run to make: a notebook, its parameters, where its copy goes. */
export interface Job {
  readonly notebook: string;
  readonly values: Values;
  readonly output: string;
}

const list = (o: unknown): string[] => (Array.isArray(o) ? o.map(String) : []);

/** `-p` takes all words up to the next option: those that are notebooks are none of its own. */
export function sortWords(
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
export async function readPairs(pairs: readonly string[]): Promise<Map<string, string[]>> {
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

export function readFileValues(file: unknown): Values {
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

/** Traces of a parameter file: like those of -p, several or a glob, each a run of its own. */
export async function tracesOf(fromFile: Values): Promise<string[]> {
  const named = [fromFile['trace']].flat();
  if (!named.every((t) => typeof t === 'string')) return [];
  return (await Promise.all(named.map(expand))).flat();
}

/** The parameters of each run of one notebook: one for each trace. */
export function variants(
  notebook: string,
  fromFile: Values,
  pairs: Map<string, string[]>,
): Values[] {
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

/** What to call a trace: its name without the format, or its folder's if it is just 'trace'. */
export function stem(file: string): string {
  const name = basename(file).replace(/(\.txt|\.dat)?(\.gz|\.xz|\.zst)?$/, '');
  return tame(name === 'trace' ? basename(dirname(resolve(file))) || name : name);
}

/** A name for a file of ours, made of the name of someone else's: nothing in it moves a cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const tame = (name: string): string => name.replace(/[\x00-\x1f\x7f-\x9f]/g, '-');

/** One spelling for each file, whatever links lead to it. */
const whole = (file: string): string => (existsSync(file) ? realpathSync(file) : resolve(file));

/** A name in `folder` that no file and no other job has. */
function freeName(folder: string, name: string, taken: Set<string>, replace: boolean): string {
  for (let n = 1; ; n++) {
    const file = join(folder, `${name}${n > 1 ? `-${n}` : ''}.ipynb`);
    if (taken.has(whole(file)) || (!replace && existsSync(file))) continue;
    taken.add(whole(file));
    return file;
  }
}

export function plan(
  runs: readonly { notebook: string; values: Values }[],
  out: string | undefined,
): Job[] {
  const [only] = runs;
  const isFile = out !== undefined && extname(out) === '.ipynb';
  if (isFile && runs.length > 1)
    throw new UserError(`${runs.length} runs do not fit one file: name a folder with -o`);
  if (isFile && only) return [{ ...only, output: out }];
  const folder = out ?? '.';
  const taken = new Set<string>(runs.map((r) => whole(r.notebook)));
  return runs.map((r) => {
    const base = basename(r.notebook, '.ipynb');
    const trace = r.values['trace'];
    const several = runs.filter((o) => o.notebook === r.notebook).length > 1;
    const suffix = several && typeof trace === 'string' ? `-${stem(trace)}` : '';
    const name = out === undefined ? `${base}${suffix}.out` : `${base}${suffix}`;
    return { ...r, output: freeName(folder, name, taken, out !== undefined) };
  });
}
