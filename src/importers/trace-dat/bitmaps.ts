import { find } from './eval.js';
import type { Field } from './format.js';
import { putByte, putHex, putInt, putText } from './out.js';
import { found, rec } from './record.js';

/** Is bit `i` of the bitmap from `start` on set? It is an array of longs. */
type IsSet = (start: number, i: number) => boolean;

const bitOf =
  (little: boolean, longBytes: number): IsSet =>
  (start, i) => {
    const byte = i >> 3;
    const at = little ? byte : byte - (byte % longBytes) + (longBytes - 1 - (byte % longBytes));
    return ((rec.bytes[start + at]! >> (i & 7)) & 1) === 1;
  };

/** The bits that are set, as '1,4-7'. */
function putList(isSet: IsSet, start: number, bits: number): void {
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
}

/** Groups of 32 bits in hexadecimal, the highest first, which has the digits that its bits need. */
function putGroups(isSet: IsSet, start: number, bits: number): void {
  for (let from = 32 * (Math.ceil(bits / 32) - 1); from >= 0; from -= 32) {
    const size = Math.min(32, bits - from);
    let group = 0;
    for (let i = 0; i < size; i++) if (isSet(start, from + i)) group |= 1 << i;
    putHex(group, Math.ceil(size / 4));
    if (from > 0) putByte(0x2c);
  }
}

/**
 * Code for %*pb and %*pbl: a bitmap of as many bits as the width says. Null for another conversion.
 * C: lib/vsprintf.c bitmap_string(), bitmap_list_string().
 */
export function bitmapCode(
  extension: string,
  f: Field,
  little: boolean,
  longBytes: number,
  width: (() => number) | null,
) {
  const put = extension === 'bl' ? putList : extension === 'b' ? putGroups : null;
  if (!put) return null;
  const isSet = bitOf(little, longBytes);
  return () => {
    find(f, little);
    const { start, end } = found;
    const held = 8 * (end - start - ((end - start) % longBytes));
    put(isSet, start, Math.max(0, Math.min(held, width ? width() : 0)));
  };
}
