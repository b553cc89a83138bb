// The five sockets of a kernel.
import type { Publisher, Reply, Router } from 'zeromq';
import { address, type Connection } from '../wire.js';

export interface Sockets {
  readonly shell: Router;
  readonly control: Router;
  readonly stdin: Router;
  readonly iopub: Publisher;
  readonly hb: Reply;
}

/** Bind all sockets of a connection file. @throws Error if a port is taken. */
export async function bind(c: Connection): Promise<Sockets> {
  const zmq = await import('zeromq');
  const router = () => new zmq.Router({ linger: 1000, sendHighWaterMark: 0, handover: true });
  const sockets = {
    shell: router(),
    control: router(),
    stdin: router(),
    // a full queue is an error to us, never a lost message: see publish.ts
    iopub: new zmq.Publisher({ linger: 2000, noDrop: true, sendTimeout: 0 }),
    hb: new zmq.Reply({ linger: 0 }),
  };
  await Promise.all([
    sockets.shell.bind(address(c, c.shell_port)),
    sockets.control.bind(address(c, c.control_port)),
    sockets.stdin.bind(address(c, c.stdin_port)),
    sockets.iopub.bind(address(c, c.iopub_port)),
    sockets.hb.bind(address(c, c.hb_port)),
  ]);
  return sockets;
}

/** Answer every heartbeat with itself, until the socket is closed. */
export async function beat(hb: Reply): Promise<void> {
  for await (const frames of hb) await hb.send(frames);
}

/** Close what is open. */
export function close(sockets: Sockets): void {
  for (const s of Object.values(sockets)) if (!s.closed) s.close();
}
