// Runs a notebook from first cell to last, without a front end: papermill's conventions, any kernel.
import { dirname, resolve } from 'node:path';
import { UserError } from '../commands/command.js';
import { type Failure, type Outcome, runWithRetry } from './cell-run.js';
import { type KernelClient, startKernel } from './client.js';
import {
  type Cell,
  type Notebook,
  notebookText,
  type Output,
  readNotebook,
  writeWhole,
} from './nbformat.js';
import type { Displays } from './outputs.js';
import { absolutePaths, checkName, inject, parametersOf, type Values } from './parameters.js';
import { findSpec } from './spec.js';
import type { Content } from './wire.js';

export interface RunOptions {
  /** Parameters of this run, by name. */
  readonly values?: Values;
  /** Where the executed notebook goes; it is written anew as outputs come. */
  readonly output: string;
  /** Name of the kernel; the notebook's own where left out. */
  readonly kernel?: string;
  /** Seconds a cell may take; no limit if 0. */
  readonly timeout_s?: number;
  /** Go on after a cell that failed. */
  readonly allowErrors?: boolean;
  /** Ends the run: the kernel is killed, the copy keeps what has come. */
  readonly end?: AbortSignal | undefined;
  /** Told before each cell and at the end. */
  readonly onCell?: (done: number, total: number, cell: string) => void;
}

export interface RunResult {
  readonly notebook: Notebook;
  readonly output: string;
  readonly cells: number;
  readonly duration_s: number;
  readonly failures: readonly Failure[];
}

const now = (): string => new Date().toISOString();
const seconds = (from: number): number => (Date.now() - from) / 1000;

const kernelName = (nb: Notebook): string =>
  String((nb.metadata['kernelspec'] as Content | undefined)?.['name'] ?? 'tslab');

/** The notebook's own kernel, or the one that runs it; nbformat wants its name and title. */
function kernelspec(nb: Notebook, wanted: string | undefined): Content {
  const own = (nb.metadata['kernelspec'] as Content | undefined) ?? {};
  if (own['name'] !== undefined && own['display_name'] !== undefined) return own;
  const { name, displayName, language } = findSpec(wanted ?? kernelName(nb));
  return { name, display_name: displayName, language, ...own };
}

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
    kernelspec: kernelspec(nb, options.kernel),
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

/** At least so long between two saves while a cell runs, in ms. */
const savePauseMs = 250;

/** Calls `save` soon after `ask()`; seldom if it takes long, so that it costs at most a tenth. */
function autosave(save: () => void): { ask: () => void; end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let pause = savePauseMs;
  const go = (): void => {
    const began = Date.now();
    try {
      save();
    } catch {
      // the save after the cell fails too, and says so
    }
    pause = Math.max(savePauseMs, 10 * (Date.now() - began));
    timer = undefined;
  };
  return {
    ask: () => {
      timer ??= setTimeout(go, pause);
    },
    end: () => clearTimeout(timer),
  };
}

async function runOne(
  kernel: KernelClient,
  cell: Cell,
  displays: Displays,
  options: RunOptions,
  save: () => void,
): Promise<Outcome> {
  const began = Date.now();
  const start = now();
  cell.metadata['papermill'] = stamp('running', start, null, null, null);
  let soFar = (): Output[] => [];
  const saving = autosave(() => {
    cell.outputs = soFar();
    save();
  });
  const onOutput = (outputs: () => Output[]): void => {
    soFar = outputs;
    saving.ask();
  };
  const { timeout_s = 0, end } = options;
  const outcome = await runWithRetry(kernel, cell.source, displays, { timeout_s, end }, onOutput);
  saving.end();
  const failed = outcome.failure !== undefined;
  cell.outputs = outcome.outputs;
  cell.execution_count = outcome.count ?? null;
  cell.metadata['papermill'] = stamp(
    failed ? 'failed' : 'completed', start, now(), seconds(began), failed,
  ); // biome-ignore format: a table
  return outcome;
}

/** Settles once cells can run: the time of starting is not that of a cell. */
const whole = (kernel: KernelClient) => kernel.ask('is_complete_request', { code: '1' });

/**
 * Run notebook `file` in its own folder and write the executed copy to `options.output`, after each
 * cell and while one runs, so that a run cut short leaves what it had.
 * @throws UserError on an unreadable notebook, unknown parameter or kernel, unwritable output.
 */
export async function runNotebook(file: string, options: RunOptions): Promise<RunResult> {
  const began = Date.now();
  const { nb } = prepare(file, options);
  const save = () => writeWhole(options.output, notebookText(nb));
  save();
  const spec = findSpec(options.kernel ?? kernelName(nb));
  const kernel = await startKernel(spec, dirname(resolve(file)));
  const kill = (): void => kernel.kill();
  options.end?.addEventListener('abort', kill);
  const failures: Failure[] = [];
  const displays: Displays = new Map();
  try {
    await whole(kernel).catch((e: Error) => {
      if (options.end?.aborted) return;
      throw new UserError(`kernel '${spec.name}' ended before the first cell: ${e.message}`);
    });
    const runnable = nb.cells.filter((c) => c.cell_type === 'code' && c.source.trim() !== '');
    for (const [i, cell] of runnable.entries()) {
      const number = nb.cells.indexOf(cell) + 1;
      options.onCell?.(i, runnable.length, `cell ${number}`);
      const outcome = await runOne(kernel, cell, displays, options, save);
      if (outcome.failure) failures.push({ cell: number, ...outcome.failure });
      save();
      if (outcome.failure && (outcome.dead || !options.allowErrors)) break;
      if (outcome.failure?.ename === 'CellsLost') await whole(kernel).catch(() => {});
    }
    options.onCell?.(runnable.length, runnable.length, 'done');
  } finally {
    options.end?.removeEventListener('abort', kill);
    await kernel.shutdown();
    const mine = nb.metadata['papermill'] as Content;
    const duration = seconds(began);
    Object.assign(mine, { end_time: now(), duration, exception: failures.length > 0 || null });
    save();
  }
  const cells = nb.cells.length;
  return { notebook: nb, output: options.output, cells, duration_s: seconds(began), failures };
}
