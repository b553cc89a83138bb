import type { Conversion } from './conversions.js';
import { type Int, truncate } from './int.js';
import { putByte, putHexInt, putInt, putText } from './out.js';

/** Bytes that a conversion takes from its argument. */
function argBytes(c: Conversion, longBytes: number): number {
  if (c.type === 'p') return longBytes;
  switch (c.length) {
    case 'hh':
      return 1;
    case 'h':
      return 2;
    case '':
      return 4;
    case 'l':
    case 'z':
    case 't':
      return longBytes;
    default:
      return 8;
  }
}

export function putDecimal(v: Int): void {
  if (typeof v === 'number') putInt(v);
  else putText(v.toString());
}

/** Digits of a number that is not negative, `least` of them at least. */
function putDigits(v: Int, base: 8 | 10 | 16, upper: boolean, least: number): void {
  if (base === 16 && !upper && least <= 16) putHexInt(v, Math.max(1, least));
  else if (base === 10 && least <= 1) putDecimal(v);
  else {
    const text = v.toString(base).padStart(Math.min(least, maxDigits), '0');
    putText(upper ? text.toUpperCase() : text);
  }
}

const maxDigits = 4096;

function putSigned(flags: string, v: Int, precision: number): void {
  if (v < 0) putByte(0x2d);
  else if (flags.includes('+')) putByte(0x2b);
  else if (flags.includes(' ')) putByte(0x20);
  putDigits(v < 0 ? -v : v, 10, false, precision);
}

/** With '#', the kernel puts the base before every number but an octal 0. */
function putUnsigned(c: Conversion, v: Int, precision: number): void {
  const base = c.type === 'o' ? 8 : c.type === 'u' ? 10 : 16;
  const upper = c.type === 'X';
  if (c.flags.includes('#')) {
    if (base === 16) putText(upper ? '0X' : '0x');
    else if (base === 8 && v !== 0) putByte(0x30);
  }
  putDigits(v, base, upper, precision);
}

/**
 * Append one number as conversion `c` prints it, but for its width. `precision` is that of `c`, or the
 * argument that it takes. C: lib/vsprintf.c number(), pointer_string().
 */
export function putNumber(c: Conversion, v: Int, longBytes: number, precision = c.precision): void {
  const bytes = argBytes(c, longBytes);
  if (c.type === 'c') putByte(Number(truncate(v, 1, false)));
  else if (c.type === 'd' || c.type === 'i')
    putSigned(c.flags, truncate(v, bytes, true), precision);
  else if (c.type === 'p') putHexInt(truncate(v, bytes, false), c.width === -1 ? 2 * longBytes : 1);
  else putUnsigned(c, truncate(v, bytes, false), precision);
}

/** Are the digits of `c` filled up with zeros? A text, a character or a special pointer never is. */
export const zeroFilled = (c: Conversion): boolean =>
  c.flags.includes('0') &&
  (/[diuxXo]/.test(c.type) || (c.type === 'p' && /^([xK]|$)/.test(c.extension)));
