import { type Log, setInt, setTextBytes } from '../../events/log.js';
import { probeAt, type Shape, type ShapeField, shapes } from '../../events/shapes.js';
import {
  ascii,
  find,
  type Literal,
  literalOf,
  matches,
  readDecimal,
  readHex,
  useBytes,
} from '../bytes.js';
import { compile, type Match } from './payload-compile.js';
import { type Put, putterOf, type Read, readerOf } from './payload-fields.js';

interface Field {
  readonly literal: Literal;
  readonly key: Uint8Array;
  readonly kind: ShapeField['kind'];
  readonly read: Read;
  readonly put: Put;
}

/** A shape made ready for bytes. */
export interface Matcher {
  readonly fields: readonly Field[];
  readonly tail: Literal;
  /** As `match` with this matcher, but faster. */
  readonly run: Match;
  /** For the text of trace-cmd report, which prints a pointer with 0x before it; null if there is none. */
  readonly report: Matcher | null;
}

const reported = (f: ShapeField): ShapeField =>
  f.kind === 'p' ? { ...f, literal: `${f.literal}0x`, kind: 'x' } : f;

function ready(shape: Shape): Matcher {
  const tail = ascii(shape.tail);
  const literals = [...shape.fields.slice(1).map((f) => ascii(f.literal)), tail];
  const parts = shape.fields.map((f, i) => ({
    ...f,
    read: readerOf(f.kind, f.column, literals[i]![0] ?? -1),
    put: putterOf(f.column),
  }));
  const fields = parts.map((f) => ({
    ...f,
    literal: literalOf(ascii(f.literal)),
    key: ascii(f.key),
  }));
  const { fields: given } = shape;
  const pointers = given.some((f) => f.kind === 'p');
  const report = pointers ? ready({ ...shape, fields: given.map(reported) }) : null;
  return { fields, tail: literalOf(tail), run: compile(parts, shape.tail), report };
}

const matchers = new Map(Object.entries(shapes).map(([name, shape]) => [name, ready(shape)]));

/** The matcher of an event, if its columns are known. */
export const matcherOf = (event: string): Matcher | undefined => matchers.get(event);

/**
 * Take the text at `start` apart; gives where it ends, or -1 (with some columns set) if it does not fit
 * byte for byte. The text ends at a newline, if not at `end` before. `buf` are the bytes at hand.
 */
export function match(log: Log, m: Matcher, buf: Uint8Array, start: number, end: number): number {
  const { fields } = m;
  let at = start;
  for (let i = 0; i < fields.length; i++) {
    const f = fields[i]!;
    if (!matches(buf, at, end, f.literal)) return -1;
    at = f.read(log, buf, at + f.literal.length, end);
    if (at < 0 || !f.put(log)) return -1;
  }
  return matches(buf, at, end, m.tail) ? at + m.tail.length : -1;
}

/** A value behind its key, in whichever base it is written. */
function putAnyhow(log: Log, f: Field, buf: Uint8Array, at: number, end: number): void {
  if (f.kind !== 'd' && f.kind !== 'x' && f.kind !== 'p') {
    if (f.read(log, buf, at, end) >= 0) f.put(log);
    return;
  }
  const hex = at + 2 < end && buf[at] === 0x30 && buf[at + 1] === 0x78;
  const ok = hex
    ? readHex(buf, at + 2, end)
    : f.kind === 'p'
      ? readHex(buf, at, end)
      : readDecimal(buf, at, end);
  if (ok) f.put(log);
}

/** Find what can be found by key in a text that does not fit: other kernels print more or less. */
function gather(log: Log, m: Matcher, buf: Uint8Array, start: number, end: number): void {
  for (const f of m.fields) {
    if (f.key.length === 0) continue;
    let at = find(buf, start, end, f.key);
    while (at > start && buf[at - 1] !== 0x20) at = find(buf, at + 1, end, f.key);
    if (at >= start) putAnyhow(log, f, buf, at + f.key.length, end);
  }
}

const PLUS = ascii('+0x');

/** Does the text begin with the place of a probe, '(symbol+0x0/0x48)'? */
const isProbe = (buf: Uint8Array, start: number, end: number): boolean =>
  buf[start] === 0x28 && find(buf, start, Math.min(end, start + 128), PLUS) > 0;

/** Known columns by the place of a probe. */
const byPlace = new Map<string, Matcher | undefined>();
const maxPlaces = 4096; // a hostile trace may name any number of places

function matcherAt(place: string): Matcher | undefined {
  if (byPlace.size > maxPlaces) byPlace.clear();
  if (!byPlace.has(place)) byPlace.set(place, matchers.get(probeAt(place) ?? ''));
  return byPlace.get(place);
}

/** Put '(place)' into `at`; gives where the rest of the text starts. */
function putPlace(log: Log, buf: Uint8Array, start: number, end: number): number {
  let stop = start + 1;
  while (stop < end && buf[stop] !== 0x29) stop++;
  if (stop === end) return start;
  setInt(log, 'at', log.dicts.at.internBytes(buf, start + 1, stop));
  return Math.min(end, stop + 2);
}

/**
 * Put the text of an event (`buf[start, end)`, behind 'name: ') into columns of the current row.
 * What the columns do not hold to the byte stays in `detail`.
 */
export function putPayload(
  log: Log,
  m: Matcher | undefined,
  buf: Uint8Array,
  start: number,
  end: number,
): void {
  useBytes(buf);
  if (m && m.run(log, buf, start, end) === end) return;
  if (m?.report && m.report.run(log, buf, start, end) === end) {
    setTextBytes(log, 'detail', buf, start, end);
    return;
  }
  let rest = start;
  let known = m;
  if (isProbe(buf, start, end)) {
    rest = putPlace(log, buf, start, end);
    const { at } = log.cells;
    known ??= rest === start ? undefined : matcherAt(log.dicts.at.values[at.values[log.row]!]!);
  }
  if (known) gather(log, known, buf, rest, end);
  if (rest < end) setTextBytes(log, 'detail', buf, rest, end);
}
