// Numbers and literals in bytes. The results of the last number read lie in `num`, so that the hot
// loop allocates nothing.

/** Last number read: two 32-bit words (signed, so that they stay small integers), and where it ended. */
export const num = { hi: 0, lo: 0, end: 0 };

/** Exact as a double? (64 bits of which a double keeps the upper 53) */
export const isExact = (hi: number, lo: number): boolean =>
  hi >>> 0 < 0x200000 || (lo & 0x7ff) === 0;

// The bytes at hand as a view: four of them are looked at at once. `useBytes` before `matches` and `wordAt`.
let current: Uint8Array = new Uint8Array(0);
let view = new DataView(current.buffer);
/** The same as aligned words, for long searches; the first starts at byte `shift`. */
const noWords: Int32Array = new Int32Array(0);
let words = noWords;
let shift = 0;

/** Make `buf` the bytes that `matches`, `wordAt` and `newlineFrom` look at. */
export function useBytes(buf: Uint8Array): void {
  if (buf === current) return;
  current = buf;
  const { buffer, byteOffset, byteLength } = buf;
  view = new DataView(buffer, byteOffset, byteLength);
  shift = -byteOffset & 3;
  const count = Math.max(0, byteLength - shift) >> 2;
  words = count === 0 ? noWords : new Int32Array(buffer, byteOffset + shift, count); // no place past the end
}

/** The view of the bytes at hand, for a function that looks at many words. */
export const bytesView = (): DataView => view;

/** Four bytes at `at` as one number; `at + 4` must lie in the bytes. */
export const wordAt = (at: number): number => view.getInt32(at, true);

/** Value of the four decimal digits in a word, first digit in the low byte; -1 if it holds others. */
export function digits4(w: number): number {
  const t = w ^ 0x30303030;
  if ((((t + 0x76767676) | t) & 0x80808080) !== 0) return -1; // a byte over 9 reaches its top bit
  const pairs = (t * 10 + (t >>> 8)) & 0x00ff00ff;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
}

/** Read decimal digits into `num`; false if there is none, or more than 64 bits. */
export function readDecimal(buf: Uint8Array, start: number, end: number): boolean {
  useBytes(buf);
  let at = start;
  let v = 0;
  const v4 = view;
  const last = Math.min(start + 8, end - 4);
  while (at <= last) {
    const d = digits4(v4.getInt32(at, true));
    if (d < 0) break;
    v = v * 10000 + d;
    at += 4;
  }
  const most = Math.min(end, start + 15); // digits that a double holds
  for (; at < most; at++) {
    const d = buf[at]! - 48;
    if (d < 0 || d > 9) break;
    v = v * 10 + d;
  }
  if (at === start) return false;
  if (at === most && at < end) return readLong(buf, at, end, v);
  num.hi = v < 0x100000000 ? 0 : Math.floor(v / 0x100000000) | 0;
  num.lo = v | 0;
  num.end = at;
  return true;
}

/** The rest behind fifteen digits whose value is `first`: at most nine more make sense. */
function readLong(buf: Uint8Array, start: number, end: number, first: number): boolean {
  let at = start;
  let rest = 0;
  let scale = 1;
  for (; at < end; at++) {
    const d = buf[at]! - 48;
    if (d < 0 || d > 9) break;
    if (scale === 1e5) return false;
    rest = rest * 10 + d;
    scale *= 10;
  }
  // first * scale + rest, 50 by 17 bits: the low 32 bits of `first` and those above them apart
  const above = Math.floor(first / 0x100000000);
  const low = (first % 0x100000000) * scale + rest;
  const carry = Math.floor(low / 0x100000000);
  const hi = above * scale + carry;
  if (hi > 0xffffffff) return false;
  num.lo = (low - carry * 0x100000000) | 0;
  num.hi = hi | 0;
  num.end = at;
  return true;
}

/** Value of a byte as a lower-case hexadecimal digit, or -1. */
export const hexDigits = new Int8Array(256).fill(-1);
for (let i = 0; i < 10; i++) hexDigits[48 + i] = i;
for (let i = 0; i < 6; i++) hexDigits[97 + i] = 10 + i;

/** Read lower-case hexadecimal digits into `num`; false if there is none, or more than 16. */
export function readHex(buf: Uint8Array, start: number, end: number): boolean {
  let hi = 0;
  let lo = 0;
  let at = start;
  for (; at < end; at++) {
    const d = hexDigits[buf[at]!]!;
    if (d < 0) break;
    if (at - start === 16) return false;
    hi = (hi << 4) | (lo >>> 28);
    lo = (lo << 4) | d;
  }
  if (at === start) return false;
  num.hi = hi;
  num.lo = lo;
  num.end = at;
  return true;
}

/** Does `buf` hold `what` at `at`? */
export function holds(buf: Uint8Array, at: number, end: number, what: Uint8Array): boolean {
  if (at + what.length > end) return false;
  for (let i = 0; i < what.length; i++) if (buf[at + i] !== what[i]) return false;
  return true;
}

/** First place of `what` in `buf[start, end)`, or -1. */
export function find(buf: Uint8Array, start: number, end: number, what: Uint8Array): number {
  const last = end - what.length;
  for (let at = start; at <= last; at++) {
    if (buf[at] === what[0] && holds(buf, at, end, what)) return at;
  }
  return -1;
}

export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Fixed bytes to look for, also as words. */
export interface Literal {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** The whole words from the start, the first of them, and the last four bytes, which may overlap them. */
  readonly words: Int32Array;
  readonly first: number;
  readonly last: number;
}

export function literalOf(bytes: Uint8Array): Literal {
  const { length } = bytes;
  const v = new DataView(bytes.buffer, bytes.byteOffset, length);
  const words = new Int32Array(length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = v.getInt32(i * 4, true);
  const last = length >= 4 ? v.getInt32(length - 4, true) : 0;
  return { bytes, length, words, first: words[0] ?? 0, last };
}

/** Do the bytes at hand hold `what` at `at`? */
export function matches(buf: Uint8Array, at: number, end: number, what: Literal): boolean {
  const { length } = what;
  if (at + length > end) return false;
  if (length < 4) {
    for (let i = 0; i < length; i++) if (buf[at + i] !== what.bytes[i]) return false;
    return true;
  }
  const v = view;
  const { words: wanted } = what;
  if (v.getInt32(at, true) !== what.first) return false;
  const last = at + what.length - 4;
  for (let i = 1, next = at + 4; next < last; i++, next += 4) {
    if (v.getInt32(next, true) !== wanted[i]) return false;
  }
  return v.getInt32(last, true) === what.last;
}

/** Is one of the four bytes a newline? (not 0: one is, though the bits above the first may be wrong) */
const newlineIn = (x: number): number =>
  ((x ^ 0x0a0a0a0a) - 0x01010101) & ~(x ^ 0x0a0a0a0a) & 0x80808080;

/** Where the next newline of the bytes at hand stands, or -1. */
export function newlineFrom(buf: Uint8Array, from: number): number {
  const { length } = buf;
  const w = words;
  let at = from;
  for (; at < length && ((at - shift) & 3) !== 0; at++) if (buf[at] === 10) return at;
  let i = (at - shift) >> 2;
  const last = w.length - 1;
  while (i < last && (newlineIn(w[i]!) | newlineIn(w[i + 1]!)) === 0) i += 2;
  for (at = Math.max(at, i * 4 + shift); at < length; at++) if (buf[at] === 10) return at;
  return -1;
}
