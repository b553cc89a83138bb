// The client's side of a Jupyter kernel: start it, ask it, watch it, stop it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dealer, Subscriber } from 'zeromq';
import { UserError } from '../commands/command.js';
import { connect, launch, listen, newConnection, type Sockets, signal } from './launch.js';
import type { KernelSpec } from './spec.js';
import { type Connection, type Content, decode, encode, header, type Message } from './wire.js';

/** Why a kernel is no more. */
export interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines it wrote to its own stdout and stderr. */
  readonly words: string;
}

/** A running kernel. */
export interface KernelClient {
  readonly spec: KernelSpec;
  readonly pid: number;
  /** Settles when the process has ended. */
  readonly death: Promise<Death>;
  /**
   * Send a request; `onOutput` gets every iopub message of it. Settles when both the reply and
   * the kernel's `idle` have come; `idleLost` if the latter never came.
   * @throws KernelDead
   */
  ask(type: string, content: Content, onOutput?: (m: Message) => void): Promise<Reply>;
  /** Stop the running cell, by message or by signal as the spec says. */
  interrupt(): Promise<void>;
  /** True if the heartbeat is answered within `ms`. */
  alive(ms?: number): Promise<boolean>;
  kill(): void;
  /** Ask the kernel to end; kill it if it does not. */
  shutdown(): Promise<void>;
}

export interface Reply {
  readonly content: Content;
  readonly idleLost: boolean;
}

/** The kernel's process ended while an answer was awaited. */
export class KernelDead extends Error {
  constructor(readonly death: Death) {
    const how = death.signal ? `killed by ${death.signal}` : `ended with exit code ${death.code}`;
    super(`notebook kernel ${how}`);
  }
}

interface Pending {
  reply?: Content;
  idle: boolean;
  lastHeard: number;
  onOutput: (m: Message) => void;
  done: (r: Reply) => void;
}

/** How long after the reply `idle` may stay away before it counts as lost, in ms. */
const idleGrace = 3000;

/**
 * Start a kernel in folder `cwd` and wait until it answers on shell and iopub.
 * @throws UserError if it cannot be started or does not answer within `startTimeout` ms.
 */
export async function startKernel(
  spec: KernelSpec,
  cwd: string,
  options: { env?: NodeJS.ProcessEnv; startTimeout?: number } = {},
): Promise<KernelClient> {
  const connection = await newConnection();
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-kernel-'));
  const file = join(folder, 'connection.json');
  writeFileSync(file, JSON.stringify(connection), { mode: 0o600 });
  const child = launch(spec, file, cwd, options.env ?? process.env);
  const words = listen(child);
  const death = new Promise<Death>((done) => {
    child.once('error', (e) => done({ code: null, signal: null, words: e.message }));
    child.once('exit', async (code, killer) => {
      // its last words; a program that it has started may hold the pipes for long
      await Promise.race([once(child, 'close'), sleep(500, undefined, { ref: false })]);
      done({ code, signal: killer, words: words() });
    });
  });
  const session = header('session', '').msg_id;
  const { drained, ...sockets } = await connect(connection, session);
  const client = talk(spec, child, death, sockets, drained, connection, session);
  void death.then(() => rmSync(folder, { recursive: true, force: true }));
  try {
    await ready(client, options.startTimeout ?? 60_000);
  } catch (e) {
    client.kill();
    if (!(e instanceof KernelDead)) throw e;
    const said = e.death.words ? `:\n${e.death.words}` : '';
    throw new UserError(`kernel '${spec.name}' did not start (${spec.argv.join(' ')})${said}`);
  }
  return client;
}

/** Ask until an answer comes on both sockets: a subscription takes a moment to arrive. */
async function ready(client: KernelClient, timeout: number): Promise<void> {
  const until = Date.now() + timeout;
  const asked = new Set<Promise<Reply>>();
  while (Date.now() < until) {
    asked.add(client.ask('kernel_info_request', {}));
    const first = await Promise.race([...asked, sleep(asked.size < 20 ? 100 : 1000, undefined)]);
    if (first && !first.idleLost) return;
  }
  throw new UserError(
    `kernel '${client.spec.name}' did not answer within ${timeout / 1000} s; a longer --start-timeout may help`,
  );
}

