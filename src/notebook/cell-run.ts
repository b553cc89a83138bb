// One cell, run by a kernel: its outputs, and what went wrong.
import { setTimeout as sleep } from 'node:timers/promises';
import { type KernelClient, KernelDead, type Reply } from './client.js';
import type { Output } from './nbformat.js';
import { collector, type Displays } from './outputs.js';
import type { Content, Message } from './wire.js';

/** Why a run did not succeed. */
export interface Failure {
  /** The cell's number among all cells, from 1, as a reader counts them. */
  readonly cell: number;
  /** Line in the cell, from 1, where the kernel told it. */
  readonly line: number | null;
  readonly ename: string;
  readonly evalue: string;
}

/** How a cell ended. */
export interface Outcome {
  readonly outputs: Output[];
  readonly failure?: Omit<Failure, 'cell'>;
  readonly count?: number | undefined;
  /** The kernel is gone: nothing more can run. */
  readonly dead?: boolean;
}

/** When a cell is given up. */
interface Limits {
  /** No limit if 0. */
  readonly timeout_s: number;
  /** The run is ended, and the kernel killed, when this is given. */
  readonly end: AbortSignal | undefined;
}

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
  { timeout_s, end }: Limits,
  onOutput: (soFar: () => Output[]) => void,
): Promise<Outcome> {
  const got = collector(displays);
  const take = (m: Message): void => {
    got.take(m);
    onOutput(got.outputs);
  };
  const request = {
    code: source, silent: false, store_history: true, user_expressions: {},
    allow_stdin: false, stop_on_error: true,
  }; // biome-ignore format: one record
  const timer = new AbortController();
  const late = Symbol('late');
  const answer = kernel.ask('execute_request', request, take);
  const limit = timeout_s > 0 ? [sleep(timeout_s * 1000, late, { signal: timer.signal })] : [];
  limit[0]?.catch(() => {});
  try {
    const first = await Promise.race([answer, ...limit]);
    if (first === late) return await tooLate(kernel, answer, timeout_s, got.outputs);
    return await finished(first as Reply, got.outputs(), got.count());
  } catch (e) {
    if (!(e instanceof KernelDead)) throw e;
    const said = e.death.words ? `${e.message}; it said: ${e.death.words}` : e.message;
    const [ename, evalue] = end?.aborted
      ? ['Interrupted', 'the run was ended from outside']
      : ['KernelDead', said];
    const outputs = [...got.outputs(), errorOutput(ename, evalue)];
    return { outputs, failure: { ename, evalue, line: null }, dead: true };
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

/**
 * Run `source` as a cell; `onOutput` is told of each output as it comes. A refused cell is tried
 * again: tslab goes on refusing for 200 ms after one that failed.
 */
export async function runWithRetry(...a: Parameters<typeof runCell>): Promise<Outcome> {
  for (let tries = 0; ; tries++) {
    const outcome = await runCell(...a);
    if (tries === 3 || outcome.outputs.length !== 1) return outcome;
    if (outcome.failure?.evalue !== '' || outcome.failure.ename !== 'Error') return outcome;
    await sleep(250);
  }
}
