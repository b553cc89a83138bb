import type { ColumnMetaData } from 'hyparquet';
import { FormatError } from '../importer.js';
import { type PageHeader, pageHeader, type Reader, varint } from './page-header.js';

/** What is checked of a column: where its values go in a row, and how its pages are packed. */
export interface Column {
  readonly meta: ColumnMetaData;
  /** May a row leave it out? */
  readonly optional: boolean;
  readonly boolean: boolean;
  /** Gives exactly `size` bytes, or throws. */
  readonly unpack: (packed: Uint8Array, size: number) => Uint8Array;
}

const encoding = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  deltaBinary: 5,
  deltaLength: 6,
  delta: 7,
  dictionary: 8,
  split: 9,
};
const maxMiniblocks = 4096;

const fail = (what: string): never => {
  throw new Error(what);
};

const bitsSet = (v: number): number => {
  let n = 0;
  for (let x = v; x !== 0; x &= x - 1) n++;
  return n;
};

/** Ones among the first `count` bits of the next bytes; what lies behind the end counts as zeros. */
function onesOf(r: Reader, count: number): number {
  let ones = 0;
  for (let i = 0; i < count; i += 8) {
    const b = r.bytes[r.at + (i >> 3)] ?? 0;
    ones += bitsSet(count - i >= 8 ? b : b & ((1 << (count - i)) - 1));
  }
  return ones;
}

/**
 * Walk runs that give `count` values of `width` bits: none may give more. Gives how many of them are
 * 1, where they are single bits.
 */
function checkRuns(r: Reader, width: number, count: number): number {
  if (width > 32) fail(`values of ${width} bits`);
  let seen = 0;
  let ones = 0;
  while (seen < count) {
    const head = varint(r);
    const left = count - seen;
    if ((head & 1) === 0) {
      const n = head >>> 1;
      if (n > left) fail(`a run of ${n} values where ${left} are left`);
      if (width === 1 && r.bytes[r.at] === 1) ones += n;
      r.at += (width + 7) >> 3;
      seen += n;
      continue;
    }
    const groups = head >>> 1;
    if (groups > (left >> 3) + 64) fail(`a run of ${groups * 8} values where ${left} are left`);
    if (width === 1) ones += onesOf(r, Math.min(left, groups * 8));
    r.at += groups * width;
    seen += groups * 8;
  }
  return ones;
}

const word = (b: Uint8Array, at: number): number =>
  at + 4 > b.length
    ? fail('a page that is cut off')
    : (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;

/** Check what the decoder would loop over or make room for in the values of a page. */
function checkValues(c: Column, kind: number, r: Reader, count: number, v2: boolean): void {
  switch (kind) {
    case encoding.plain:
      if (count > (r.bytes.length - r.at) * 8) fail(`${count} values in a page too short for them`);
      return;
    case encoding.split:
      if (count > r.bytes.length - r.at) fail(`${count} values in a page too short for them`);
      return;
    case encoding.plainDictionary:
    case encoding.dictionary:
    case encoding.rle: {
      if (c.boolean) {
        r.at += 4; // their length
        checkRuns(r, 1, count);
        return;
      }
      const width = r.bytes[r.at++] ?? 0;
      if (width > 0 || v2) checkRuns(r, width, count);
      return;
    }
    case encoding.deltaBinary:
    case encoding.deltaLength: {
      const block = varint(r);
      const miniblocks = varint(r);
      if (miniblocks === 0 || miniblocks > maxMiniblocks || block < miniblocks || block > 1 << 24)
        fail(`blocks of ${block} values in ${miniblocks} parts`);
      return;
    }
    default:
      throw new FormatError(
        `Parquet whose column '${c.meta.path_in_schema?.join('.')}' has its values in encoding ${kind}; ` +
          'write them plain or with a dictionary',
      );
  }
}

/** A data page as it was first: levels, then values, all packed. Gives its rows. */
function checkPage(c: Column, header: PageHeader, page: Uint8Array, most: number): number {
  const rows = header.get('5.1') ?? -1;
  if (rows < 0 || rows > most) fail(`a page of ${rows} rows where ${most} are left`);
  const r: Reader = { bytes: page, at: 0 };
  let count = rows;
  if (c.optional) {
    const length = word(page, 0);
    const levels: Reader = { bytes: page, at: 4 };
    count = checkRuns(levels, 1, rows);
    r.at = 4 + length;
  }
  checkValues(c, header.get('5.2') ?? -1, r, count, false);
  return rows;
}

/** A data page of version 2: its levels are not packed. */
function checkPage2(c: Column, header: PageHeader, body: Uint8Array, most: number): number {
  const get = (n: number): number => header.get(`8.${n}`) ?? -1;
  const [rows, nulls, levels] = [get(1), get(2), get(5)];
  if (rows < 0 || rows > most || nulls < 0 || nulls > rows)
    fail(`a page of ${rows} rows, ${nulls} empty, where ${most} are left`);
  if (get(6) !== 0 || levels < 0 || levels > body.length) fail(`levels of ${levels} bytes`);
  if (c.optional) checkRuns({ bytes: body.subarray(0, levels), at: 0 }, 1, rows);
  const packed = body.subarray(levels);
  const size = (header.get('2') ?? -1) - levels;
  const page = get(7) === 0 ? packed : c.unpack(packed, size);
  checkValues(c, get(4), { bytes: page, at: 0 }, rows - nulls, true);
  return rows;
}

function checkDictionary(header: PageHeader, page: Uint8Array): void {
  const count = header.get('7.1') ?? -1;
  if (count < 0 || count > page.length * 8)
    fail(`a dictionary of ${count} values in ${page.length} bytes`);
}

/**
 * Walk the pages of one column of a row group, so that no count or size in them makes the decoder
 * loop or ask for memory without bound.
 * @throws Error saying what is wrong.
 */
export function checkChunk(c: Column, bytes: Uint8Array, rows: number): void {
  const r: Reader = { bytes, at: 0 };
  let seen = 0;
  while (seen < rows && r.at < bytes.length - 1) {
    const header = pageHeader(r);
    const size = header.get('3') ?? -1;
    if (size < 0 || size > bytes.length - r.at)
      fail(`a page of ${size} bytes where ${bytes.length - r.at} are left`);
    const body = bytes.subarray(r.at, r.at + size);
    r.at += size;
    const plain = header.get('2') ?? -1;
    if (plain < 0) fail(`a page of ${plain} bytes unpacked`);
    const kind = header.get('1');
    if (kind === 2) checkDictionary(header, c.unpack(body, plain));
    else if (kind === 0) seen += checkPage(c, header, c.unpack(body, plain), rows - seen);
    else if (kind === 3) seen += checkPage2(c, header, body, rows - seen);
    else fail(`a page of kind ${kind}`);
  }
  if (seen !== rows) fail(`${seen} values where there are ${rows} rows`);
}
