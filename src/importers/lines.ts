import { newlineFrom, useBytes } from './bytes.js';

/** Longer lines are no trace: they are handed on cut, so that a file without newlines costs no memory. */
export const maxLine = 1 << 20;

/** Gets `buf[start, end)` without the newline, the 1-based line number and the byte offset. */
export type OnLine = (
  buf: Uint8Array,
  start: number,
  end: number,
  line: number,
  offset: number,
) => void;

const RETURN = 13;

/** Plain bytes: Node's own kind of array would make every access to them slower. */
const plain = (b: Uint8Array): Uint8Array => new Uint8Array(b.buffer, b.byteOffset, b.byteLength);

/** Call `onLine` for each line of a byte stream; memory is one piece and one line. */
export async function eachLine(chunks: AsyncIterable<Uint8Array>, onLine: OnLine): Promise<void> {
  const s: Stream = { onLine, line: 0, base: 0, dropping: false };
  let carry = new Uint8Array(0) as Uint8Array;
  for await (const chunk of chunks) {
    const buf = plain(chunk);
    useBytes(buf);
    const first = newlineFrom(buf, 0);
    if (first < 0) carry = keep(s, join(carry, buf));
    else {
      if (carry.length > 0 || s.dropping) lines(s, join(carry, buf.subarray(0, first + 1)));
      else lines(s, buf.subarray(0, first + 1));
      const end = lines(s, buf.subarray(first + 1));
      carry = keep(s, buf.slice(first + 1 + end));
    }
  }
  if (carry.length > 0) emit(s, carry, 0, carry.length);
}

/** Where a stream of lines stands. */
interface Stream {
  readonly onLine: OnLine;
  line: number;
  /** Byte offset of the buffer at hand. */
  base: number;
  /** Inside a line that was handed on cut. */
  dropping: boolean;
}

function emit(s: Stream, buf: Uint8Array, start: number, end: number): void {
  s.line++;
  const stop = end > start && buf[end - 1] === RETURN ? end - 1 : end;
  s.onLine(buf, start, stop, s.line, s.base + start);
}

/** Hand on all whole lines of `buf`; gives where the rest begins, which is the new base. */
function lines(s: Stream, buf: Uint8Array): number {
  let start = 0;
  useBytes(buf);
  for (let at = newlineFrom(buf, 0); at >= 0; at = newlineFrom(buf, start)) {
    if (s.dropping) s.dropping = false;
    else emit(s, buf, start, at);
    start = at + 1;
    useBytes(buf); // a line may have been unpacked into bytes of its own
  }
  s.base += start;
  return start;
}

/** What is kept of a line that is not whole yet; one that is too long is handed on cut. */
function keep(s: Stream, carry: Uint8Array): Uint8Array {
  if (!s.dropping && carry.length <= maxLine) return carry;
  if (!s.dropping) emit(s, carry, 0, carry.length);
  s.dropping = true;
  s.base += carry.length;
  return new Uint8Array(0);
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b.slice();
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
