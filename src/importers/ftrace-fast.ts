import { newlineFrom, useBytes } from './bytes.js';
import { addText, guessKind, kindFor, noteOrder } from './ftrace-event.js';
import { knowHead } from './ftrace-heads.js';
import { addHead, head } from './ftrace-line.js';
import { readMicroseconds, stamp } from './ftrace-stamp.js';
import { endStack, type State } from './ftrace-text.js';
import type { LineCount } from './lines.js';
import { match } from './payload.js';

const SPACE = 0x20;
const NEWLINE = 10;
const RETURN = 13;

/**
 * Read the lines from `start` on while they are events whose head was seen before; gives where the first
 * other line starts. `end` is behind a newline. Each line is looked at once, from left to right, and where
 * it ends is known by then: nothing is searched.
 */
export function readMany(
  s: State,
  buf: Uint8Array,
  start: number,
  end: number,
  count: LineCount,
): number {
  const { heads, log } = s;
  if (s.inTrace !== null || s.mail) return start;
  useBytes(buf);
  let at = start;
  while (at < end && knowHead(heads, at, end)) {
    const body = readMicroseconds(buf, head.end);
    if (body < 0 || body >= end) break;
    const kind = guessKind(s, buf, body, end) ?? kindFor(s, buf, body, end);
    if (kind === null) break;
    if (s.frames) endStack(s);
    noteOrder(s, stamp.hi, stamp.lo);
    head.body = body;
    s.kind = kind;
    addHead(log, buf, kind.event);
    const text = body + kind.text.length;
    let from = text;
    while (buf[from] === SPACE) from++; // trace-cmd report pads the name
    let stop = kind.matcher === undefined ? -1 : match(log, kind.matcher, buf, from, end);
    if (stop < 0 || buf[stop] !== NEWLINE) {
      stop = newlineFrom(buf, text - 1);
      addText(s, kind, buf, text - 2, buf[stop - 1] === RETURN ? stop - 1 : stop);
    }
    at = stop + 1;
    count.line++;
  }
  return at;
}
