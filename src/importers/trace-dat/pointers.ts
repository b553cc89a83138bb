import { find } from './eval.js';
import type { Field } from './format.js';
import { putByte, putHex, putHexInt, putInt, putText } from './out.js';
import { found, intReader, rec } from './record.js';

/** Appends what a conversion of a pointer shows of the bytes in `found`. */
export type PutBytes = (start: number) => void;

/** Bytes in hexadecimal with something in between: a MAC address. */
const mac =
  (between: number | null, reversed = false): PutBytes =>
  (start) => {
    for (let i = 0; i < 6; i++) {
      if (i > 0 && between !== null) putByte(between);
      putHex(rec.bytes[start + (reversed ? 5 - i : i)]!, 2);
    }
  };

/** An IPv4 address; its last byte first, or with three digits for each. */
const ip4In =
  (reversed: boolean, zeros: boolean): PutBytes =>
  (start) => {
    for (let i = 0; i < 4; i++) {
      const byte = rec.bytes[start + (reversed ? 3 - i : i)]!;
      if (i > 0) putByte(0x2e);
      if (zeros && byte < 100) putByte(0x30);
      if (zeros && byte < 10) putByte(0x30);
      putInt(byte);
    }
  };

/** An IPv4 address in the order of its bytes. */
export const ip4 = ip4In(false, false);

const groupOf = (start: number, i: number): number =>
  (rec.bytes[start + 2 * i]! << 8) | rec.bytes[start + 2 * i + 1]!;

/** An IPv6 address in full. */
export const ip6 =
  (colons: boolean): PutBytes =>
  (start) => {
    for (let i = 0; i < 8; i++) {
      if (i > 0 && colons) putByte(0x3a);
      putHex(groupOf(start, i), 4);
    }
  };

/** The longest run of zero groups among the first `range`, of two at least: its start and length. */
function zeroRun(start: number, range: number): [number, number] {
  let best: [number, number] = [-1, 1];
  for (let i = 0; i < range; i++) {
    let n = 0;
    while (i + n < range && groupOf(start, i + n) === 0) n++;
    if (n > best[1]) best = [i, n];
  }
  return best;
}

/** Does an IPv4 address stand at its end: is it v4-mapped, or ISATAP? */
function holdsIp4(start: number): boolean {
  const group = (i: number): number => groupOf(start, i);
  const mapped = [0, 1, 2, 3, 4].every((i) => group(i) === 0) && group(5) === 0xffff;
  return mapped || ((group(4) | 0x200) === 0x200 && group(5) === 0x5efe);
}

/** An IPv6 address in its short form. C: lib/vsprintf.c ip6_compressed_string(). */
export const ip6Short: PutBytes = (start) => {
  const short = holdsIp4(start);
  const range = short ? 6 : 8;
  const [zeros, length] = zeroRun(start, range);
  let colon = false;
  for (let i = 0; i < range; i++) {
    if (i === zeros) {
      putText(colon || i === 0 ? '::' : ':');
      colon = false;
      i += length - 1;
    } else {
      if (colon) putByte(0x3a);
      putHex(groupOf(start, i));
      colon = true;
    }
  }
  if (!short) return;
  if (colon) putByte(0x3a);
  ip4(start + 12);
};

const bigOrder = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const littleOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** A UUID; the little-endian kind is that of EFI. */
const uuid =
  (order: readonly number[], upper: boolean): PutBytes =>
  (start) => {
    const hex = order.map((i) => rec.bytes[start + i]!.toString(16).padStart(2, '0')).join('');
    const text = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    putText(upper ? text.toUpperCase() : text);
  };

const kinds: Readonly<Record<string, readonly [bytes: number, put: PutBytes]>> = {
  M: [6, mac(0x3a)],
  MF: [6, mac(0x2d)],
  MR: [6, mac(0x3a, true)],
  m: [6, mac(null)],
  mR: [6, mac(null, true)],
  I4: [4, ip4],
  I4n: [4, ip4],
  I4b: [4, ip4],
  I4l: [4, ip4In(true, false)],
  i4: [4, ip4In(false, true)],
  i4n: [4, ip4In(false, true)],
  i4b: [4, ip4In(false, true)],
  i4l: [4, ip4In(true, true)],
  I6: [16, ip6(true)],
  i6: [16, ip6(false)],
  I6c: [16, ip6Short],
  U: [16, uuid(bigOrder, false)],
  Ub: [16, uuid(bigOrder, false)],
  UB: [16, uuid(bigOrder, true)],
  Ul: [16, uuid(littleOrder, false)],
  UL: [16, uuid(littleOrder, true)],
};

/** '0x' and all digits of an address, or of a device's features, that is as wide as its field. */
function wholeCode(f: Field, little: boolean) {
  const read = f.dynamic === null && f.count === 0 ? intReader(little, f.size, false) : null;
  return (
    read &&
    (() => {
      putText('0x');
      putHexInt(read(rec.at + f.offset), 2 * f.size);
    })
  );
}

/** Code for the extension of a %p that shows the bytes of a field; null for others. */
export function bytesCode(extension: string, f: Field, little: boolean) {
  if (/^(a[pd]?|NF)$/.test(extension)) return wholeCode(f, little);
  // The host's order is one of the two.
  const name = extension.replace(/^([iI]4)h$/, little ? '$1l' : '$1');
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (!kind || (f.dynamic === null && f.size < kind[0])) return null;
  const [bytes, put] = kind;
  return () => {
    find(f, little);
    if (found.end - found.start < bytes) putText('(short)');
    else put(found.start);
  };
}

const between: Readonly<Record<string, number | undefined>> = { h: 0x20, hC: 0x3a, hD: 0x2d };
const mostBytes = 64;

/** Code for %*ph and its kin: bytes of a field in hexadecimal, as many as the width says, 64 at most. */
export function hexCode(
  extension: string,
  f: Field,
  little: boolean,
  width: (() => number) | null,
) {
  if (!/^h[CDN]?$/.test(extension)) return null;
  const byte = between[extension];
  return () => {
    find(f, little);
    const { start, end } = found;
    const wanted = width ? width() : 1;
    const n = Math.min(wanted < 0 ? 1 : wanted, mostBytes, end - start);
    for (let i = 0; i < n; i++) {
      if (i > 0 && byte !== undefined) putByte(byte);
      putHex(rec.bytes[start + i]!, 2);
    }
  };
}
