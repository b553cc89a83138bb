// Numbers and literals in bytes. The results of the last number read lie in `num`, so that the hot
// loop allocates nothing.

/** Last number read: two 32-bit words, and where it ended. */
export const num = { hi: 0, lo: 0, end: 0 };

/** Exact as a double? (64 bits of which a double keeps the upper 53) */
export const isExact = (hi: number, lo: number): boolean =>
  hi >>> 0 < 0x200000 || (lo & 0x7ff) === 0;

/** Read decimal digits into `num`; false if there is none, or more than 64 bits. */
export function readDecimal(buf: Uint8Array, start: number, end: number): boolean {
  let hi = 0;
  let lo = 0;
  let at = start;
  let part = 0;
  let scale = 1;
  for (; at < end; at++) {
    const d = buf[at]! - 48;
    if (d < 0 || d > 9) break;
    part = part * 10 + d;
    scale *= 10;
    if (scale === 1e5) {
      const low = lo * 1e5 + part;
      const carry = Math.floor(low / 0x100000000);
      lo = low - carry * 0x100000000;
      hi = hi * 1e5 + carry;
      if (hi > 0xffffffff) return false;
      part = 0;
      scale = 1;
    }
  }
  if (at === start) return false;
  const low = lo * scale + part;
  const carry = Math.floor(low / 0x100000000);
  hi = hi * scale + carry;
  if (hi > 0xffffffff) return false;
  num.lo = low - carry * 0x100000000;
  num.hi = hi;
  num.end = at;
  return true;
}

const hexValue = new Int8Array(256).fill(-1);
for (let i = 0; i < 10; i++) hexValue[48 + i] = i;
for (let i = 0; i < 6; i++) hexValue[97 + i] = 10 + i;

/** Read lower-case hexadecimal digits into `num`; false if there is none, or more than 16. */
export function readHex(buf: Uint8Array, start: number, end: number): boolean {
  let hi = 0;
  let lo = 0;
  let at = start;
  for (; at < end; at++) {
    const d = hexValue[buf[at]!]!;
    if (d < 0) break;
    hi = (hi << 4) | (lo >>> 28);
    lo = (lo << 4) | d;
  }
  if (at === start || at - start > 16) return false;
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
