// A kernel's process and the sockets to it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Dealer, Request, Subscriber } from 'zeromq';
import { UserError } from '../commands/command.js';
import type { KernelSpec } from './spec.js';
import { address, type Connection, header } from './wire.js';

async function freePorts(n: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: n }, async () => {
      const s = createServer();
      s.listen(0, '127.0.0.1');
      await once(s, 'listening');
      return s;
    }),
  );
  const ports = servers.map((s) => (s.address() as { port: number }).port);
  await Promise.all(servers.map((s) => new Promise((done) => s.close(done))));
  return ports;
}

/** A connection on free ports of this machine, with a fresh key. */
export async function newConnection(): Promise<Connection> {
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await freePorts(5);
  const key = header('key', '').msg_id;
  const ports = { shell_port, iopub_port, stdin_port, control_port, hb_port } as Connection;
  return { ...ports, transport: 'tcp', ip: '127.0.0.1', key, signature_scheme: 'hmac-sha256' };
}

/** The client's ends. */
export interface Sockets {
  readonly shell: Dealer;
  readonly control: Dealer;
  readonly iopub: Subscriber;
  readonly hb: Request;
}

/** How long the end of a dead kernel's connection may stay away, in ms; it comes at once. */
const endMs = 5000;

/**
 * Watch the connection of `socket`. The function that it gives settles when a kernel that has died
 * can say no more: the connection has ended, behind all that it had sent, and that has been read.
 */
function watchEnd(socket: Dealer | Subscriber): () => Promise<void> {
  let up = false;
  let ended = () => {};
  socket.events.on('connect', () => {
    up = true;
  });
  socket.events.on('disconnect', () => {
    up = false;
    ended();
  });
  return async () => {
    const end = new Promise<void>((done) => {
      ended = done;
    });
    if (up) await Promise.race([end, sleep(endMs, undefined, { ref: false })]);
    while (!socket.closed && socket.readable) await turn();
    await turn(); // what was read last is handed over
  };
}

/** Connect to a kernel; it need not be there yet. `drained` settles when a dead one has said all. */
export async function connect(
  c: Connection,
  session: string,
): Promise<Sockets & { drained: () => Promise<unknown> }> {
  const zmq = await import('zeromq');
  const shell = new zmq.Dealer({ linger: 0, routingId: session, receiveHighWaterMark: 0 });
  const control = new zmq.Dealer({ linger: 0, routingId: session });
  const iopub = new zmq.Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  const hb = new zmq.Request({ linger: 0, correlate: true, relaxed: true });
  const ends = [watchEnd(shell), watchEnd(iopub)];
  shell.connect(address(c, c.shell_port));
  control.connect(address(c, c.control_port));
  iopub.connect(address(c, c.iopub_port));
  iopub.subscribe('');
  hb.connect(address(c, c.hb_port));
  const drained = () => Promise.all(ends.map((end) => end()));
  return { shell, control, iopub, hb, drained };
}

/** Collect the last words of a process without letting them grow. */
export function listen(child: ChildProcess): () => string {
  let words = '';
  const add = (b: Buffer) => {
    words = (words + b.toString('utf8')).slice(-2000);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => words.trim();
}

/** Start the kernel's process with its connection file. */
export function launch(
  spec: KernelSpec,
  file: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): ChildProcess {
  const [command, ...args] = spec.argv.map((a) => a.replaceAll('{connection_file}', file));
  if (command === undefined) throw new UserError(`kernel '${spec.name}' has an empty argv`);
  return spawn(command, args, {
    cwd,
    env: { ...env, ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C is for the runner, which decides what becomes of the kernel
  });
}

/** To the kernel and whatever it started; it is a process group of its own. */
export function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    child.kill(name);
  }
}
