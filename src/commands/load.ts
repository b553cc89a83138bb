import { basename } from 'node:path';
import type { About } from '../charts/chart.js';
import type { Trace } from '../events/trace.js';
import { openTrace } from '../importers/open.js';
import type { Context, Options } from './command.js';
import { missing } from './gap-marks.js';
import { whole } from './machine-options.js';

/** Options of every command that takes a trace. */
export const traceOptions = [
  ['--format <name>', 'read the trace as this format instead of looking at it'],
  ['--jobs <n>', 'threads that read a text trace; default: by its size'],
  ['--kernel <release>', 'kernel the trace was recorded on, where it does not say so itself'],
] as const;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** What `OpenOptions` a command line gives, with a progress bar. */
export function openOptions(path: string, options: Options, context: Context) {
  const bar = context.progress(`reading ${basename(path)}`);
  const began = Date.now();
  const onProgress = (done: number, total: number, events: number): void => {
    const rate = events / 1000 / Math.max(1, Date.now() - began);
    const note = `${(done / 1e6).toFixed(0)} MB, ${rate.toFixed(2)} M events/s`;
    bar.update(done, Math.max(done, total), note);
  };
  const { format, kernel } = options;
  const jobs = options['jobs'] === undefined ? undefined : whole(options, 'jobs', 1, 64);
  return { bar, open: { format: text(format), kernel: text(kernel), jobs, onProgress } };
}

/** Say what a reader of the trace should know before its figures. */
export function tellNotes(name: string, trace: Pick<Trace, 'meta'>, context: Context): void {
  const { meta } = trace;
  const { lines, samples } = meta.unparsed;
  for (const note of meta.notes) context.note(`${name}: ${note}`);
  if (meta.lost > 0) context.note(`${name}: ${meta.lost} events were lost while recording`);
  if (lines > 0) {
    const s = samples[0]!;
    const where = s.line === undefined ? `byte ${s.offset}` : `line ${s.line}, byte ${s.offset}`;
    context.note(
      `${name}: ${lines} lines not understood; first (${where}): ${JSON.stringify(s.text)}`,
    );
  }
}

/** Open a trace for a command: progress bar while reading, then its notes. */
export async function load(path: string, options: Options, context: Context): Promise<Trace> {
  const { bar, open } = openOptions(path, options, context);
  try {
    const trace = await openTrace(path, open);
    bar.stop();
    tellNotes(path, trace, context);
    return trace;
  } finally {
    bar.stop();
  }
}

/** Where a chart's numbers come from. */
export function aboutOf(path: string, trace: Trace, command: readonly string[]): About {
  const { kernel, sha256, lost } = trace.meta;
  return {
    ...(kernel === null ? {} : { kernel }),
    trace: basename(path),
    sha256,
    lost,
    ...missing(trace),
    command: ['ptlab', ...command],
  };
}
