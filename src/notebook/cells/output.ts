// All that cells write leaves through here: in order, with the number of the cell it belongs to.
import { AsyncLocalStorage } from 'node:async_hooks';
import childProcess from 'node:child_process';
import fs, { writeSync as plainWriteSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { frame, headBytes, type Kind, kinds, marker, pipes, putHead } from '../frames.js';

/** The cell that the running code belongs to, through timers and promises. */
export const cellOf = new AsyncLocalStorage<number>();

const writeSync = plainWriteSync; // as it was before anyone wrapped it

let lastCell = 0;

/** Late output that knows no cell belongs to `cell` from now on. */
export const setLastCell = (cell: number): void => {
  lastCell = cell;
};

/** The cell of the code that runs now, or the last one. */
export const currentCell = (): number => cellOf.getStore() ?? lastCell;

/** Write all of it; a full pipe makes us wait, which is what keeps memory bounded. */
function writeAll(fd: number, bytes: Buffer, size = bytes.length): void {
  for (let at = 0; at < size; ) {
    try {
      at += writeSync(fd, bytes, at, size - at);
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(1); // the server is gone
      if (code !== 'EAGAIN' && code !== 'EINTR') throw e;
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Room for the frame of a short text; a character takes at most three bytes. */
const small = Buffer.alloc(16 * 1024);
const smallText = Math.floor((small.length - headBytes) / 3);

/**
 * Text or bytes for the stdout or stderr of a cell. Nothing is held back: what was written is in
 * the pipe, and is told even if this process is killed the moment after.
 */
export function put(kind: Kind, cell: number, data: string | Uint8Array): void {
  if (data.length === 0) return;
  if (typeof data === 'string' && data.length <= smallText) {
    const size = headBytes + small.write(data, headBytes);
    putHead(small, kind, cell, size - headBytes);
    writeAll(pipes.toServer, small, size);
  } else writeAll(pipes.toServer, frame(kind, cell, data));
}

/** Any other frame. */
export function send(kind: Kind, cell: number, value: unknown): void {
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
    const coded = typeof encoding === 'string' && !/^utf-?8$/i.test(encoding);
    const data =
      typeof chunk === 'string' && !coded
        ? chunk
        : Buffer.from(chunk as string, encoding as BufferEncoding);
    put(kind, currentCell(), data);
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
}
