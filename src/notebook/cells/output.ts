// All that cells write leaves through here: in order, with the number of the cell it belongs to.
import { AsyncLocalStorage } from 'node:async_hooks';
import childProcess from 'node:child_process';
import fs, { writeSync as plainWriteSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { frame, type Kind, kinds, marker, pipes } from '../frames.js';

const maxHeld = 64 * 1024;
const windowMs = 10;
/** So many writes in a window leave at once; more of them are gathered. */
const directWrites = 64;

/** The cell that the running code belongs to, through timers and promises. */
export const cellOf = new AsyncLocalStorage<number>();

const writeSync = plainWriteSync; // as it was before anyone wrapped it

let lastCell = 0;
let held: Buffer[] = [];
let heldBytes = 0;
let heldKind: Kind = kinds.stdout;
let heldCell = 0;
let windowBegan = 0;
let writesInWindow = 0;
let flushPlanned = false;

/** Late output that knows no cell belongs to `cell` from now on. */
export const setLastCell = (cell: number): void => {
  lastCell = cell;
};

/** The cell of the code that runs now, or the last one. */
export const currentCell = (): number => cellOf.getStore() ?? lastCell;

/** Write all of it; a full pipe makes us wait, which is what keeps memory bounded. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(1); // the server is gone
      if (code !== 'EAGAIN' && code !== 'EINTR') throw e;
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Send what is held back. */
export function flush(): void {
  if (heldBytes === 0) return;
  const body = held.length === 1 && held[0] ? held[0] : Buffer.concat(held, heldBytes);
  held = [];
  heldBytes = 0;
  writeAll(pipes.toServer, frame(heldKind, heldCell, body));
}

function mayGoAtOnce(): boolean {
  const now = performance.now();
  if (now - windowBegan > windowMs) {
    windowBegan = now;
    writesInWindow = 0;
  }
  return ++writesInWindow <= directWrites;
}

/** Bytes for the stdout or stderr of a cell. */
export function put(kind: Kind, cell: number, bytes: Buffer): void {
  if (bytes.length === 0) return;
  if (heldBytes > 0 && (heldKind !== kind || heldCell !== cell)) flush();
  heldKind = kind;
  heldCell = cell;
  held.push(bytes);
  heldBytes += bytes.length;
  if (heldBytes >= maxHeld || mayGoAtOnce()) flush();
  else if (!flushPlanned) {
    flushPlanned = true;
    setImmediate(() => {
      flushPlanned = false;
      flush();
    });
  }
}

/** Any other frame, after all output before it. */
export function send(kind: Kind, cell: number, value: unknown): void {
  flush();
  writeAll(pipes.toServer, frame(kind, cell, JSON.stringify(value)));
}

let fences = 0;
/** Has someone beside us been given descriptors 1 and 2? */
let shared = false;

/**
 * A point in time for both our frames and descriptors 1 and 2, into which others may write.
 * Nothing to do as long as there is no one who could.
 */
export function fence(secret: string): void {
  flush();
  if (!shared) return;
  const n = ++fences;
  for (const fd of [1, 2]) {
    try {
      writeAll(fd, Buffer.from(marker(secret, n)));
    } catch {
      // closed by a cell: nothing more comes from there
    }
  }
  writeAll(pipes.toServer, frame(kinds.fence, n, ''));
}

type Done = (e?: Error | null) => void;

function catchStream(stream: NodeJS.WriteStream, kind: Kind): void {
  stream.write = (chunk: unknown, encoding?: unknown, done?: Done): boolean => {
    const after = typeof encoding === 'function' ? (encoding as Done) : done;
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : Buffer.from(chunk as Uint8Array);
    put(kind, currentCell(), bytes);
    if (after) process.nextTick(after);
    return true;
  };
}

type Functions = Record<string, (...a: unknown[]) => unknown>;

/** Put `around` in the place of function `name` of a built-in module, for `require` and `import`. */
function wrap(
  module: object,
  name: string,
  around: (plain: () => unknown, args: unknown[]) => unknown,
): void {
  const functions = module as Functions;
  const plain = functions[name];
  if (!plain) return;
  const wrapped = function (this: unknown, ...a: unknown[]) {
    return around(() => plain.apply(this, a), a);
  };
  functions[name] = Object.assign(wrapped, plain);
}

/** Children may write to our descriptors: keep their output in its place between ours. */
function watchChildren(secret: string): void {
  const fenced = (plain: () => unknown): unknown => {
    shared = true;
    fence(secret);
    return plain();
  };
  for (const name of ['spawn', 'exec', 'execFile', 'fork']) wrap(childProcess, name, fenced);
  for (const name of ['spawnSync', 'execSync', 'execFileSync'])
    wrap(childProcess, name, (plain) => {
      try {
        return fenced(plain);
      } finally {
        fence(secret);
      }
    });
}

/** fs.writeSync() to descriptor 1 or 2 is output like any other. */
function catchDescriptors(): void {
  wrap(fs, 'writeSync', (plain, [fd, data, from, size]) => {
    if (fd !== 1 && fd !== 2) return plain();
    const [offset, length] = [Number(from ?? 0), size === undefined ? undefined : Number(size)];
    const bytes =
      typeof data === 'string'
        ? Buffer.from(data, (size as BufferEncoding | undefined) ?? 'utf8')
        : Buffer.from(viewOf(data as ArrayBufferView).subarray(offset, length && offset + length));
    put(fd === 1 ? kinds.stdout : kinds.stderr, currentCell(), bytes);
    return bytes.length;
  });
}

const viewOf = (v: ArrayBufferView): Uint8Array =>
  new Uint8Array(v.buffer, v.byteOffset, v.byteLength);

/** From now on all output of this process goes to the server. */
export function catchOutput(secret: string): void {
  catchStream(process.stdout, kinds.stdout);
  catchStream(process.stderr, kinds.stderr);
  watchChildren(secret);
  catchDescriptors();
  syncBuiltinESMExports();
  process.on('exit', flush);
}
