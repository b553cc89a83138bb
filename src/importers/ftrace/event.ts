import { decodeText } from '../../events/dict.js';
import { putWord, setTextBytes } from '../../events/log.js';
import { columnNames } from '../../events/schema.js';
import { putGraphPayload } from './graph.js';
import { kindAt, nameEnd } from './kind.js';
import { addHead, head } from './line.js';
import { putAddressed, putMarker } from './markers.js';
import { addNameless, isStackLine } from './nameless.js';
import { textOf } from './other.js';
import { putPayload } from './payload.js';
import { stamp } from './stamp.js';
import type { Kind, State } from './state.js';

const SPACE = 0x20;
const AT = columnNames.indexOf('at');

function addNamed(s: State, kind: Kind, buf: Uint8Array, colon: number, end: number): void {
  addHead(s.log, buf, kind.event);
  addText(s, kind, buf, colon, end);
}

/** Put what stands behind the event's name into the current row. */
export function addText(s: State, kind: Kind, buf: Uint8Array, colon: number, end: number): void {
  const { log } = s;
  let from = colon + 1;
  if (kind.how === 'event') {
    while (from < end && buf[from] === SPACE) from++;
    if (buf[from] === 0x3c && isStackLine(buf, from, end)) s.frames = [];
    else putPayload(log, kind.matcher, buf, from, end);
    return;
  }
  if (kind.how === 'graph' && putGraphPayload(log, s.graph, head.cpu, textOf(buf, from, end))) {
    return;
  }
  if (kind.how === 'marker') {
    while (from < end && buf[from] === SPACE) from++;
    if (!putAddressed(log, buf, from, end)) putMarker(log, decodeText(buf.subarray(from, end)));
    return;
  }
  if (kind.how === 'print') putWord(log, AT, log.dicts.at.internBytes(buf, head.body, colon));
  from = Math.min(end, from + 1);
  if (from < end) setTextBytes(log, 'detail', buf, from, end);
}

export function addEvent(s: State, buf: Uint8Array, end: number): void {
  noteOrder(s, stamp.hi, stamp.lo);
  const colon = nameEnd(buf, head.body, end);
  if (colon < 0) addNameless(s, buf, end);
  else addNamed(s, kindAt(s, buf, head.body, colon), buf, colon, end);
}

export function noteOrder(s: State, hi: number, lo: number): void {
  const older = hi === s.lastHi ? lo >>> 0 < s.lastLo >>> 0 : hi >>> 0 < s.lastHi >>> 0;
  if (older) s.outOfOrder++;
  s.lastHi = hi;
  s.lastLo = lo;
}
