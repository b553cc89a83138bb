// The kernel as its clients see it: requests in, status around each, replies out.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Router } from 'zeromq';
import { type Connection, type Content, decode, encode, header, type Message } from '../wire.js';
import { startHost } from './host.js';
import { publishing } from './publish.js';
import { handlers, type Kernel } from './requests.js';
import { beat, bind, close } from './sockets.js';

interface Asked {
  readonly message: Message;
  readonly socket: Router;
}

/** Time for requests to arrive that were sent before a failure was known, in ms. */
const abortMs = 5;

/** True if what waits behind this failed request must not run. */
const stopsQueue = (m: Message, reply: Content | undefined): boolean =>
  m.header.msg_type === 'execute_request' &&
  reply?.['status'] === 'error' &&
  m.content['stop_on_error'] !== false;

/** Serve `connection` until a client asks to shut down; gives the way to interrupt and to stop. */
export async function serve(connection: Connection): Promise<{
  interrupt: () => void;
  stop: () => Promise<void>;
  over: Promise<void>;
}> {
  const { key } = connection;
  const session = header('session', '').msg_id;
  const parents: Kernel['parents'] = new Map();
  const early: (() => void)[] = [];
  let kernel: Kernel | undefined;
  const host = startHost({
    onBytes(name, cell, bytes) {
      const parent = parents.get(cell);
      if (parent === null) return undefined; // silent
      if (!kernel) return void early.push(() => kernel?.out.stream(name, null, bytes));
      kernel.out.stream(name, parent ?? null, bytes);
      return kernel.out.room();
    },
    onMessage(cell, type, content) {
      const parent = parents.get(cell);
      if (parent !== null) kernel?.out.publish(type, parent ?? null, content);
    },
  });
  const sockets = await bind(connection).catch(async (e) => {
    await host.end();
    throw e;
  });
  const make = (type: string, parent: Message | null, content: Content): Buffer[] =>
    encode(key, {
      identities: [Buffer.from(type)],
      header: header(type, session, parent?.header.username),
      parent: parent?.header ?? {},
      metadata: {},
      content,
      buffers: [],
    });
  const out = publishing(sockets.iopub, make);
  const k: Kernel = { host, out, lines: [], count: 0, calls: 0, running: 0, parents };
  kernel = k;
  for (const f of early) f();

  let over = () => {};
  const ended = new Promise<void>((done) => {
    over = done;
  });
  const interrupt = () => (k.running > 0 ? host.interrupt(k.running) : undefined);
  const stop = async () => {
    await host.end();
    await out.sent();
    await sleep(50); // the last replies leave
    close(sockets);
    over();
  };

  const reply = async ({ message: m, socket }: Asked, content: Content): Promise<void> => {
    const head = header(
      m.header.msg_type.replace(/_request$/, '_reply'),
      session,
      m.header.username,
    );
    const metadata = { started: head.date, status: content['status'] ?? 'ok' };
    const whole = { header: head, parent: m.header, metadata, content, buffers: [] };
    await socket.send(encode(key, { ...whole, identities: m.identities }));
  };
  const answer = async (asked: Asked): Promise<Content> => {
    const { message: m } = asked;
    const type = m.header.msg_type;
    out.publish('status', m, { execution_state: 'busy' });
    try {
      const content = await handle(m, type);
      // what a client sends once it has the reply is not meant
      if (stopsQueue(m, content)) await takeDoomed();
      if (content && type.endsWith('_request')) await reply(asked, content);
      return content ?? {};
    } catch (e) {
      const { name, message } = e as Error;
      process.stderr.write(`ptlab: ${type}: ${(e as Error).stack}\n`);
      const failed = { status: 'error', ename: name, evalue: message, traceback: [] };
      await reply(asked, failed);
      return failed;
    } finally {
      out.publish('status', m, { execution_state: 'idle' });
    }
  };
  const handle = async (m: Message, type: string): Promise<Content | undefined> => {
    if (type === 'interrupt_request') {
      interrupt();
      return { status: 'ok' };
    }
    if (type === 'shutdown_request') {
      const content = { status: 'ok', restart: m.content['restart'] === true };
      out.publish('shutdown_reply', m, content);
      setImmediate(() => void stop());
      return content;
    }
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
    if (handler) return handler(k, m);
    process.stderr.write(`ptlab: no answer is known to '${type}'\n`);
    return undefined;
  };

  const waiting: Asked[] = [];
  const doomed: Asked[] = [];
  let working = false;
  const takeDoomed = async (): Promise<void> => {
    await sleep(abortMs);
    doomed.push(...waiting.splice(0));
  };
  const abort = async (asked: Asked): Promise<unknown> => {
    const { message: m } = asked;
    if (m.header.msg_type !== 'execute_request') return answer(asked);
    out.publish('status', m, { execution_state: 'busy' });
    await reply(asked, { status: 'aborted' });
    return out.publish('status', m, { execution_state: 'idle' });
  };
  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await answer(next);
      for (const asked of doomed.splice(0)) await abort(asked);
    }
    working = false;
  };
  const read = async (socket: Router, take: (a: Asked) => void): Promise<void> => {
    for await (const frames of socket) {
      try {
        take({ message: decode(key, frames), socket });
      } catch (e) {
        process.stderr.write(`ptlab: a message was refused: ${(e as Error).message}\n`);
      }
    }
  };
  void beat(sockets.hb);
  void read(sockets.stdin, () => {});
  void read(sockets.control, (asked) => void answer(asked));
  void read(sockets.shell, (asked) => {
    waiting.push(asked);
    void work();
  });
  out.publish('status', null, { execution_state: 'starting' });
  return { interrupt, stop, over: ended };
}
