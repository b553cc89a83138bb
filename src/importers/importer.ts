import type { Log } from '../events/log.js';
import type { TraceMeta } from '../events/meta.js';

/** A source to read: a file, a pipe, or bytes in memory. */
export interface Input {
  /** As the user wrote it. */
  readonly name: string;
  /** The content, unpacked, in pieces; may be asked for once. */
  chunks(): AsyncIterable<Uint8Array>;
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