function talk(
  spec: KernelSpec,
  child: ChildProcess,
  death: Promise<Death>,
  sockets: Sockets,
  drained: () => Promise<unknown>,
  connection: Connection,
  session: string,
): KernelClient {
  const { key } = connection;
  const pending = new Map<string, Pending>();
  let dead: Death | undefined;
  const finish = (id: string, p: Pending, idleLost: boolean) => {
    pending.delete(id);
    p.done({ content: p.reply ?? {}, idleLost });
  };
  const onReply = (m: Message) => {
    const id = m.parent.msg_id ?? '';
    const p = pending.get(id);
    if (!p) return;
    p.reply = m.content;
    p.lastHeard = Date.now();
    if (p.idle) finish(id, p, false);
    else watchIdle(id, p);
  };
  const watchIdle = (id: string, p: Pending) => {
    const left = p.lastHeard + idleGrace - Date.now();
    setTimeout(() => {
      if (!pending.has(id)) return;
      if (Date.now() - p.lastHeard >= idleGrace) finish(id, p, true);
      else watchIdle(id, p);
    }, left + 10).unref();
  };
  const onPublished = (m: Message) => {
    const id = m.parent.msg_id ?? '';
    const p = pending.get(id);
    if (!p) return;
    p.lastHeard = Date.now();
    if (m.header.msg_type !== 'status') return p.onOutput(m);
    if (m.content['execution_state'] !== 'idle') return;
    p.idle = true;
    if (p.reply) finish(id, p, false);
  };
  const receive = async (s: Dealer | Subscriber, take: (m: Message) => void) => {
    for await (const frames of s) {
      try {
        take(decode(key, frames));
      } catch (e) {
        process.stderr.write(`ptlab: a message of the kernel was not understood: ${e}\n`);
      }
    }
  };
  const readers = [
    receive(sockets.shell, onReply),
    receive(sockets.control, onReply),
    receive(sockets.iopub, onPublished),
  ];
  const close = () => {
    for (const s of Object.values(sockets)) if (!s.closed) s.close();
  };
  const over = death.then(async (d) => {
    await drained();
    dead = d;
    child.stdout?.destroy();
    child.stderr?.destroy();
    close();
    await Promise.allSettled(readers);
    return d;
  });
  const send = (socket: Dealer, type: string, content: Content, p?: Partial<Pending>) => {
    const head = header(type, session);
    const parts = { identities: [], parent: {}, metadata: {}, content, buffers: [] };
    const answered = new Promise<Reply>((done) => {
      pending.set(head.msg_id, {
        idle: false, lastHeard: Date.now(), onOutput: () => {}, done, ...p,
      }); // biome-ignore format: one record
    });
    const sent = socket.send(encode(key, { header: head, ...parts }));
    return { answered, sent, id: head.msg_id };
  };
  const orDead = async <T>(p: Promise<T>): Promise<T> => {
    const first = await Promise.race([p.then((value) => ({ value })), over]);
    if ('value' in first) return first.value;
    throw new KernelDead(first);
  };
  return {
    spec,
    pid: child.pid ?? 0,
    death,
    async ask(type, content, onOutput = () => {}) {
      if (dead) throw new KernelDead(dead);
      const { answered, sent } = send(sockets.shell, type, content, { onOutput });
      await sent;
      return orDead(answered);
    },
    async interrupt() {
      if (dead) return;
      if (spec.interruptMode === 'signal') return signal(child, 'SIGINT');
      const { answered, sent } = send(sockets.control, 'interrupt_request', {}, { idle: true });
      await sent;
      await Promise.race([answered, sleep(2000, undefined, { ref: false })]);
    },
    async alive(ms = 1000) {
      if (dead) return false;
      await sockets.hb.send('ping');
      const answer = await Promise.race([
        sockets.hb.receive().catch(() => null),
        sleep(ms, null, { ref: false }),
      ]);
      return answer !== null;
    },
    kill: () => signal(child, 'SIGKILL'),
    async shutdown() {
      if (dead) return;
      const content = { restart: false };
      const { sent } = send(sockets.control, 'shutdown_request', content, { idle: true });
      await sent;
      const ended = await Promise.race([death, sleep(3000, null, { ref: false })]);
      if (!ended) signal(child, 'SIGKILL');
      await over;
    },
  };
}
