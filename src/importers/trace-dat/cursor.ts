import { type Access, FormatError } from '../importer.js';

/** A place in a source that is read in order; every read is checked against its size. */
export interface Cursor {
  readonly from: Access;
  readonly little: boolean;
  /** Greatest offset or size that can be true: that of the file, where `from` is a part of it. */
  readonly limit: number;
  at: number;
  /** Bytes ahead, so that small reads are cheap. */
  window: Uint8Array;
  windowAt: number;
}

const windowBytes = 1 << 16;

export const newCursor = (
  from: Access,
  at: number,
  little: boolean,
  limit = from.size,
): Cursor => ({
  from,
  little,
  limit,
  at,
  window: new Uint8Array(0),
  windowAt: 0,
});

/** The next `n` bytes. */
export function take(c: Cursor, n: number): Uint8Array {
  let from = c.at - c.windowAt;
  if (n > windowBytes) {
    const far = c.from.read(c.at, n);
    c.at += n;
    return far;
  }
  if (from < 0 || from + n > c.window.length) {
    const ahead = Math.max(n, Math.min(windowBytes, c.from.size - c.at));
    c.window = c.from.read(c.at, ahead);
    c.windowAt = c.at;
    from = 0;
  }
  c.at += n;
  return c.window.subarray(from, from + n);
}

function word(b: Uint8Array, little: boolean, size: number): number {
  let v = 0;
  for (let i = 0; i < size; i++) v = v * 256 + b[little ? size - 1 - i : i]!;
  return v;
}

export const u16 = (c: Cursor): number => word(take(c, 2), c.little, 2);
export const u32 = (c: Cursor): number => word(take(c, 4), c.little, 4);

/** A 64-bit number as bigint. */
export function u64(c: Cursor): bigint {
  const b = take(c, 8);
  const first = BigInt(word(b.subarray(0, 4), c.little, 4));
  const second = BigInt(word(b.subarray(4), c.little, 4));
  return c.little ? (second << 32n) | first : (first << 32n) | second;
}

/**
 * A 64-bit offset or size.
 * @throws FormatError if it lies beyond the source.
 */
export function size64(c: Cursor, what: string): number {
  const at = c.at;
  const v = u64(c);
  if (v > BigInt(c.limit)) {
    throw new FormatError(`byte ${at}: ${what} is ${v}, but the source has only ${c.limit} bytes`);
  }
  return Number(v);
}

const maxString = 4096;

/** A string that ends with NUL. */
export function string0(c: Cursor): string {
  const start = c.at;
  const codes: number[] = [];
  for (let b = take(c, 1)[0]!; b !== 0; b = take(c, 1)[0]!) {
    if (codes.push(b) > maxString) {
      throw new FormatError(
        `byte ${start}: a name of more than ${maxString} bytes without its end`,
      );
    }
  }
  return Buffer.from(codes).toString('utf8');
}

/** Fail unless the next bytes are `text`. */
export function expectText(c: Cursor, text: string): void {
  const at = c.at;
  const found = Buffer.from(take(c, text.length)).toString('latin1');
  if (found !== text) {
    throw new FormatError(
      `byte ${at}: ${JSON.stringify(text)} expected, ${JSON.stringify(found)} found`,
    );
  }
}
