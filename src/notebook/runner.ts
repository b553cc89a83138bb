// Runs a notebook from first cell to last, without a front end: papermill's conventions, any kernel.
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KernelClient, KernelDead, type Reply, startKernel } from './client.js';
import {
  type Cell,
  type Notebook,
  notebookText,
  type Output,
  readNotebook,
  writeWhole,
} from './nbformat.js';
import { collector, type Displays } from './outputs.js';
import { absolutePaths, checkName, inject, parametersOf, type Values } from './parameters.js';
import { findSpec } from './spec.js';
import type { Content } from './wire.js';

export interface RunOptions {
  /** Parameters of this run, by name. */
  readonly values?: Values;
  /** Where the executed notebook goes; it is written anew after each cell. */
  readonly output: string;
  /** Name of the kernel; the notebook's own where left out. */
  readonly kernel?: string;
  /** Seconds a cell may take; no limit if 0. */
  readonly timeout_s?: number;
  /** Go on after a cell that failed. */
  readonly allowErrors?: boolean;
  /** Told before each cell and at the end. */
  readonly onCell?: (done: number, total: number, cell: string) => void;
}

/** Why a run did not succeed. */
export interface Failure {
  /** The cell's number among all cells, from 1, as a reader counts them. */
  readonly cell: number;
  /** Line in the cell, from 1, where the kernel told it. */
  readonly line: number | null;
  readonly ename: string;
  readonly evalue: string;
}

export interface RunResult {
  readonly notebook: Notebook;
  readonly output: string;
  readonly cells: number;
  readonly duration_s: number;
  readonly failures: readonly Failure[];
}

interface Outcome {
  readonly outputs: Output[];
  readonly failure?: Omit<Failure, 'cell'>;
  readonly count?: number | undefined;
  /** The kernel is gone: nothing more can run. */
  readonly dead?: boolean;
}

const now = (): string => new Date().toISOString();
const seconds = (from: number): number => (Date.now() - from) / 1000;

