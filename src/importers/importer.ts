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

/** All of a stream as one array. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const c of chunks) parts.push(c);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
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
