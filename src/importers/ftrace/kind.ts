import { newDict } from '../../events/dict.js';
import { ascii, bytesView, literalOf, matches } from '../bytes.js';
import { isMarker } from './markers.js';
import { matcherOf } from './payload.js';
import type { Kind, State } from './state.js';

const NEWLINE = 10;
const COLON = 0x3a;
const SPACE = 0x20;
const BRACE = 0x28;

/** A print line names the place it was made at in the event's stead. */
const isPlace = (name: string): boolean => /^0x|.\+0x/.test(name);

const howOf = (name: string): Kind['how'] =>
  isMarker(name)
    ? 'marker'
    : isPlace(name)
      ? 'print'
      : /^funcgraph_(entry|exit)$/.test(name)
        ? 'graph'
        : 'event';

function kindOf(s: State, name: string): Kind {
  const how = howOf(name);
  const called = how === 'print' ? 'print' : name;
  const event = s.log.dicts.event.intern(called);
  return { how, event, matcher: matcherOf(called), text: literalOf(ascii(`${name}: `)) };
}

/** More kinds are not remembered: a hostile trace may name any number of events. */
const mostKinds = 1 << 14;

/** The kind of the event whose name ends at `colon`. */
export function kindAt(s: State, buf: Uint8Array, start: number, colon: number): Kind {
  if (s.kinds.length >= mostKinds) {
    s.names = newDict();
    s.kinds = [];
  }
  const id = s.names.internBytes(buf, start, colon);
  s.kinds[id] ??= kindOf(s, s.names.values[id]!);
  return s.kinds[id];
}

/** End of the event's name: a colon before any blank, or -1. */
export function nameEnd(buf: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const b = buf[i]!;
    if (b === COLON && (i + 1 === end || buf[i + 1] === SPACE)) return i > start ? i : -1;
    if (b === SPACE || b === BRACE || b === NEWLINE) return -1;
  }
  return -1;
}

/** Bytes of a line that tell kinds apart: the first of the name, and two more words in it or behind it. */
const [second, third] = [8, 14];

/** Where a kind is kept by some bytes from the name's first on; -1 if there are not so many. */
function slotAt(buf: Uint8Array, start: number): number {
  if (start + third + 4 > buf.length) return -1;
  const v = bytesView();
  const mix =
    Math.imul(v.getInt32(start, true), 0x9e3779b1) +
    Math.imul(v.getInt32(start + second, true), 0x85ebca6b) +
    Math.imul(v.getInt32(start + third, true), 0xc2b2ae35);
  return Math.imul(mix ^ (mix >>> 15), 0x27d4eb2f) >>> 22;
}

/** The kind of the event whose 'name: ' stands at `start` in the bytes at hand; null if none does. */
export function kindFor(s: State, buf: Uint8Array, start: number, end: number): Kind | null {
  const slot = slotAt(buf, start);
  const near = s.near[slot];
  if (near !== undefined && matches(buf, start, end, near.text)) return near;
  const colon = nameEnd(buf, start, end - 1);
  if (colon < 0 || buf[colon + 1] !== SPACE) return null;
  const kind = kindAt(s, buf, start, colon);
  if (slot >= 0) s.near[slot] = kind;
  return kind;
}
