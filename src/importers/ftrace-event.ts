import { decodeText } from '../events/dict.js';
import { putWord, setTextBytes } from '../events/log.js';
import { columnNames } from '../events/schema.js';
import { ascii, literalOf, matches } from './bytes.js';
import { putGraphPayload } from './ftrace-graph.js';
import { addHead, head } from './ftrace-line.js';
import { addNameless, isStackLine } from './ftrace-nameless.js';
import { textOf } from './ftrace-other.js';
import { stamp } from './ftrace-stamp.js';
import type { Kind, State } from './ftrace-text.js';
import { isMarker, putMarker } from './markers.js';
import { matcherOf, putPayload } from './payload.js';

const NEWLINE = 10;
const COLON = 0x3a;
const SPACE = 0x20;
const BRACE = 0x28;
const AT = columnNames.indexOf('at');

/** A print line names the place it was made at in the event's stead. */
const isPlace = (name: string): boolean => /^0x|.\+0x/.test(name);

function kindOf(s: State, name: string): Kind {
  const { dicts } = s.log;
  const text = literalOf(ascii(`${name}: `));
  const rest = { text, next: null, other: null };
  if (isMarker(name)) {
    return { how: 'marker', event: dicts.event.intern(name), matcher: undefined, ...rest };
  }
  if (isPlace(name)) {
    return { how: 'print', event: dicts.event.intern('print'), matcher: undefined, ...rest };
  }
  const how = /^funcgraph_(entry|exit)$/.test(name) ? 'graph' : 'event';
  return { how, event: dicts.event.intern(name), matcher: matcherOf(name), ...rest };
}

/** The kind of the event whose name ends at `colon`. */
function kindAt(s: State, buf: Uint8Array, start: number, colon: number): Kind {
  const id = s.names.internBytes(buf, start, colon);
  let kind = s.kinds[id];
  if (kind === undefined) {
    kind = kindOf(s, s.names.values[id]!);
    s.kinds[id] = kind;
  }
  s.kind.other = s.kind.next;
  s.kind.next = kind;
  return kind;
}

function addNamed(s: State, kind: Kind, buf: Uint8Array, colon: number, end: number): void {
  s.kind = kind;
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
    putMarker(log, decodeText(buf.subarray(from, end)));
    return;
  }
  if (kind.how === 'print') putWord(log, AT, log.dicts.at.internBytes(buf, head.body, colon));
  from = Math.min(end, from + 1);
  if (from < end) setTextBytes(log, 'detail', buf, from, end);
}

/** The kind of the event whose 'name: ' stands at `start`; null if none does. */
export function kindFor(s: State, buf: Uint8Array, start: number, end: number): Kind | null {
  const colon = nameEnd(buf, start, end - 1);
  return colon < 0 || buf[colon + 1] !== SPACE ? null : kindAt(s, buf, start, colon);
}

/** The kind that likely comes now, if its name stands at `at`: events come in the same order again and again. */
export function guessKind(s: State, buf: Uint8Array, at: number, end: number): Kind | null {
  const { next, other } = s.kind;
  if (next === null) return null;
  if (matches(buf, at, end, next.text)) return next;
  if (other === null || !matches(buf, at, end, other.text)) return null;
  s.kind.next = other;
  s.kind.other = next;
  return other;
}

/** End of the event's name: a colon before any blank, or -1. */
function nameEnd(buf: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const b = buf[i]!;
    if (b === COLON && (i + 1 === end || buf[i + 1] === SPACE)) return i > start ? i : -1;
    if (b === SPACE || b === BRACE || b === NEWLINE) return -1;
  }
  return -1;
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
