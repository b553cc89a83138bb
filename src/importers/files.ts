import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { type Access, checkRange, FormatError } from './importer.js';

/** Positioned reads of a file; closed by `close`. */
export function fileAccess(path: string): Access & { close(): void } {
  const { size } = statSync(path);
  const fd = openSync(path, 'r');
  return {
    size,
    read(offset, length, into) {
      checkRange(size, offset, length);
      const bytes =
        into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const n = readSync(fd, bytes, at, length - at, offset + at);
        if (n === 0) throw new FormatError(`${path}: became shorter while it was read`);
        at += n;
      }
      return bytes;
    },
    close: () => closeSync(fd),
  };
}
