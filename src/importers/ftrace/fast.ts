import { settleRows } from '../../events/row-heads.js';
import { newlineFrom, useBytes } from '../bytes.js';
import type { LineCount } from '../lines.js';
import { addText, noteOrder } from './event.js';
import { knowHead } from './heads.js';
import { kindFor } from './kind.js';
import { head } from './line.js';
import { addFormless, addFunction, addKnownHead } from './plain.js';
import { readMicroseconds, stamp } from './stamp.js';
import { endStack, type State } from './state.js';

const SPACE = 0x20;
const NEWLINE = 10;
const RETURN = 13;

/** The event whose head is known; gives where its line ends, or -1 (and nothing is appended) if it must be looked at closer. */
function addKnown(s: State, buf: Uint8Array, end: number): number {
  const body = readMicroseconds(buf, head.end);
  if (body < 0 || body >= end) return -1;
  head.body = body;
  const first = s.functions ? addFunction(s, buf, body) : -1;
  if (first >= 0) return first;
  const kind = kindFor(s, buf, body, end);
  s.functions = kind === null;
  if (kind === null) return addFunction(s, buf, body);
  if (s.frames) endStack(s);
  noteOrder(s, stamp.hi, stamp.lo);
  addKnownHead(s, kind.event);
  if (kind.how === 'marker') settleRows(s.log, s.rows); // its text may say another event
  const text = body + kind.text.length;
  let from = text;
  while (buf[from] === SPACE) from++; // trace-cmd report pads the name
  const stop = kind.matcher === undefined ? -1 : kind.matcher.run(s.log, buf, from, end);
  if (stop >= 0 && buf[stop] === NEWLINE) return stop;
  const line = newlineFrom(buf, text - 1);
  addText(s, kind, buf, text - 2, buf[line - 1] === RETURN ? line - 1 : line);
  return line;
}

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
  if (s.inTrace !== null || s.mail) return start;
  useBytes(buf);
  let at = start;
  while (at < end) {
    const known = knowHead(s.heads, at, end);
    const stop = known ? addKnown(s, buf, end) : addFormless(s, buf, at, end);
    if (stop < 0) break;
    at = stop + 1;
    count.line++;
  }
  settleRows(s.log, s.rows);
  return at;
}
