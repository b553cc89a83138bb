import {
  type Log,
  putBool,
  putF64,
  putInt,
  putU64,
  putWord,
  setInt,
  setTextBytes,
} from '../events/log.js';
import { type ColumnName, columnNames, columns, type NameOf } from '../events/schema.js';
import { probeAt, type Shape, type ShapeField, shapes } from '../events/shapes.js';
import {
  ascii,
  find,
  holds,
  isExact,
  type Literal,
  literalOf,
  matches,
  num,
  readDecimal,
  readHex,
  useBytes,
} from './bytes.js';
import { isLast, type Last, newLast, putLast, type Store, setLast } from './payload-last.js';

const NEWLINE = 10;

interface Field {
  readonly literal: Literal;
  readonly key: Uint8Array;
  readonly column: ColumnName;
  readonly index: number;
  readonly store: Store;
  readonly kind: ShapeField['kind'];
  /** First byte after the field, or -1 at the end of the text. */
  readonly stop: number;
  readonly last: Last;
}

const indexOf = (column: ColumnName): number => columnNames.indexOf(column);
const pageIndex = indexOf('va_page');

function storeOf(column: ColumnName): Store {
  if (column === 'va') return 'va';
  const { kind } = columns[column];
  return kind === 'u64' || kind === 'i64'
    ? 'wide'
    : kind === 'f64'
      ? 'double'
      : kind === 'u8' || kind === 'u16'
        ? 'int'
        : kind === 'bool'
          ? 'bool'
          : 'word';
}

/** A shape made ready for bytes. */
export interface Matcher {
  readonly fields: readonly Field[];
  readonly tail: Literal;
}

function ready(shape: Shape): Matcher {
  const tail = ascii(shape.tail);
  const literals = [...shape.fields.slice(1).map((f) => ascii(f.literal)), tail];
  const fields = shape.fields.map((f, i) => ({
    literal: literalOf(ascii(f.literal)),
    key: ascii(f.key),
    column: f.column,
    index: indexOf(f.column),
    store: storeOf(f.column),
    kind: f.kind,
    stop: literals[i]![0] ?? -1,
    last: newLast(),
  }));
  return { fields, tail: literalOf(tail) };
}

const matchers = new Map(Object.entries(shapes).map(([name, shape]) => [name, ready(shape)]));

/** The matcher of an event, if its columns are known. */
export const matcherOf = (event: string): Matcher | undefined => matchers.get(event);

/** Put the number in `num` into a column; false if the column cannot hold it exactly. */
function putNumber(log: Log, f: Field): boolean {
  const { hi, lo } = num;
  if (f.store === 'double') {
    if (!isExact(hi, lo)) return false;
    putF64(log, f.index, (hi >>> 0) * 0x100000000 + (lo >>> 0));
    return true;
  }
  if (f.store === 'word' || f.store === 'int') {
    if (hi !== 0) return false;
    if (f.store === 'word') putWord(log, f.index, lo);
    else putInt(log, f.index, lo >>> 0);
    return true;
  }
  putU64(log, f.index, hi, lo);
  if (f.store === 'va') putF64(log, pageIndex, (hi >>> 0) * 0x100000 + (lo >>> 12));
  return true;
}

const TRUE = ascii('true');
const FALSE = ascii('false');

function putTruth(log: Log, f: Field, buf: Uint8Array, at: number, end: number): number {
  const yes = holds(buf, at, end, TRUE);
  if (!yes && !holds(buf, at, end, FALSE)) return -1;
  if (f.kind === 't') putBool(log, f.index, yes);
  else putWord(log, f.index, log.dicts.lock_mode.intern(yes ? 'write' : 'read'));
  return at + (yes ? 4 : 5);
}

function putSigned(log: Log, f: Field, buf: Uint8Array, at: number, end: number): number {
  const minus = buf[at] === 0x2d;
  if (!readDecimal(buf, at + (minus ? 1 : 0), end) || num.hi < 0) return -1;
  if (minus) {
    num.lo = -num.lo | 0;
    num.hi = (~num.hi + (num.lo === 0 ? 1 : 0)) | 0;
  }
  putNumber(log, f);
  return num.end;
}

function putText(log: Log, f: Field, buf: Uint8Array, at: number, end: number): number {
  let to = at;
  while (to < end && buf[to] !== f.stop && buf[to] !== NEWLINE) to++;
  putWord(log, f.index, log.dicts[f.column as NameOf<'dict'>].internBytes(buf, at, to));
  return to;
}

/** A number without leading zeros, so that printing it gives the same bytes. */
function isCanonical(buf: Uint8Array, at: number): boolean {
  return buf[at] !== 0x30 || num.end === at + 1;
}

/** Read one field at `at` into its column; gives where it ends, or -1 if it does not fit. */
function putField(log: Log, f: Field, buf: Uint8Array, at: number, end: number): number {
  switch (f.kind) {
    case 'd':
      if (!readDecimal(buf, at, end) || !isCanonical(buf, at)) return -1;
      return putNumber(log, f) ? num.end : -1;
    case 'x':
      if (!readHex(buf, at, end) || !isCanonical(buf, at)) return -1;
      return putNumber(log, f) ? num.end : -1;
    case 'p':
      if (!readHex(buf, at, end) || num.end - at !== 16) return -1;
      return putNumber(log, f) ? num.end : -1;
    case 'i':
      return putSigned(log, f, buf, at, end);
    case 's':
      return putText(log, f, buf, at, end);
    case 't':
    case 'w':
      return putTruth(log, f, buf, at, end);
    default: {
      const bit = buf[at]! - 48;
      if (at >= end || (bit !== 0 && bit !== 1)) return -1;
      putBool(log, f.index, f.kind === '!' ? bit === 0 : bit === 1);
      return at + 1;
    }
  }
}

/**
 * Take the text at `start` apart; gives where it ends, or -1 (with some columns set) if it does not fit
 * byte for byte. The text ends at a newline, if not at `end` before. `buf` are the bytes at hand.
 */
export function match(log: Log, m: Matcher, buf: Uint8Array, start: number, end: number): number {
  const { fields } = m;
  let at = start;
  for (let i = 0; i < fields.length; i++) {
    const f = fields[i]!;
    const { last } = f;
    const from = at;
    at += last.length;
    const b = last.luck > 0 && last.log === log && at < end ? buf[at]! : 0;
    if ((b === f.stop || b === NEWLINE) && last.length > 0 && isLast(last, from)) {
      putLast(log, last, f.index, f.store);
      continue;
    }
    if (!matches(buf, from, end, f.literal)) return -1;
    at = putField(log, f, buf, from + f.literal.length, end);
    if (at < 0) return -1;
    setLast(log, last, f.index, f.store, from, at);
  }
  return matches(buf, at, end, m.tail) ? at + m.tail.length : -1;
}

/** A value behind its key, in whichever base it is written. */
function putAnyhow(log: Log, f: Field, buf: Uint8Array, at: number, end: number): void {
  if (f.kind !== 'd' && f.kind !== 'x' && f.kind !== 'p') {
    putField(log, f, buf, at, end);
    return;
  }
  const hex = at + 2 < end && buf[at] === 0x30 && buf[at + 1] === 0x78;
  const ok = hex
    ? readHex(buf, at + 2, end)
    : f.kind === 'p'
      ? readHex(buf, at, end)
      : readDecimal(buf, at, end);
  if (ok) putNumber(log, f);
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
  if (m && match(log, m, buf, start, end) === end) return;
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
