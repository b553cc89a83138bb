// The process in which cells run: asked by the server over a pipe, one call at a time.

import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { mimeBundle } from '../display.js';
import { type Call, type Executed, frameReader, kinds, pipes, slots } from '../frames.js';
import { compiler } from './compiler.js';
import { calleeAt, completeness, fitting, toCharacters, toUtf16 } from './complete.js';
import { createEngine, type Ended, type Engine, interrupted } from './engine.js';
import { describe } from './errors.js';
import { catchOutput, cellOf, currentCell, fence, put, send, setLastCell } from './output.js';

const shared = new Int32Array(new SharedArrayBuffer(4 * slots.count));
const secret = process.env['PTLAB_KERNEL_SECRET'] ?? '';
delete process.env['PTLAB_KERNEL_SECRET'];

const message = (type: string, content: unknown): void =>
  send(kinds.message, currentCell(), { type, content });

let giveUp: (() => void) | undefined;
/** The last cell that was interrupted; it may still be about to begin. */
let stopped = 0;

const setCompiling = (yes: boolean): void => {
  Atomics.store(shared, slots.compiling, yes ? 1 : 0);
};

/** Run `source`; settles even if the code was cut off and its promises will never be. */
function runSafely(engine: Engine, source: string, label: string, cell: number): Promise<Ended> {
  return new Promise<Ended>((done) => {
    const stop = () => done({ error: interrupted, value: [] });
    giveUp = stop;
    const begin = () =>
      engine.run(source, label).then(done, (e) => done({ error: describe(e), value: [] }));
    setCompiling(true); // until it has compiled: see the watchdog
    setImmediate(() => (stopped >= cell ? stop() : void cellOf.run(cell, begin)));
  }).finally(() => setCompiling(false));
}

async function expressions(
  engine: Engine,
  wanted: Record<string, string>,
  cell: number,
): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, source] of Object.entries(wanted)) {
    const { error, value } = await runSafely(engine, source, `${cell}-${name}`, cell);
    found[name] = error
      ? { status: 'error', ...error }
      : { status: 'ok', ...(await mimeBundle(value[0])) };
  }
  return found;
}

async function execute(
  engine: Engine,
  call: Extract<Call, { ask: 'execute' }>,
  cell: number,
): Promise<Executed> {
  const { error, value } = await runSafely(engine, call.code, call.label, cell);
  if (error) return { error, expressions: {} };
  try {
    const result =
      value.length > 0 ? await cellOf.run(cell, () => mimeBundle(value[0])) : undefined;
    const also = await expressions(engine, call.expressions, cell);
    return { ...(result && { result }), expressions: also };
  } catch (e) {
    return { error: describe(e), expressions: {} };
  }
}

async function answer(engine: Engine, call: Call, cell: number): Promise<unknown> {
  if (call.ask === 'execute') {
    Atomics.store(shared, slots.running, cell);
    setLastCell(cell);
    const ended = await execute(engine, call, cell);
    giveUp = undefined;
    Atomics.store(shared, slots.running, 0);
    Atomics.store(shared, slots.finished, cell);
    fence(secret);
    return ended;
  }
  if (call.ask === 'is_complete') return completeness(compiler(), call.code);
  const at = toUtf16(call.code, call.at);
  if (call.ask === 'complete') {
    const { start, end, candidates } = engine.complete(call.code, at);
    const [from, to] = [toCharacters(call.code, start), toCharacters(call.code, end)];
    const matches = fitting(candidates, call.code.slice(start, at));
    return { start: from, end: to, matches };
  }
  return { text: describeName(engine, call.code, at) ?? describeCallee(engine, call.code, at) };
}

/** What is known of the name at `at`; null if nothing: the compiler calls what it lacks 'any'. */
function describeName(engine: Engine, code: string, at: number): string | null {
  const info = engine.inspect(code, at);
  const text = info ? printQuickInfo(info) : 'any';
  return text === 'any' ? null : text;
}

function describeCallee(engine: Engine, code: string, at: number): string | null {
  const callee = calleeAt(code, at);
  return callee === undefined ? null : describeName(engine, code, callee);
}

const printQuickInfo = (info: unknown): string =>
  createRequire(import.meta.url)('tslab/dist/inspect.js').printQuickInfo(info);

function listen(engine: Engine): void {
  const read = frameReader();
  const socket = new Socket({ fd: pipes.fromServer, readable: true, writable: false });
  socket.on('data', (chunk) => {
    for (const { cell, body } of read(chunk)) {
      const call = JSON.parse(body.toString('utf8')) as Call;
      const failed = (e: unknown) => ({ failed: describe(e) });
      void Promise.resolve()
        .then(() => answer(engine, call, cell))
        .catch(failed)
        .then((value) => send(kinds.call, cell, value));
    }
  });
  socket.on('close', () => process.exit(0));
}

/** Start the thread that can stop us; what it says arrives only while our event loop is alive. */
function guard(engine: Engine): void {
  process.noDeprecation = true; // process.binding(): Node has no other name for this
  const binding = (process as unknown as { binding(n: string): Record<string, unknown> }).binding;
  const clear = binding.call(process, 'async_wrap')['clearAsyncIdStack'];
  process.noDeprecation = false;
  Object.defineProperty(globalThis, '__ptlab_clearAsyncIds__', { value: clear });
  const worker = new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: shared.buffer,
    execArgv: [],
  });
  worker.on('message', (cell: number) => {
    if (Atomics.load(shared, slots.finished) >= cell) return;
    Atomics.store(shared, slots.acknowledged, cell);
    stopped = cell;
    if (Atomics.load(shared, slots.running) !== cell) return;
    engine.interrupt();
    const mine = giveUp;
    setTimeout(() => mine?.(), 50);
  });
  worker.on('error', (e) => process.stderr.write(`ptlab: the watchdog failed: ${e}\n`));
}

/** What fails after its cell has ended is told there, and the cells' process goes on. */
function late(what: string, e: unknown): void {
  const { traceback } = describe(e);
  put(kinds.stderr, currentCell(), `${what}:\n${traceback.join('\n')}\n`);
}

function main(): void {
  process.on('SIGINT', () => {}); // meant for what a cell has started; the watchdog sees to us
  setCompiling(true); // no interrupt before there is a cell to stop
  catchOutput(secret);
  process.on('uncaughtException', (e) => late('Uncaught, after the cell had ended', e));
  process.on('unhandledRejection', (e) => late('Unhandled rejection', e));
  const show = Object.assign(
    (shown: unknown, update?: boolean) =>
      message(update ? 'update_display_data' : 'display_data', shown),
    { clear: (wait: boolean) => message('clear_output', { wait }) },
  );
  const engine = createEngine(setCompiling, show);
  guard(engine);
  setCompiling(false);
  listen(engine);
  send(kinds.message, 0, { type: 'ready', content: {} });
}

main();
