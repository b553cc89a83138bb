import { type Access, FormatError } from '../importer.js';
import { unpackBlock } from '../unpack.js';
import { newCursor, take, u32 } from './cursor.js';
import type { CpuData, Dat } from './dat.js';

const pieceBytes = 1 << 17;

/** Gives the next piece of whole pages, and where it lies in the source; null at the end. */
export type NextPiece = () => { bytes: Uint8Array; offset: number } | null;

/** Pieces of raw pages, straight from the file, all in the same memory. */
export function plainPieces(from: Access, data: CpuData, pageSize: number): NextPiece {
  let at = 0;
  const step = Math.max(1, Math.floor(pieceBytes / pageSize)) * pageSize;
  const room = new Uint8Array(Math.min(step, data.size));
  return () => {
    if (at >= data.size) return null;
    const offset = data.offset + at;
    const bytes = from.read(offset, Math.min(step, data.size - at), room);
    at += step;
    return { bytes, offset };
  };
}

/** Pieces of packed pages: a count, then that many blocks. */
export function packedPieces(from: Access, data: CpuData, dat: Dat): NextPiece {
  const c = newCursor(from, data.offset, dat.little);
  let left = data.size > 0 ? u32(c) : 0;
  // the size that trace-cmd writes may leave out the two words before each block
  const end = data.offset + data.size + 8 * (left + 1);
  return () => {
    if (left === 0) return null;
    left--;
    const offset = c.at;
    const packed = u32(c);
    const plain = u32(c);
    if (c.at + packed > end) {
      throw new FormatError(`byte ${offset}: a block of ${packed} bytes leaves the CPU's data`);
    }
    return { bytes: unpackBlock(dat.compression, take(c, packed), plain), offset };
  };
}

/**
 * Bytes of a page of the ring buffer: header_page tells, where sub-buffers are larger than a page of
 * memory (buffer_subbuf_size_kb, 6.8); files of an older trace-cmd state the page of memory.
 */
export function subBufferSize({ headerPage, pageSize }: Dat): number {
  const m = /char data;\s*offset:(\d+);\s*size:(\d+)/.exec(headerPage);
  return m ? Math.max(pageSize, Number(m[1]) + Number(m[2])) : pageSize;
}

/** Sizes of a page's header, from the text of header_page. */
export function pageLayout(dat: Dat): { commitBytes: number; dataAt: number } {
  const commit = /local_t commit;\s*offset:8;\s*size:(\d+)/.exec(dat.headerPage);
  const data = /char data;\s*offset:(\d+)/.exec(dat.headerPage);
  const commitBytes = commit ? Number(commit[1]) : dat.longBytes;
  const dataAt = data ? Number(data[1]) : 8 + commitBytes;
  const placed = dataAt >= 8 + commitBytes && dataAt <= 64 && dataAt % 4 === 0;
  if ((commitBytes !== 4 && commitBytes !== 8) || !placed) {
    throw new FormatError(`header_page: a commit of ${commitBytes} bytes, data at ${dataAt}`);
  }
  return { commitBytes, dataAt };
}
