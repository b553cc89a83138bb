// The bytes of a source, whatever it is: a file, a pipe, standard input, packed or not. All of it is hashed on the way.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Wrapper } from './choose.js';
import { type Access, FormatError } from './importer.js';
import { unatrace, unxz, unzstd } from './unpack.js';

/** Who is told how far reading got. */
export interface Heard {
  /** Told how many bytes of the file were read, and how many events were found. */
  readonly onProgress?: ((done: number, total: number, events: number) => void) | undefined;
  /** Told when a long stream begins to be read with pauses, in which signals are heard, and when it ends. */
  readonly onStream?: ((running: boolean) => void) | undefined;
}

/** Pieces between two pauses. */
const pausePieces = 16;
const pause = (): Promise<void> => new Promise((done) => void setImmediate(done));

/** Bytes read at a time: few enough to stay in the processor's cache until they are parsed. */
const pieceBytes = 1 << 18;
const hashBytes = 1 << 17;

/** What is learnt of a source while it is read. */
export interface Source {
  readonly hash: ReturnType<typeof createHash>;
  bytes: number;
  /** Is each piece of the file used up before the next is asked for? */
  reuse: boolean;
  /** Events found so far, for the progress. */
  events: () => number;
  /** Why unpacking stopped early. */
  cut?: string;
}

export const newSource = (): Source => ({
  hash: createHash('sha256'),
  bytes: 0,
  reuse: false,
  events: () => 0,
});

/** The bytes of a file, in pieces; once `source.reuse` is set, a piece is overwritten by the next. */
function* filePieces(path: string, source: Source): Generator<Uint8Array> {
  const fd = openSync(path, 'r');
  try {
    let piece = new Uint8Array(0);
    for (;;) {
      if (!source.reuse || piece.length === 0) piece = new Uint8Array(pieceBytes);
      const n = readSync(fd, piece);
      if (n === 0) return;
      yield piece.subarray(0, n);
    }
  } finally {
    closeSync(fd);
  }
}

export async function* rawPieces(
  path: string,
  source: Source,
  options: Heard,
): AsyncGenerator<Uint8Array> {
  const total = path === '-' ? 0 : statSync(path).size;
  const pieces = path === '-' ? process.stdin : filePieces(path, source);
  let count = 0;
  try {
    for await (const piece of pieces as AsyncIterable<Uint8Array>) {
      source.hash.update(piece);
      source.bytes += piece.length;
      options.onProgress?.(source.bytes, total, source.events());
      yield piece;
      if (++count % pausePieces !== 0) continue;
      if (count === pausePieces) options.onStream?.(true);
      await pause();
    }
  } finally {
    options.onStream?.(false);
  }
}

const unpackers = {
  gzip: (pieces: AsyncIterable<Uint8Array>) =>
    Readable.from(pieces).pipe(createGunzip({ chunkSize: 1 << 20 })),
  xz: unxz,
  zstd: unzstd,
  atrace: unatrace,
} satisfies Record<Wrapper, unknown>;

/** What a cut or damaged packed file gives until then; the reason goes to `source.cut`. */
export async function* unpacked(
  pieces: AsyncIterable<Uint8Array>,
  wrapper: Wrapper,
  source: Source,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of unpackers[wrapper](pieces) as AsyncIterable<Uint8Array>) yield piece;
  } catch (e) {
    source.cut = `unpacking (${wrapper}) stopped near byte ${source.bytes}: ${(e as Error).message}`;
  }
}

export function checkPath(path: string): void {
  if (path === '-') return;
  if (!existsSync(path)) throw new FormatError(`${path}: no such file`);
  if (statSync(path).isDirectory()) throw new FormatError(`${path}: a directory, not a file`);
}

/** Can it be read at any place? A pipe, such as the shell's <(...), cannot. */
export const isPlain = (path: string): boolean => path !== '-' && statSync(path).isFile();

/** Add the rest of a file, from where its hash has got to, without giving it to anyone. */
export function hashRest(path: string, source: Source): void {
  const fd = openSync(path, 'r');
  const piece = new Uint8Array(hashBytes);
  try {
    for (let n = -1; n !== 0; source.bytes += n) {
      n = readSync(fd, piece, 0, piece.length, source.bytes);
      source.hash.update(piece.subarray(0, n));
    }
  } finally {
    closeSync(fd);
  }
}

/** Reads that tell how far they got. */
export function watched<T extends Access>(file: T, source: Source, options: Heard): T {
  let done = 0;
  const read: Access['read'] = (offset, length, into) => {
    const bytes = file.read(offset, length, into);
    done = Math.min(file.size, done + length);
    options.onProgress?.(done, file.size, source.events());
    return bytes;
  };
  return { ...file, read };
}
