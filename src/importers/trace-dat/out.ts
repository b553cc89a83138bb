// Text being made, as bytes, so that the hot path makes no strings.

let bytes = new Uint8Array(1 << 12);
let used = 0;

/** Start a new text. */
export const resetOut = (): void => void (used = 0);
/** Bytes written since the last reset; valid until the next write. */
export const outBytes = (): Uint8Array => bytes;
export const outLength = (): number => used;

/** Drop what was written behind `length`. */
export const cutOut = (length: number): void => void (used = length);

function room(n: number): void {
  if (used + n <= bytes.length) return;
  const bigger = new Uint8Array(Math.max(bytes.length * 2, used + n));
  bigger.set(bytes.subarray(0, used));
  bytes = bigger;
}

export function putByte(b: number): void {
  room(1);
  bytes[used++] = b;
}

/** Append prepared bytes. */
export function putBytes(from: Uint8Array): void {
  const { length } = from;
  room(length);
  const [to, at] = [bytes, used];
  for (let i = 0; i < length; i++) to[at + i] = from[i]!;
  used = at + length;
}

/** Append `from[start, end)` up to its first NUL. */
export function putString0(from: Uint8Array, start: number, end: number): void {
  room(end - start);
  const to = bytes;
  let at = used;
  for (let i = start; i < end; i++) {
    const b = from[i]!;
    if (b === 0) break;
    to[at++] = b;
  }
  used = at;
}

const encoder = new TextEncoder();

/** Append a text; the shortcut is for ASCII, which almost all are. */
export function putText(text: string): void {
  const { length } = text;
  room(length);
  const [to, at] = [bytes, used];
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0x7f) {
      putBytes(encoder.encode(text));
      return;
    }
    to[at + i] = c;
  }
  used = at + length;
}

/** Append 64 bits in hexadecimal, given as two words. */
export function putHexWords(hi: number, lo: number): void {
  if (hi !== 0) {
    putHex(hi);
    putHex(lo, 8);
  } else putHex(lo);
}

/** Append a whole number of at most 2^53. */
export function putInt(v: number): void {
  if (v < 0) {
    putByte(0x2d);
    v = -v;
  }
  room(17);
  if (v > 0x7fffffff) {
    const low = v % 1e8;
    putWord((v - low) / 1e8, 1); // below 2^31, as 2^53 / 10^8 is
    putWord(low, 8);
  } else putWord(v, 1);
}

/** Append a number below 2^31, of which divisions are cheap, with at least `digits` digits. */
function putWord(v: number, digits: number): void {
  let n = 1;
  for (let top = 10; v >= top; top *= 10) n++;
  const from = used;
  used += Math.max(n, digits);
  const to = bytes;
  let rest = v | 0;
  for (let at = used - 1; at >= from; at--) {
    const next = (rest / 10) | 0;
    to[at] = 48 + rest - next * 10;
    rest = next;
  }
}

const hexDigits = encoder.encode('0123456789abcdef');

/** Append 32 bits in hexadecimal; with at least `digits` of them. */
export function putHex(v: number, digits = 1): void {
  room(8);
  const n = Math.max(digits, 8 - (Math.clz32(v) >> 2));
  const [to, from] = [bytes, used];
  for (let i = 0, shift = (n - 1) * 4; i < n; i++, shift -= 4) {
    to[from + i] = hexDigits[(v >>> shift) & 15]!;
  }
  used = from + n;
}

/** Append `from[start, end)` as two digits a byte. */
export function putHexBytes(from: Uint8Array, start: number, end: number): void {
  room(2 * (end - start));
  for (let i = start; i < end; i++) {
    const b = from[i]!;
    bytes[used++] = hexDigits[b >> 4]!;
    bytes[used++] = hexDigits[b & 15]!;
  }
}

/** Append a 64-bit number in hexadecimal, two's complement; with at least `digits` digits. */
export function putHexInt(v: number | bigint, digits = 1): void {
  if (typeof v === 'number' && v >= 0 && v <= 0xffffffff && digits <= 8) {
    putHex(v, digits);
    return;
  }
  const n = BigInt.asUintN(64, BigInt(v));
  const hi = Number(n >> 32n);
  if (hi !== 0 || digits > 8) {
    putHex(hi, Math.max(1, digits - 8));
    putHex(Number(n & 0xffffffffn), 8);
  } else putHex(Number(n), digits);
}

/** Append what `put` writes, padded to `width` with blanks on either side, or zeros. */
export function putPadded(width: number, left: boolean, zero: boolean, put: () => void): void {
  const start = used;
  put();
  pad(start, width, left, zero);
}

/** Where zeros go that fill a number: behind its sign and its 0x. */
function digitsAt(start: number): number {
  const first = bytes[start];
  const at = first === 0x2d || first === 0x2b || first === 0x20 ? start + 1 : start;
  const prefixed = used - at > 2 && bytes[at] === 0x30 && (bytes[at + 1]! | 0x20) === 0x78;
  return prefixed ? at + 2 : at;
}

/** Pad what was written from `start` on to `width`. */
export function pad(start: number, width: number, left: boolean, zero: boolean): void {
  const missing = width - (used - start);
  if (missing <= 0) return;
  room(missing);
  if (left) {
    bytes.fill(0x20, used, used + missing);
  } else {
    const at = zero ? digitsAt(start) : start;
    bytes.copyWithin(at + missing, at, used);
    bytes.fill(zero ? 0x30 : 0x20, at, at + missing);
  }
  used += missing;
}
