import { find } from './eval.js';
import type { Field } from './format.js';
import { putByte, putHex, putInt, putText } from './out.js';
import { found, rec } from './record.js';

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

/** An IPv4 address. */
export const ip4: PutBytes = (start) => {
  for (let i = 0; i < 4; i++) {
    if (i > 0) putByte(0x2e);
    putInt(rec.bytes[start + i]!);
  }
};

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

/** The longest run of zero groups, of two at least: its start and length. */
function zeroRun(start: number): [number, number] {
  let best: [number, number] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groupOf(start, i + n) === 0) n++;
    if (n > best[1]) best = [i, n];
  }
  return best;
}

/** An IPv6 address in its short form. */
export const ip6Short: PutBytes = (start) => {
  const [zeros, length] = zeroRun(start);
  const mapped = zeros === 0 && length === 5 && groupOf(start, 5) === 0xffff;
  for (let i = 0; i < 8; i++) {
    if (i === zeros) {
      putText(i === 0 ? '::' : ':');
      i += length - 1;
    } else if (mapped && i === 6) {
      ip4(start + 12);
      return;
    } else {
      putHex(groupOf(start, i));
      if (i < 7) putByte(0x3a);
    }
  }
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
  I6: [16, ip6(true)],
  i6: [16, ip6(false)],
  I6c: [16, ip6Short],
  U: [16, uuid(bigOrder, false)],
  Ub: [16, uuid(bigOrder, false)],
  UB: [16, uuid(bigOrder, true)],
  Ul: [16, uuid(littleOrder, false)],
  UL: [16, uuid(littleOrder, true)],
};

/** Code for the extension of a %p that shows the bytes of a field; null for others. */
export function bytesCode(extension: string, f: Field | undefined, little: boolean) {
  const kind = Object.hasOwn(kinds, extension) ? kinds[extension] : undefined;
  if (!f || !kind || (f.dynamic === null && f.size < kind[0])) return null;
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
export function hexCode(extension: string, f: Field, little: boolean, width: () => number) {
  const byte = between[extension];
  return () => {
    find(f, little);
    const { start, end } = found;
    const n = Math.max(0, Math.min(width(), mostBytes, end - start));
    for (let i = 0; i < n; i++) {
      if (i > 0 && byte !== undefined) putByte(byte);
      putHex(rec.bytes[start + i]!, 2);
    }
  };
}

/** Code for %*pbl: the bits that are set, as '1,4-7'. */
export function bitListCode(f: Field, little: boolean, longBytes: number) {
  const isSet = (start: number, i: number): boolean => {
    const byte = i >> 3;
    const at = little ? byte : byte - (byte % longBytes) + (longBytes - 1 - (byte % longBytes));
    return ((rec.bytes[start + at]! >> (i & 7)) & 1) === 1;
  };
  return () => {
    find(f, little);
    const { start, end } = found;
    const bits = 8 * (end - start - ((end - start) % longBytes));
    let first = true;
    for (let i = 0; i < bits; i++) {
      if (!isSet(start, i)) continue;
      let last = i;
      while (last + 1 < bits && isSet(start, last + 1)) last++;
      if (!first) putByte(0x2c);
      first = false;
      putInt(i);
      if (last > i) putText(`-${last}`);
      i = last;
    }
  };
}
