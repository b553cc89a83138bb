// What a kernel answers to each request of the shell and control sockets.
import { createRequire } from 'node:module';
import { askedName } from '../cells/complete.js';
import type { Executed } from '../frames.js';
import { type Content, type Message, protocolVersion } from '../wire.js';
import { history, type Line, record } from './history.js';
import { type Host, HostEnded } from './host.js';
import type { Publishing } from './publish.js';

/** All state of a kernel. */
export interface Kernel {
  readonly host: Host;
  readonly out: Publishing;
  readonly lines: Line[];
  /** Executions so far that count. */
  count: number;
  /** Calls so far; the number of a cell between server and cells. */
  calls: number;
  /** The cell that runs; 0 if none. */
  running: number;
  /** The requests of cells, whose parents late output has; null for a silent one. */
  readonly parents: Map<number, Message | null>;
}

type Handler = (k: Kernel, m: Message) => Promise<Content> | Content;

const keptParents = 10_000;

const versionOf = (pkg: string): string => {
  const require = createRequire(import.meta.url);
  const inTslab = createRequire(require.resolve('tslab/package.json'));
  return String(inTslab(pkg).version);
};

function kernelInfo(): Content {
  const own = createRequire(import.meta.url)('../../../package.json') as { version: string };
  const typescript = versionOf('@tslab/typescript-for-tslab/package.json');
  return {
    status: 'ok',
    protocol_version: protocolVersion,
    implementation: 'ptlab',
    implementation_version: own.version,
    language_info: {
      name: 'typescript',
      version: typescript,
      mimetype: 'text/typescript',
      file_extension: '.ts',
      pygments_lexer: 'typescript',
      codemirror_mode: { name: 'javascript', mode: 'typescript', typescript: true },
      nbconvert_exporter: 'script',
    },
    banner: `ptlab ${own.version}: TypeScript ${typescript} on Node ${process.version}`,
    help_links: [],
  };
}

const lost = (e: HostEnded): Executed => {
  const hint = e.signal === 'SIGABRT' ? ' (out of memory?)' : '';
  const evalue = `${e.signal ?? `exit code ${e.code}`} ended the process of the cells${hint}; a new one was started, all variables are lost`;
  return {
    error: { ename: 'CellsLost', evalue, traceback: [`CellsLost: ${evalue}`] },
    expressions: {},
  };
};

async function callHost(k: Kernel, m: Message, silent: boolean, label: string): Promise<Executed> {
  const cell = ++k.calls;
  k.parents.set(cell, silent ? null : m);
  k.parents.delete(cell - keptParents);
  k.running = cell;
  const expressions = (m.content['user_expressions'] ?? {}) as Record<string, string>;
  const text = String(m.content['code'] ?? '');
  const code = askedName(text) === undefined ? text : '';
  try {
    const got = await k.host.call(cell, { ask: 'execute', code, label, expressions });
    return 'failed' in got
      ? ({ error: got['failed'], expressions: {} } as Executed)
      : (got as never);
  } catch (e) {
    if (e instanceof HostEnded) return lost(e);
    throw e;
  } finally {
    k.running = 0;
  }
}

/** Answer `name?`: a page to show, as a terminal's or Notebook's pager does. */
async function page(k: Kernel, m: Message, name: string): Promise<Content[]> {
  const { text } = await ask(k, { ask: 'inspect', code: name, at: name.length });
  const data = { 'text/plain': typeof text === 'string' ? text : `nothing is known of ${name}` };
  return m.content['silent'] === true ? [] : [{ source: 'page', data, start: 0 }];
}

/** Run a cell: execute_input, its outputs, execute_result or error, the reply. */
const execute: Handler = async (k, m) => {
  const silent = m.content['silent'] === true;
  const counts = !silent && m.content['store_history'] !== false;
  if (counts) k.count++;
  const execution_count = k.count;
  const code = String(m.content['code'] ?? '');
  if (!silent) k.out.publish('execute_input', m, { code, execution_count });
  const label = counts ? String(execution_count) : `${execution_count}-${k.calls + 1}`;
  const name = askedName(code);
  const payload = name === undefined ? [] : await page(k, m, name);
  const { error, result, expressions } = await callHost(k, m, silent, label);
  if (!silent && error) k.out.publish('error', m, { ...error });
  if (!silent && result) k.out.publish('execute_result', m, { ...result, execution_count });
  const text = result?.data['text/plain'];
  const output = typeof text === 'string' ? text : null;
  if (counts) record(k.lines, { number: execution_count, input: code, output });
  await k.out.sent();
  const rest = { execution_count, payload, user_expressions: expressions };
  return error ? { status: 'error', ...error, ...rest } : { status: 'ok', ...rest };
};

const ask = async (k: Kernel, ...a: DropFirst<Parameters<Host['call']>>): Promise<Content> => {
  try {
    return await k.host.call(++k.calls, ...a);
  } catch (e) {
    if (e instanceof HostEnded) return { failed: lost(e).error };
    throw e;
  }
};
type DropFirst<T extends unknown[]> = T extends [unknown, ...infer R] ? R : never;

const code = (m: Message): string => String(m.content['code'] ?? '');
const at = (m: Message): number =>
  typeof m.content['cursor_pos'] === 'number' ? m.content['cursor_pos'] : [...code(m)].length;

const complete: Handler = async (k, m) => {
  const got = await ask(k, { ask: 'complete', code: code(m), at: at(m) });
  const { start = at(m), end = at(m), matches = [] } = got;
  return { status: 'ok', matches, cursor_start: start, cursor_end: end, metadata: {} };
};

const inspect: Handler = async (k, m) => {
  const { text } = await ask(k, { ask: 'inspect', code: code(m), at: at(m) });
  const found = typeof text === 'string';
  return { status: 'ok', found, data: found ? { 'text/plain': text } : {}, metadata: {} };
};

const isComplete: Handler = async (k, m) => {
  const got = await ask(k, { ask: 'is_complete', code: code(m) });
  return 'failed' in got ? { status: 'unknown' } : got;
};

const commOpen: Handler = (k, m) => {
  const comm_id = m.content['comm_id'];
  k.out.publish('comm_close', m, { comm_id, data: {} }); // no target is known here
  return {};
};

/** Requests of both sockets but shutdown and interrupt, by message type. */
export const handlers: Readonly<Record<string, Handler>> = {
  execute_request: execute,
  complete_request: complete,
  inspect_request: inspect,
  is_complete_request: isComplete,
  kernel_info_request: kernelInfo,
  history_request: (k, m) => ({ status: 'ok', history: history(k.lines, m.content) }),
  comm_info_request: () => ({ status: 'ok', comms: {} }),
  comm_open: commOpen,
  comm_msg: () => ({}),
  comm_close: () => ({}),
};
