import { decodeText } from '../events/dict.js';
import { newlineFrom, useBytes } from './bytes.js';

/**
 * Longer lines are no trace: their start is handed on, and that they are cut, so that a file without newlines costs
 * no memory.
 */
export const maxLine = 1 << 20;

/** Gets `buf[start, end)` without the newline, the 1-based line number, the byte offset, and whether it is cut. */
export type OnLine = (
  buf: Uint8Array,
  start: number,
  end: number,
  line: number,
  offset: number,
  cut: boolean,
) => void;

/** Lines counted so far. */
export interface LineCount {
  line: number;
}

/** Where in a source its lines begin: lines and bytes before. */
export interface Place extends LineCount {
  offset: number;
}

const start: Place = { line: 0, offset: 0 };

/**
 * May read any number of the whole lines in `buf[start, end)`, the last of which ends in a newline at
 * `end - 1`, and count them; gives where the first it leaves starts.
 */
export type ReadMany = (buf: Uint8Array, start: number, end: number, count: LineCount) => number;

/** Where a stream of lines stands. */
interface Stream extends LineCount {
  readonly onLine: OnLine;
  readonly readMany: ReadMany;
  /** Bytes not yet handed on: the first `used`. Plain bytes: Node's own kind of array is slower to access. */
  readonly buf: Uint8Array;
  used: number;
  /** Byte offset of the first of them in the source. */
  base: number;
  /** Inside a line that was handed on cut. */
  dropping: boolean;
}

const RETURN = 13;
/** Bytes taken at a time: few enough to stay in the processor's cache. */
const pieceBytes = 1 << 18;

const readNone: ReadMany = (_, start) => start;

/**
 * Call `onLine` for each line of a byte stream, but those that `readMany` takes; memory is one piece and one
 * line. Gives where the source ends.
 */
export async function eachLine(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onLine: OnLine,
  readMany: ReadMany = readNone,
  from: Place = start,
): Promise<Place> {
  const buf = new Uint8Array(maxLine + pieceBytes);
  const { line, offset: base } = from;
  const s: Stream = { onLine, readMany, buf, line, used: 0, base, dropping: false };
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = chunk.subarray(at, at + pieceBytes);
      buf.set(piece, s.used);
      s.used += piece.length;
      handOn(s, s.used - piece.length);
    }
  }
  if (s.used > 0 && !s.dropping) emit(s, 0, s.used);
  return { line: s.line, offset: s.base + s.used };
}

function emit(s: Stream, start: number, end: number, cut = false): void {
  const { buf } = s;
  s.line++;
  const stop = end > start && buf[end - 1] === RETURN ? end - 1 : end;
  s.onLine(buf, start, stop, s.line, s.base + start, cut);
}

/** Hand on all whole lines, and keep the rest; no newline stands before `from`. */
function handOn(s: Stream, from: number): void {
  const { buf } = s;
  const end = buf.subarray(from, s.used).lastIndexOf(10) + 1 + from;
  if (end > from) {
    lines(s, from, end);
    buf.copyWithin(0, end, s.used);
    s.base += end;
    s.used -= end;
  }
  if (s.used <= maxLine && !s.dropping) return;
  if (!s.dropping) emit(s, 0, s.used, true);
  s.dropping = true;
  s.base += s.used;
  s.used = 0;
}

/** Hand on the lines of `buf[0, end)`; the first newline stands at `from` or later. */
function lines(s: Stream, from: number, end: number): void {
  const { buf, readMany } = s;
  let start = 0;
  let look = from;
  if (s.dropping) start = look = buf.indexOf(10, from) + 1;
  s.dropping = false;
  while (start < end) {
    const next = readMany(buf, start, end, s);
    if (next > start) start = look = next;
    if (start >= end) return;
    useBytes(buf); // a line may have been unpacked into bytes of its own
    const at = newlineFrom(buf, look);
    emit(s, start, at);
    start = look = at + 1;
  }
}

/** A line that is read as text. */
export interface TextLine {
  /** 1-based. */
  readonly line: number;
  /** In bytes. */
  readonly offset: number;
  readonly text: string;
}

/** A text is read to here. */
const longText = 1 << 14;

/** Call `onText` for each line of a byte stream; `cut`: there is more of it than its text. */
export const eachText = (
  chunks: AsyncIterable<Uint8Array>,
  onText: (at: TextLine, cut: boolean) => void,
): Promise<Place> =>
  eachLine(chunks, (buf, start, end, line, offset) => {
    const text = decodeText(buf.subarray(start, Math.min(end, start + longText)));
    onText({ line, offset, text }, end - start > longText);
  });

/** A line without what a reply puts before it. */
export const unquoted = (line: string): string => line.replace(/^(?:> ?)+/, '');
