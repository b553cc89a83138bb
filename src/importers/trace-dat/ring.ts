import { type Access, FormatError } from '../importer.js';
import type { CpuData, Dat, DatBuffer } from './dat.js';
import { packedPieces, pageLayout, plainPieces } from './pages.js';

/** Reads the records of one CPU in order. */
export interface CpuReader {
  readonly cpu: number;
  /** Index of its buffer among those of the file. */
  readonly buffer: number;
  /** Next piece of whole pages; null at the end. */
  readonly nextPiece: () => { bytes: Uint8Array; offset: number } | null;
  readonly little: boolean;
  readonly pageSize: number;
  /** Bytes of the page header's commit word, and where records start in a page. */
  readonly commitBytes: number;
  readonly dataAt: number;
  /** The current piece, and where it lies in the source. */
  bytes: Uint8Array;
  pieceAt: number;
  page: number;
  /** End of the records of the current page. */
  pageEnd: number;
  next: number;
  /** The current record, if `open`. */
  open: boolean;
  at: number;
  end: number;
  tsHi: number;
  tsLo: number;
  /** Records lost before the current one; -1 = some, but how many is unknown. */
  missed: number;
  /** Why reading this CPU stopped early. */
  problem: string | null;
}

const missedFlag = 0x80000000;
const missedStored = 0x40000000;
const commitMask = 0x7ffffff;

/** A reader of one CPU's records; call `advance` for the first. */
export function newCpuReader(
  from: Access,
  dat: Dat,
  buffer: number,
  { pageSize, packed }: DatBuffer,
  data: CpuData,
): CpuReader {
  if (pageSize < 64 || pageSize > 1 << 24) {
    throw new FormatError(`a ring-buffer page of ${pageSize} bytes`);
  }
  return {
    cpu: data.cpu,
    buffer,
    nextPiece: packed ? packedPieces(from, data, dat) : plainPieces(from, data, pageSize),
    little: dat.little,
    pageSize,
    ...pageLayout(dat),
    bytes: new Uint8Array(0),
    pieceAt: 0,
    page: 0,
    pageEnd: 0,
    next: 0,
    open: false,
    at: 0,
    end: 0,
    tsHi: 0,
    tsLo: 0,
    missed: 0,
    problem: null,
  };
}

function u32At(b: Uint8Array, o: number, little: boolean): number {
  return little
    ? b[o]! | (b[o + 1]! << 8) | (b[o + 2]! << 16) | (b[o + 3]! << 24)
    : (b[o]! << 24) | (b[o + 1]! << 16) | (b[o + 2]! << 8) | b[o + 3]!;
}

const place = (r: CpuReader, o: number): string => `CPU ${r.cpu}, byte ${r.pieceAt + o}`;

/** Number of missed records behind the data, where the page has room for it. */
function storedMissed(r: CpuReader, commit: number): number {
  const at = r.page + r.dataAt + commit;
  const wide = r.commitBytes === 8;
  if (at + r.commitBytes > r.page + r.pageSize) return -1;
  const low = u32At(r.bytes, at + (wide && !r.little ? 4 : 0), r.little) >>> 0;
  const high = wide ? u32At(r.bytes, at + (r.little ? 4 : 0), r.little) >>> 0 : 0;
  return high < 0x200000 ? high * 2 ** 32 + low : -1;
}

/** Open the page at `r.page`; false (with the problem noted) if its header is wrong. */
function openPage(r: CpuReader): boolean {
  const { bytes, page, little } = r;
  if (page + r.dataAt > bytes.length) {
    r.problem = `${place(r, page)}: truncated: a page of ${bytes.length - page} bytes`;
    return false;
  }
  const first = u32At(bytes, page, little);
  const second = u32At(bytes, page + 4, little);
  r.tsLo = (little ? first : second) >>> 0;
  r.tsHi = (little ? second : first) >>> 0;
  const low = page + 8 + (r.commitBytes === 8 && !little ? 4 : 0);
  const word = u32At(bytes, low, little) >>> 0;
  const commit = word & commitMask;
  if (commit > r.pageSize - r.dataAt || page + r.dataAt + commit > bytes.length) {
    r.problem = `${place(r, page)}: a page with ${commit} bytes of records`;
    return false;
  }
  if ((word & missedFlag) !== 0) {
    const n = (word & missedStored) !== 0 ? storedMissed(r, commit) : -1;
    r.missed = n < 0 || r.missed < 0 ? -1 : r.missed + n;
  }
  r.next = page + r.dataAt;
  r.pageEnd = r.next + commit;
  return true;
}

function nextPage(r: CpuReader): boolean {
  r.page = r.pageEnd === 0 ? 0 : r.page + r.pageSize;
  while (r.page >= r.bytes.length) {
    const piece = r.nextPiece();
    if (!piece) return false;
    r.bytes = piece.bytes;
    r.pieceAt = piece.offset;
    r.page = 0;
  }
  return openPage(r);
}

/** Add a time difference of up to 59 bits. */
function addTime(r: CpuReader, hi: number, lo: number): void {
  const low = r.tsLo + lo;
  r.tsHi = (r.tsHi + hi + (low > 0xffffffff ? 1 : 0)) >>> 0;
  r.tsLo = low >>> 0;
}

function damaged(r: CpuReader, o: number, what: string): false {
  r.problem = `${place(r, o)}: ${what}; the rest of this CPU is left out`;
  r.open = false;
  return false;
}

/**
 * Go to the next record. False at the end of the CPU's data, or where it is damaged: then
 * `problem` says where.
 */
export function advance(r: CpuReader): boolean {
  r.missed = 0;
  for (;;) {
    if (r.next + 4 > r.pageEnd) {
      if (!nextPage(r)) {
        r.open = false;
        return false;
      }
      continue;
    }
    const o = r.next;
    const { bytes, little } = r;
    const word = u32At(bytes, o, little);
    const type = little ? word & 31 : word >>> 27;
    const delta = little ? word >>> 5 : word & 0x7ffffff;
    if (type >= 29 || type === 0) {
      if (o + 8 > r.pageEnd) {
        if (type === 29) r.next = r.pageEnd;
        else return damaged(r, o, 'a record cut off by the end of its page');
        continue;
      }
    }
    if (type === 30 || type === 31) {
      const high = u32At(bytes, o + 4, little);
      const lo = ((high << 27) | delta) >>> 0;
      const hi = high >>> 5;
      if (type === 30) addTime(r, hi, lo);
      else {
        r.tsHi = ((r.tsHi & 0xf8000000) | hi) >>> 0;
        r.tsLo = lo;
      }
      r.next = o + 8;
      continue;
    }
    if (type === 29) {
      if (delta === 0)
        r.next = r.pageEnd; // the rest of the page is empty
      else {
        addTime(r, 0, delta);
        r.next = o + 4 + (u32At(bytes, o + 4, little) >>> 0);
      }
      continue;
    }
    const length = type === 0 ? u32At(bytes, o + 4, little) >>> 0 : type * 4 + 4;
    // A long record counts its length word, a short one is given in words of 4 bytes.
    const at = type === 0 ? o + 8 : o + 4;
    const end = type === 0 ? o + 4 + length : o + length;
    if (end > r.pageEnd || end < at + 8) return damaged(r, o, `a record of ${end - at} bytes`);
    addTime(r, 0, delta);
    r.at = at;
    r.end = end;
    r.next = type === 0 ? o + 4 + ((length + 3) & ~3) : end;
    r.open = true;
    return true;
  }
}
