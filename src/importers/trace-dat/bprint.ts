import { type Conversion, conversions } from './conversions.js';
import type { Int } from './int.js';
import { putNumber, zeroFilled } from './numbers.js';
import {
  cutOut,
  outLength,
  putBytes,
  putHexWords,
  putInt,
  putPadded,
  putString0,
  putText,
} from './out.js';
import { putSymbol, symbolKind } from './piece.js';
import { unquote } from './print-fmt.js';
import { intReader, readWide, rec, wide, words } from './record.js';
import type { Symbols } from './symbols.js';

/** Formats of trace_printk by address. */
export interface Formats {
  textAt(hi: number, lo: number): string | null;
  /** The same text as bytes. */
  bytesAt(hi: number, lo: number): Uint8Array | null;
  partsAt(hi: number, lo: number): readonly Part[] | null;
}

/** A conversion with the literal before it as bytes. */
interface Part extends Conversion {
  readonly bytes: Uint8Array;
  /** The plain forms, which are almost all: %d, %u, 64-bit %x, %s; '' for what needs more care. */
  readonly plain: 'int' | 'unsigned' | 'hex' | 'text' | '';
}

function plainForm(c: Conversion, longBytes: number): Part['plain'] {
  if (c.flags !== '' || c.width !== -1 || c.precision !== -1) return '';
  if (c.type === 's') return 'text';
  const bytes = c.type === 'c' || c.type === 'p' ? 0 : bytesOf(c, longBytes);
  if (c.type === 'x' && bytes === 8) return 'hex';
  if (bytes !== 4) return '';
  return c.type === 'u' ? 'unsigned' : c.type === 'd' || c.type === 'i' ? 'int' : '';
}

const encoder = new TextEncoder();

