import { type Access, FormatError } from '../importer.js';
import type { CpuData, Dat, DatBuffer } from './dat.js';
import { type NextPiece, packedPieces, pageLayout, plainPieces } from './pages.js';
import { alignedWords } from './record.js';
import { type Convert, stamp } from './time.js';

/** Records that are found in one go. */
const blockRecords = 512;

/** Reads the records of one CPU in order, a block at a time. */
export interface CpuReader {
  readonly cpu: number;
  /** Its place among the CPUs of the buffer. */
  readonly slot: number;
  /** Index of its buffer among those of the file, and its place among all readers. */
  readonly buffer: number;
  rank: number;
  readonly nextPiece: NextPiece;
  /** Makes nanoseconds of raw stamps; null where they are. */
  readonly convert: Convert | null;
  readonly little: boolean;
  readonly pageSize: number;
  /** Bytes of the page header's commit word, and where records start in a page. */
  readonly commitBytes: number;
  readonly dataAt: number;
  /** The current piece, and where it lies in the source. */
  bytes: Uint8Array;
  view: DataView;
  words: Int32Array;
  pieceAt: number;
  /** Where the current page starts, its records end, and the next record starts. */
  page: number;
  pageEnd: number;
  next: number;
  /** Stamp of the last record found. */
  tsHi: number;
  tsLo: number;
  /** The block: start, end and stamp of each record in the piece; `index` is the current one. */
  readonly at: Int32Array;
  readonly end: Int32Array;
  readonly his: Uint32Array;
  readonly los: Uint32Array;
  count: number;
  index: number;
  /** Records lost before the first of the block; -1 = some, but how many is unknown. */
  missed: number;
  /** Why reading this CPU stopped early, until that is noted; nothing more is read once it is set. */
  problem: string | null;
  damaged: boolean;
  over: boolean;
}

const missedFlag = 0x80000000;
const missedStored = 0x40000000;
const commitMask = 0x7ffffff;

/** A reader of one CPU's records; call `nextBlock` for the first. */
export function newCpuReader(
  from: Access,
  dat: Dat,
  buffer: number,
  { pageSize, packed }: DatBuffer,
  data: CpuData,
  slot: number,
  convert: Convert | null,
): CpuReader {
  if (pageSize < 64 || pageSize > 1 << 24 || pageSize % 4 !== 0) {
    throw new FormatError(`a ring-buffer page of ${pageSize} bytes`);
  }
  const bytes = new Uint8Array(0);
  return {
    cpu: data.cpu,
    slot,
    convert,
    buffer,
    rank: 0,
    nextPiece: packed ? packedPieces(from, data, dat) : plainPieces(from, data, pageSize),
    little: dat.little,
    pageSize,
    ...pageLayout(dat),
    bytes,
    view: new DataView(bytes.buffer),
    words: alignedWords(bytes, true),
    pieceAt: 0,
    page: 0,
    pageEnd: 0,
    next: 0,
    tsHi: 0,
    tsLo: 0,
    at: new Int32Array(blockRecords),
    end: new Int32Array(blockRecords),
    his: new Uint32Array(blockRecords),
    los: new Uint32Array(blockRecords),
    count: 0,
    index: 0,
    missed: 0,
    problem: null,
    damaged: false,
    over: false,
  };
}

const place = (r: CpuReader, o: number): string => `CPU ${r.cpu}, byte ${r.pieceAt + o}`;

function stop(r: CpuReader, o: number, what: string): false {
  r.problem = `${place(r, o)}: ${what}`;
  r.over = true;
  return false;
}

/** Number of missed records behind the data, where the page has room for it. */
function storedMissed(r: CpuReader, commit: number): number {
  const at = r.page + r.dataAt + commit;
  if (at + r.commitBytes > Math.min(r.page + r.pageSize, r.bytes.length)) return -1;
  if (r.commitBytes === 4) return r.view.getUint32(at, r.little);
  const n = r.view.getBigUint64(at, r.little);
  return n < 1n << 53n ? Number(n) : -1;
}

