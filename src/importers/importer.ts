import type { Log } from '../events/log.js';
import type { TraceMeta } from '../events/meta.js';

/** Bytes that can be read anywhere. */
export interface Access {
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset` on; they may lie in `into`, if it is given.
   * @throws FormatError if the source ends before.
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
}

/** A source to read: a file, a pipe, or bytes in memory. */
export interface Input {
  /** As the user wrote it. */
  readonly name: string;
  /**
   * The content, unpacked, in pieces, each of which holds only until the next is asked for. Ask for this or
   * for `access`, once.
   */
  chunks(): AsyncIterable<Uint8Array>;
  /** The content, unpacked, for formats that jump about in it. */
  access(): Promise<Access>;
  /**
   * What `command` prints when run with `args` and, last, the path of the source.
   * @throws FormatError if it is not installed, or the source is no plain file.
   */
  tool(command: string, args: readonly string[]): AsyncIterable<Uint8Array>;
  /** Threads to read with, if it is known; 1: none but this. */
  readonly jobs?: number | undefined;
}

/** Reads one format: a file in importers/, a line in importers/index.ts. */
export interface Importer {
  readonly about: string;
  /** Do the first bytes (unpacked, up to 64 KiB) look like this format? */
  sniff(head: Uint8Array): boolean;
  /**
   * Append every event to `log`; fill in `meta` what the source says of itself.
   * @throws FormatError if nothing sensible can be read.
   */
  read(input: Input, log: Log, meta: TraceMeta): Promise<void>;
}

/** A source that cannot be read: says where and what to do. */
export class FormatError extends Error {}

/** Is it the system that refuses, such as a missing folder or a full disk? */
export const isOfSystem = (e: unknown): e is Error & { readonly syscall: string } =>
  e instanceof Error && 'syscall' in e;

const shortOf = (size: number, offset: number, length: number): FormatError =>
  new FormatError(
    `truncated: ${length} bytes wanted at byte ${offset}, but the source ends at byte ${size}`,
  );

/** Check a range before it is read. */
export function checkRange(size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw shortOf(size, offset, length);
}

/** Bytes in memory as an `Access`. */
export const accessOf = (bytes: Uint8Array): Access => ({
  size: bytes.length,
  read(offset, length) {
    checkRange(bytes.length, offset, length);
    return bytes.subarray(offset, offset + length);
  },
});

/** Most bytes of a packed source or a pipe that are held for a format that jumps about in it. */
export const mostHeld = 2 ** 31;

/**
 * All of a stream, held in its pieces.
 * @throws FormatError if it is longer than `most`.
 */
export async function holdAll(chunks: AsyncIterable<Uint8Array>, most = mostHeld): Promise<Access> {
  const pieces: Uint8Array[] = [];
  const begins: number[] = [];
  let size = 0;
  for await (const c of chunks) {
    if (c.length === 0) continue;
    pieces.push(c);
    begins.push(size);
    size += c.length;
    if (size > most) {
      throw new FormatError(
        `over ${most} bytes unpacked, too many to hold in memory: unpack it to a file first, and give that`,
      );
    }
  }
  return {
    size,
    read: (offset, length, into) => readPieces(pieces, begins, size, offset, length, into),
  };
}

/** A range of bytes that lie in `pieces`, the first of each at `begins`; copied only if it spans some. */
function readPieces(
  pieces: readonly Uint8Array[],
  begins: readonly number[],
  size: number,
  offset: number,
  length: number,
  into?: Uint8Array,
): Uint8Array {
  checkRange(size, offset, length);
  let low = 0;
  for (let high = begins.length; high - low > 1; ) {
    const mid = (low + high) >> 1;
    if (begins[mid]! <= offset) low = mid;
    else high = mid;
  }
  const from = offset - (begins[low] ?? 0);
  const first = pieces[low]?.subarray(from, from + length) ?? new Uint8Array(0);
  if (first.length === length) return first;
  const out = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
  out.set(first);
  for (let done = first.length; done < length; ) {
    const piece = pieces[++low]!.subarray(0, length - done);
    out.set(piece, done);
    done += piece.length;
  }
  return out;
}

/** For sources that are no plain file. */
export function noTool(command: string): never {
  throw new FormatError(`${command} reads plain files only: unpack it to a file first`);
}

/** Bytes in memory as an `Input`. */
export function inputOf(name: string, bytes: Uint8Array): Input {
  async function* once() {
    yield bytes;
  }
  return { name, chunks: once, access: async () => accessOf(bytes), tool: noTool };
}
