// A bare Jupyter client for tests: it keeps every message.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dealer, Request, Subscriber } from 'zeromq';
import { address, decode, encode, header, type Message } from '../../dist/notebook/wire.js';
import { root } from '../source.js';

export interface Heard {
  readonly reply: Message['content'];
  readonly replyTo: Message;
  /** iopub messages of the request, status included. */
  readonly out: readonly Message[];
}

async function ports(): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < 5; i++) {
    const s = createServer().listen(0, '127.0.0.1');
    await once(s, 'listening');
    found.push((s.address() as { port: number }).port);
    s.close();
  }
  return found;
}

/** Start ptlab's kernel in `cwd` and connect to it. */
export async function connect(cwd = join(root, 'notebooks'), argv?: readonly string[]) {
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await ports();
  const connection = {
    shell_port, iopub_port, stdin_port, control_port, hb_port,
    transport: 'tcp', ip: '127.0.0.1', key: 'a key', signature_scheme: 'hmac-sha256',
  } as Parameters<typeof address>[0]; // biome-ignore format: one record
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-test-'));
  const file = join(folder, 'c.json');
  writeFileSync(file, JSON.stringify(connection));
  const [program = process.execPath, ...args] = argv ?? [
    process.execPath,
    join(root, 'dist/notebook/kernel.js'),
    file,
  ];
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (b) => {
    words += b;
  });
  const session = header('', '').msg_id;
  const shell = new Dealer({ linger: 0, routingId: session });
  const control = new Dealer({ linger: 0, routingId: session });
  const iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  const hb = new Request({ linger: 0 });
  shell.connect(address(connection, connection.shell_port));
  control.connect(address(connection, connection.control_port));
  iopub.connect(address(connection, connection.iopub_port));
  hb.connect(address(connection, connection.hb_port));
  iopub.subscribe('');

  const replies = new Map<string, Message>();
  const published: Message[] = [];
  let wake = () => {};
  const pump = async (s: Dealer | Subscriber, take: (m: Message) => void) => {
    for await (const frames of s) {
      take(decode('a key', frames));
      wake();
    }
  };
  for (const s of [shell, control])
    void pump(s, (m) => replies.set((m.parent as { msg_id: string }).msg_id, m));
  void pump(iopub, (m) => published.push(m));
  const until = async <T>(what: string, test: () => T | undefined | false): Promise<T> => {
    for (const end = Date.now() + 120_000; Date.now() < end; ) {
      const got = test();
      if (got) return got;
      await new Promise<void>((done) => {
        wake = done;
        setTimeout(done, 50);
      });
    }
    throw new Error(`no ${what} within 120 s; the kernel said: ${words}`);
  };
  const send = (socket: Dealer, type: string, content: Message['content']): string => {
    const head = header(type, session);
    const rest = { identities: [], parent: {}, metadata: {}, content, buffers: [] };
    void socket.send(encode('a key', { header: head, ...rest }));
    return head.msg_id;
  };
  const of = (id: string) => published.filter((m) => m.parent.msg_id === id);
  const idle = (id: string) => of(id).some((m) => m.content['execution_state'] === 'idle');
  const heard = async (id: string): Promise<Heard> => {
    const reply = await until('reply', () => replies.get(id));
    await until('idle', () => idle(id));
    return { reply: reply.content, replyTo: reply, out: of(id) };
  };
  const ask = (type: string, content: Message['content'] = {}) => heard(send(shell, type, content));
  const code = (text: string, more = {}) => ({
    code: text, silent: false, store_history: true, user_expressions: {}, allow_stdin: false,
    stop_on_error: true, ...more,
  }); // biome-ignore format: one record
  // a subscription takes a moment: ask until something comes
  for (let i = 0; published.length === 0 && i < 300; i++) {
    send(shell, 'kernel_info_request', {});
    await new Promise((done) => setTimeout(done, 100));
  }
  return {
    child, shell, control, hb, published, of, until, heard, ask,
    words: () => words,
    begin: (text: string, more = {}) => send(shell, 'execute_request', code(text, more)),
    run: (text: string, more = {}) => ask('execute_request', code(text, more)),
    tell: (type: string, content = {}) => heard(send(control, type, content)),
    async end() {
      child.kill('SIGKILL');
      for (const s of [shell, control, iopub, hb]) s.close();
      rmSync(folder, { recursive: true, force: true });
    },
  }; // biome-ignore format: one record
}

export type Client = Awaited<ReturnType<typeof connect>>;

/** Message types in order. */
export const types = (out: readonly Message[]): string[] => out.map((m) => m.header.msg_type);

/** Streams joined: [['stdout', 'a\n'], …]. */
export function streams(out: readonly Message[]): [string, string][] {
  const all: [string, string][] = [];
  for (const m of out.filter((o) => o.header.msg_type === 'stream')) {
    const { name, text } = m.content as { name: string; text: string };
    const last = all.at(-1);
    if (last?.[0] === name) last[1] += text;
    else all.push([name, text]);
  }
  return all;
}