/** Open the page at `r.page`; false (with the problem noted) if its header is wrong. */
function openPage(r: CpuReader): boolean {
  const { bytes, view, page, little } = r;
  if (page + r.dataAt > bytes.length) {
    return stop(r, page, `truncated: a page of ${bytes.length - page} bytes`);
  }
  r.tsLo = view.getUint32(page + (little ? 0 : 4), little);
  r.tsHi = view.getUint32(page + (little ? 4 : 0), little);
  const word = view.getUint32(page + 8 + (r.commitBytes === 8 && !little ? 4 : 0), little);
  const commit = word & commitMask;
  if (commit > r.pageSize - r.dataAt || page + r.dataAt + commit > bytes.length) {
    return stop(r, page, `a page with ${commit} bytes of records`);
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
    if (!piece) {
      r.over = true;
      return false;
    }
    const { bytes } = piece;
    r.bytes = bytes;
    r.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    r.words = alignedWords(bytes, r.little);
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

/** An absolute stamp of 59 bits; the five above are those of the stamp before, or one more if that is later. */
function setTime(r: CpuReader, hi: number, lo: number): void {
  const top = (r.tsHi & 0xf8000000) >>> 0;
  const full = (top | hi) >>> 0;
  const back = top !== 0 && (full < r.tsHi || (full === r.tsHi && lo < r.tsLo));
  r.tsHi = back ? (full + 0x8000000) >>> 0 : full;
  r.tsLo = lo;
}

/** A padding, a time extension or an absolute stamp: type 29 to 31. */
function skipSpecial(r: CpuReader, o: number, type: number, delta: number): boolean {
  if (type === 29 && (delta === 0 || o + 8 > r.pageEnd)) {
    r.next = r.pageEnd; // the rest of the page is empty
    return true;
  }
  if (o + 8 > r.pageEnd) return stop(r, o, cutOff);
  const word = r.view.getUint32(o + 4, r.little);
  if (type === 29) {
    addTime(r, 0, delta);
    r.next = o + 4 + Math.ceil(word / 4) * 4;
    return true;
  }
  const lo = ((word << 27) | delta) >>> 0;
  if (type === 30) addTime(r, word >>> 5, lo);
  else setTime(r, word >>> 5, lo);
  r.next = o + 8;
  return true;
}

const leftOut = 'the rest of this CPU is left out';
const cutOff = `a record cut off by the end of its page; ${leftOut}`;

/** Find the records of the open page from `r.next` on, as many as a block holds. */
function fillBlock(r: CpuReader): void {
  const { words, little, pageEnd, at, end, his, los } = r;
  let n = 0;
  while (n < blockRecords && r.next + 4 <= pageEnd) {
    const o = r.next;
    const word = words[o >> 2]!;
    const type = little ? word & 31 : word >>> 27;
    const delta = little ? word >>> 5 : word & 0x7ffffff;
    if (type > 28) {
      if (skipSpecial(r, o, type, delta)) continue;
      break;
    }
    let start = o + 4;
    let stops = start + type * 4;
    if (type === 0) {
      // A long record states its length, counting that word.
      if (o + 8 > pageEnd) {
        stop(r, o, cutOff);
        break;
      }
      stops = start + (words[start >> 2]! >>> 0);
      start += 4;
    }
    if (stops > pageEnd || stops < start + 8) {
      stop(r, o, `a record of ${stops - start} bytes; ${leftOut}`);
      break;
    }
    const low = r.tsLo + delta;
    r.tsLo = low >>> 0;
    if (low > 0xffffffff) r.tsHi = (r.tsHi + 1) >>> 0;
    at[n] = start;
    end[n] = stops;
    his[n] = r.tsHi;
    los[n] = r.tsLo;
    n++;
    r.next = o + 4 + ((stops - o - 1) & ~3);
  }
  r.count = n;
  r.index = 0;
  if (r.convert !== null) convertBlock(r, r.convert);
}

function convertBlock({ count, his, los, slot }: CpuReader, convert: Convert): void {
  for (let i = 0; i < count; i++) {
    stamp.hi = his[i]!;
    stamp.lo = los[i]!;
    convert(slot);
    his[i] = stamp.hi;
    los[i] = stamp.lo;
  }
}

/**
 * Go to the next block of records. False at the end of the CPU's data, or where it is damaged: then
 * `problem` says where.
 */
export function nextBlock(r: CpuReader): boolean {
  r.missed = 0;
  r.count = 0;
  while (!r.over) {
    if (r.next + 4 <= r.pageEnd || nextPage(r)) fillBlock(r);
    if (r.count > 0) return true;
  }
  return false;
}