const errorOutput = (ename: string, evalue: string): Output => ({
  output_type: 'error',
  ename,
  evalue,
  traceback: [`${ename}: ${evalue}`],
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with ESC
const colours = /\x1b\[[0-9;]*m/g;

/** The line of the cell that a traceback names; tslab's diagnostics begin 'line:column - '. */
function lineOf(text: string): number | null {
  const plain = text.replace(colours, '');
  const at = /\bcell(?: \d+)?,? line (\d+)|^(\d+):\d+ - /m.exec(plain);
  const line = at?.[1] ?? at?.[2];
  return line === undefined ? null : Number(line);
}

/** What went wrong, for a kernel that sends no `error`: the end of its stderr. */
function fromStderr(outputs: readonly Output[]): {
  ename: string;
  evalue: string;
  line: number | null;
} {
  const texts = outputs.map((o) =>
    o.output_type === 'stream' && o.name === 'stderr' ? o.text : '',
  );
  const text = texts.join('').replace(colours, '');
  const said = text
    .split('\n')
    .filter((l) => /^(Uncaught )?\w*(Error|Exception)\b.*:|^\d+:\d+ - /.test(l));
  const line = said.at(-1) ?? text.trim().split('\n').at(-1) ?? '';
  const parts = /^(?:Uncaught )?(\w+)(?: \[\w+\])?: (.*)$/.exec(line);
  return { ename: parts?.[1] ?? 'Error', evalue: parts?.[2] ?? line, line: lineOf(text) };
}

function failureOf(outputs: Output[], reply: Content): Outcome {
  const error = outputs.flatMap((o) => (o.output_type === 'error' ? [o] : [])).at(-1);
  if (error) {
    const line = lineOf(error.traceback.join('\n'));
    return { outputs, failure: { ename: error.ename, evalue: error.evalue, line } };
  }
  const { ename, evalue, line } =
    typeof reply['ename'] === 'string'
      ? { ename: reply['ename'], evalue: String(reply['evalue']), line: null }
      : fromStderr(outputs);
  return { outputs: [...outputs, errorOutput(ename, evalue)], failure: { ename, evalue, line } };
}

/** Interrupt, and if that does not help, kill. True if the kernel lives. */
async function stop(kernel: KernelClient, answer: Promise<unknown>): Promise<boolean> {
  await kernel.interrupt();
  const stopped = await Promise.race([answer.then(() => true), sleep(5000, false, { ref: false })]);
  if (!stopped) kernel.kill();
  return stopped;
}

async function runCell(
  kernel: KernelClient,
  source: string,
  displays: Displays,
  timeout_s: number,
): Promise<Outcome> {
  const got = collector(displays);
  const request = {
    code: source, silent: false, store_history: true, user_expressions: {},
    allow_stdin: false, stop_on_error: true,
  }; // biome-ignore format: one record
  const timer = new AbortController();
  const late = Symbol('late');
  const answer = kernel.ask('execute_request', request, got.take);
  const limit = timeout_s > 0 ? [sleep(timeout_s * 1000, late, { signal: timer.signal })] : [];
  limit[0]?.catch(() => {});
  try {
    const first = await Promise.race([answer, ...limit]);
    if (first === late) return await tooLate(kernel, answer, timeout_s, got.outputs);
    return await finished(first as Reply, got.outputs(), got.count());
  } catch (e) {
    if (!(e instanceof KernelDead)) throw e;
    const evalue = e.death.words ? `${e.message}; it said: ${e.death.words}` : e.message;
    const outputs = [...got.outputs(), errorOutput('KernelDead', evalue)];
    return { outputs, failure: { ename: 'KernelDead', evalue, line: null }, dead: true };
  } finally {
    timer.abort();
  }
}

async function tooLate(
  kernel: KernelClient,
  answer: Promise<unknown>,
  timeout_s: number,
  outputs: () => Output[],
): Promise<Outcome> {
  answer.catch(() => {});
  const lives = await stop(kernel, answer);
  const how = lives ? 'interrupted' : 'killed with its kernel, as it could not be interrupted';
  const evalue = `the cell took longer than ${timeout_s} s and was ${how}; allow more with --timeout`;
  const failure = { ename: 'CellTimeout', evalue, line: null };
  return { outputs: [...outputs(), errorOutput('CellTimeout', evalue)], failure, dead: !lives };
}

function finished({ content, idleLost }: Reply, outputs: Output[], seen?: number): Outcome {
  const told = content['execution_count'];
  const count = typeof told === 'number' ? told : seen;
  const text = 'ptlab: the kernel lost the end of this output\n';
  const lost: Output[] = idleLost ? [{ output_type: 'stream', name: 'stderr', text }] : [];
  const all = [...outputs, ...lost];
  return content['status'] === 'ok'
    ? { outputs: all, count }
    : { ...failureOf(all, content), count };
}

/** tslab goes on refusing cells for 200 ms after one that failed. */
async function runWithRetry(...a: Parameters<typeof runCell>): Promise<Outcome> {
  for (let tries = 0; ; tries++) {
    const outcome = await runCell(...a);
    if (tries === 3 || outcome.outputs.length !== 1) return outcome;
    if (outcome.failure?.evalue !== '' || outcome.failure.ename !== 'Error') return outcome;
    await sleep(250);
  }
}

const kernelName = (nb: Notebook): string =>
  String((nb.metadata['kernelspec'] as Content | undefined)?.['name'] ?? 'tslab');

/** The notebook as it stands before the first cell runs. */
function prepare(file: string, options: RunOptions): { nb: Notebook; values: Values } {
  const source = readNotebook(file);
  const known = parametersOf(source);
  const values = absolutePaths(options.values ?? {}, known, dirname(resolve(file)));
  for (const name of Object.keys(values)) checkName(name, known, file);
  const nb = inject(source, values, known);
  for (const c of nb.cells) {
    if (c.cell_type !== 'code') continue;
    Object.assign(c, { outputs: [], execution_count: null });
    c.metadata = { ...c.metadata, papermill: stamp('pending', null, null, null, null) };
  }
  const presets = [...(known?.values() ?? [])].filter((p) => p.isLiteral);
  nb.metadata = {
    ...nb.metadata,
    papermill: {
      default_parameters: Object.fromEntries(presets.map((p) => [p.name, p.preset])),
      environment_variables: {}, parameters: values, version: 'ptlab',
      input_path: file, output_path: options.output,
      start_time: now(), end_time: null, duration: null, exception: null,
    }, // biome-ignore format: one record
  };
  return { nb, values };
}

const stamp = (
  status: 'pending' | 'running' | 'completed' | 'failed',
  start_time: string | null,
  end_time: string | null,
  duration: number | null,
  exception: boolean | null,
): Content => ({ duration, end_time, exception, start_time, status });

async function runOne(
  kernel: KernelClient,
  cell: Cell,
  displays: Displays,
  timeout_s: number,
): Promise<Outcome> {
  const began = Date.now();
  const start = now();
  const outcome = await runWithRetry(kernel, cell.source, displays, timeout_s);
  const failed = outcome.failure !== undefined;
  cell.outputs = outcome.outputs;
  cell.execution_count = outcome.count ?? null;
  cell.metadata['papermill'] = stamp(
    failed ? 'failed' : 'completed', start, now(), seconds(began), failed,
  ); // biome-ignore format: a table
  return outcome;
}

/**
 * Run notebook `file` in its own folder and write the executed copy to `options.output`,
 * after each cell, so that a run cut short leaves what it had.
 * @throws UserError on an unreadable notebook, unknown parameter or kernel, unwritable output.
 */
export async function runNotebook(file: string, options: RunOptions): Promise<RunResult> {
  const began = Date.now();
  const { nb } = prepare(file, options);
  const save = () => writeWhole(options.output, notebookText(nb));
  save();
  const spec = findSpec(options.kernel ?? kernelName(nb));
  const kernel = await startKernel(spec, dirname(resolve(file)));
  await kernel.ask('is_complete_request', { code: '1' }); // answered once cells can run
  const failures: Failure[] = [];
  const displays: Displays = new Map();
  try {
    const runnable = nb.cells.filter((c) => c.cell_type === 'code' && c.source.trim() !== '');
    for (const [i, cell] of runnable.entries()) {
      const number = nb.cells.indexOf(cell) + 1;
      options.onCell?.(i, runnable.length, `cell ${number}`);
      const outcome = await runOne(kernel, cell, displays, options.timeout_s ?? 0);
      if (outcome.failure) failures.push({ cell: number, ...outcome.failure });
      save();
      if (outcome.failure && (outcome.dead || !options.allowErrors)) break;
    }
    options.onCell?.(runnable.length, runnable.length, 'done');
  } finally {
    await kernel.shutdown();
    const mine = nb.metadata['papermill'] as Content;
    const duration = seconds(began);
    Object.assign(mine, { end_time: now(), duration, exception: failures.length > 0 || null });
    save();
  }
  const cells = nb.cells.length;
  return { notebook: nb, output: options.output, cells, duration_s: seconds(began), failures };
}
