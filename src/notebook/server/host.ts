// The server's side of the process in which the cells run.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Call, frame, frameReader, kinds } from '../frames.js';
import { type Raw, readRaw } from './raw.js';

/** Who hears what the cells say. */
export interface Listener {
  /** Bytes of a stream of `cell`; 0 if none has run. A promise makes the cells wait. */
  onBytes(name: 'stdout' | 'stderr', cell: number, bytes: Buffer): Promise<void> | undefined;
  /** An iopub message of `cell`. */
  onMessage(cell: number, type: string, content: Record<string, unknown>): void;
}

/** How the cells' process ended, where it should not have. */
export class HostEnded extends Error {
  constructor(
    readonly code: number | null,
    readonly signal: string | null,
  ) {
    super(signal ? `killed by ${signal}` : `exit code ${code}`);
  }
}

export interface Host {
  /** Ask the cells. @throws HostEnded if their process ends before it answers. */
  call(cell: number, call: Call): Promise<Record<string, unknown>>;
  /** Stop cell `cell`; kills the process if nothing else helps, within `ms`. */
  interrupt(cell: number, ms?: number): void;
  /** End the process. */
  end(): Promise<void>;
}

interface Process {
  readonly child: ChildProcess;
  readonly calls: Writable;
  readonly interrupts: Writable;
  readonly over: Promise<HostEnded>;
}

const fenceMs = 300;
/** What a program writes that outlives the cells' process is waited for so long, in ms. */
const rawMs = 500;

function launch(secret: string): ChildProcess {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--max-semi-space-size=32', // a compiler makes much short-lived data
    '--require',
    path('../resolve/preload.cjs'),
  ];
  const { PTLAB_STARTER_PID: _, ...env } = process.env; // our own parent is not theirs
  return spawn(process.execPath, [...process.execArgv, ...flags, path('../cells/main.js')], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...env, PTLAB_KERNEL_SECRET: secret },
    detached: true, // a group of its own: what a cell started can be interrupted with it
  });
}

/** Start the process; it is started anew whenever it ends. */
export function startHost(listener: Listener): Host {
  const answers = new Map<number, (value: Record<string, unknown>) => void>();
  const ready = new WeakSet<ChildProcess>();
  let lastCell = 0;
  let ending = false;
  let running: Process | undefined;

  const listen = async (
    child: ChildProcess,
    fromCells: Readable,
    raws: readonly Raw[],
  ): Promise<void> => {
    const read = frameReader();
    for await (const chunk of fromCells) {
      for (const { kind, cell, body } of read(chunk as Buffer)) {
        if (kind === kinds.stdout || kind === kinds.stderr) {
          const wait = listener.onBytes(kind === kinds.stdout ? 'stdout' : 'stderr', cell, body);
          if (wait) await wait;
        } else if (kind === kinds.fence) {
          for (const r of raws) r.open(cell);
          await Promise.all(raws.map((r) => r.passed(cell, fenceMs)));
        } else {
          const value = JSON.parse(body.toString('utf8'));
          if (kind === kinds.call) answers.get(cell)?.(value);
          else if (cell > 0) listener.onMessage(cell, value.type, value.content);
          else ready.add(child); // it can take a signal now
        }
      }
    }
  };
  const start = (): Process => {
    const secret = randomBytes(12).toString('hex');
    const child = launch(secret);
    const [, stdout, stderr, fromCells, calls, interrupts] = child.stdio as unknown as [
      Writable, Readable, Readable, Readable, Writable, Writable,
    ]; // biome-ignore format: a table
    const raws = (['stdout', 'stderr'] as const).map((name) =>
      readRaw(name === 'stdout' ? stdout : stderr, secret, (b) => {
        void listener.onBytes(name, lastCell, b);
      }),
    );
    for (const s of [calls, interrupts]) s.on('error', () => {}); // it has ended: `over` tells
    const heard = listen(child, fromCells, raws).catch(() => {});
    const over = once(child, 'exit').then(async ([code, signal]) => {
      await heard; // ours alone: it ends with the process, when all in it has been read
      await Promise.all(raws.map((r) => r.closed(rawMs)));
      if (running?.child === child) running = undefined;
      return new HostEnded(code, signal);
    });
    return { child, calls, interrupts, over };
  };
  running = start();

  return {
    async call(cell, call) {
      running ??= start();
      const { calls, over } = running;
      if (call.ask === 'execute') lastCell = cell;
      const answered = new Promise<Record<string, unknown>>((done) => answers.set(cell, done));
      calls.write(frame(kinds.call, cell, JSON.stringify(call)));
      const first = await Promise.race([answered, over]);
      answers.delete(cell);
      if (first instanceof HostEnded) throw first;
      return first;
    },
    interrupt(cell, ms = 15_000) {
      const mine = running;
      if (!mine?.child.pid) return;
      mine.interrupts.write(frame(kinds.call, cell, ''));
      let since: number | undefined; // it may still be starting, which is not its fault
      const nudge = (): void => {
        if (!answers.has(cell) || running !== mine) return;
        if (ready.has(mine.child)) {
          since ??= Date.now();
          const tooLong = Date.now() - since >= ms;
          // a program that the cell waits for may have begun only after the first signal
          kill(mine.child, tooLong ? 'SIGKILL' : 'SIGINT');
          if (tooLong) return;
        }
        setTimeout(nudge, 500).unref();
      };
      nudge();
    },
    async end() {
      if (ending || !running) return;
      ending = true;
      const { child, calls, over } = running;
      calls.end();
      const timer = setTimeout(() => kill(child, 'SIGKILL'), 500);
      await over;
      clearTimeout(timer);
    },
  };
}

/** To the process and all it has started. */
function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}