const keyOf = (hi: number, lo: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

/** Parse printk_formats: lines '0xffff800080aa1234 : "text\n"'. */
export function parseFormats(text: string, longBytes: number): Formats {
  const texts = new Map<bigint, string>();
  for (const m of text.matchAll(/^\s*0x([0-9a-f]{1,16}) : ("(?:[^"\\]|\\.)*"|".*")$/gm)) {
    texts.set(BigInt(`0x${m[1]}`), unquote(m[2]!));
  }
  const parts = (format: string): Part[] =>
    conversions(format).map((c) => ({
      ...c,
      bytes: encoder.encode(c.literal),
      plain: plainForm(c, longBytes),
    }));
  const textAt = (hi: number, lo: number): string | null => texts.get(keyOf(hi, lo)) ?? null;
  return {
    textAt,
    bytesAt: nearby(textAt, (t) => encoder.encode(t)),
    partsAt: nearby(textAt, parts),
  };
}

/**
 * What is made of the text at an address; that at each of a few places is remembered, so that the usual
 * ones cost no look-up of a big number.
 */
function nearby<T>(
  textAt: (hi: number, lo: number) => string | null,
  make: (text: string) => T,
): (hi: number, lo: number) => T | null {
  const all = new Map<string, T>();
  const near: ({ hi: number; lo: number; made: T } | undefined)[] = new Array(64).fill(undefined);
  return (hi, lo) => {
    const slot = (lo >>> 3) & 63;
    const known = near[slot];
    if (known !== undefined && known.lo === lo && known.hi === hi) return known.made;
    const text = textAt(hi, lo);
    if (text === null) return null;
    const made = all.get(text) ?? make(text);
    all.set(text, made);
    near[slot] = { hi, lo, made };
    return made;
  };
}

interface Args {
  at: number;
  readonly end: number;
  readonly little: boolean;
  readonly longBytes: number;
}

/** The next number, where the kernel's vbin_printf() put it: 64 bits are aligned to 4 bytes. */
function nextInt(a: Args, bytes: number): Int | null {
  const align = Math.min(bytes, 4);
  const at = rec.at + Math.ceil((a.at - rec.at) / align) * align;
  if (at + bytes > a.end) return null;
  a.at = at + bytes;
  return intReader(a.little, bytes, true)!(at);
}

/** 64 bits in hexadecimal, the most common of all. */
function nextHex(a: Args): boolean {
  const at = rec.at + (((a.at - rec.at + 3) >> 2) << 2);
  if (at + 8 > a.end) return false;
  a.at = at + 8;
  readWide(a.little, at);
  putHexWords(wide.hi, wide.lo);
  return true;
}

function nextText(a: Args): boolean {
  let end = a.at;
  while (end < a.end && rec.bytes[end] !== 0) end++;
  if (end >= a.end) return false;
  putString0(rec.bytes, a.at, end);
  a.at = end + 1;
  return true;
}

function bytesOf(c: Conversion, longBytes: number): number {
  if (c.type === 'c' || c.length === 'hh') return 1;
  if (c.length === 'h') return 2;
  if (c.type === 'p' || /[lzt]/.test(c.length)) return c.length === 'll' ? 8 : longBytes;
  return /[Lqj]/.test(c.length) ? 8 : 4;
}

/** Pointers whose value is kept; the kernel prints all other kinds of %p when it records them. */
const keptPointer = /^([sSFBxKe]|f(?!w)|$)/;

function putOne(c: Conversion, a: Args, symbols: Symbols, precision: number): boolean {
  if (c.type === 's' || (c.type === 'p' && !keptPointer.test(c.extension))) return nextText(a);
  const bytes = bytesOf(c, a.longBytes);
  const v = nextInt(a, bytes);
  if (v === null) return false;
  const kind = c.type === 'p' ? symbolKind(c.extension) : '';
  if (kind !== '') putSymbol(symbols, v, kind);
  else putNumber(c, v, a.longBytes, precision);
  return true;
}

/** The plain forms. */
function putPlain(c: Part, a: Args): boolean {
  if (c.plain === 'text') return nextText(a);
  if (c.plain === 'hex') return nextHex(a);
  const at = rec.at + (((a.at - rec.at + 3) >> 2) << 2);
  if (at + 4 > a.end) return false;
  a.at = at + 4;
  const v = words(a.little)[4](at);
  putInt(c.plain === 'int' ? v : v >>> 0);
  return true;
}

/** An argument with a width or a precision, or of a rare kind. */
function putWide(c: Conversion, a: Args, symbols: Symbols): boolean {
  const width = c.width === -2 ? Number(nextInt(a, 4) ?? 0) : c.width;
  const precision = c.precision === -2 ? Number(nextInt(a, 4) ?? 0) : c.precision;
  const from = outLength();
  let ok = true;
  const put = (): void => {
    ok = putOne(c, a, symbols, precision);
    if (c.type === 's' && precision >= 0) cutOut(Math.min(outLength(), from + precision));
  };
  const left = c.flags.includes('-') || width < 0;
  const wide = c.width === -1 ? 0 : Math.abs(width);
  if (wide > 0 && wide < 4096) putPadded(wide, left, zeroFilled(c), put);
  else put();
  return ok;
}

/** Append the text of a trace_printk record; what its arguments do not give stands as '<?>'. */
export function binaryPrint(
  formats: Formats,
  s: { readonly little: boolean; readonly longBytes: number; readonly symbols: Symbols },
  hi: number,
  lo: number,
  start: number,
  end: number,
): void {
  const parts = formats.partsAt(hi, lo);
  if (!parts) {
    putText(`0x${keyOf(hi, lo).toString(16)} (format not saved)`);
    return;
  }
  const a: Args = { at: start, end, little: s.little, longBytes: s.longBytes };
  for (const c of parts) {
    putBytes(c.bytes);
    if (c.type === 'end') return;
    const ok = c.plain === '' ? putWide(c, a, s.symbols) : putPlain(c, a);
    if (!ok) {
      putText('<?>');
      return;
    }
  }
}
