import type { Dict } from '../../events/dict.js';
import { type Log, putBool, putF64, putInt, putU64, putWord } from '../../events/log.js';
import { type ColumnName, columnNames, columns, type NameOf } from '../../events/schema.js';
import type { FieldKind } from '../../events/shapes.js';
import {
  ascii,
  holds,
  isExact,
  type Literal,
  literalOf,
  matches,
  num,
  readDecimal,
  readHex,
} from '../bytes.js';

/** Reads the text of a field at `at`, in the bytes at hand, into `num`; gives where it ends, or -1 if it does not fit. */
export type Read = (log: Log, buf: Uint8Array, at: number, end: number) => number;

/** Puts the value in `num` into a column of the current row; false if the column cannot hold it exactly. */
export type Put = (log: Log) => boolean;

const NEWLINE = 10;
const MINUS = 0x2d;
const ZERO = 0x30;

/** A number without leading zeros, so that printing it gives the same bytes. */
const isCanonical = (buf: Uint8Array, at: number): boolean =>
  buf[at] !== ZERO || num.end === at + 1;

function setNum(lo: number, end: number): number {
  num.hi = 0;
  num.lo = lo;
  num.end = end;
  return end;
}

function signed(_: Log, buf: Uint8Array, at: number, end: number): number {
  const minus = buf[at] === MINUS;
  if (!readDecimal(buf, at + (minus ? 1 : 0), end) || num.hi < 0) return -1;
  if (minus) {
    num.lo = -num.lo | 0;
    num.hi = (~num.hi + (num.lo === 0 ? 1 : 0)) | 0;
  }
  return num.end;
}

const TRUE = ascii('true');
const FALSE = ascii('false');

function truth(_: Log, buf: Uint8Array, at: number, end: number): number {
  if (holds(buf, at, end, TRUE)) return setNum(1, at + 4);
  return holds(buf, at, end, FALSE) ? setNum(0, at + 5) : -1;
}

function mode(log: Log, buf: Uint8Array, at: number, end: number): number {
  const stop = truth(log, buf, at, end);
  if (stop >= 0) num.lo = log.dicts.lock_mode.intern(num.lo === 1 ? 'write' : 'read');
  return stop;
}

function bit(buf: Uint8Array, at: number, end: number, one: number): number {
  const b = buf[at]! - ZERO;
  return at < end && (b === 0 || b === 1) ? setNum(b ^ one ^ 1, at + 1) : -1;
}

/** Text up to the byte `stop`. The last one likely comes again: it is compared before any is looked up. */
function text(column: NameOf<'dict'>, stop: number): Read {
  let last: Literal = literalOf(ascii('\n'));
  let id = -1;
  let of: Dict | null = null;
  return (log, buf, at, end) => {
    const dict = log.dicts[column];
    let to = at + last.length;
    if (
      dict === of &&
      to < end &&
      (buf[to] === stop || buf[to] === NEWLINE) &&
      matches(buf, at, end, last)
    )
      return setNum(id, to);
    for (to = at; to < end && buf[to] !== stop && buf[to] !== NEWLINE; ) to++;
    id = dict.internBytes(buf, at, to);
    of = dict;
    last = literalOf(buf.slice(at, to));
    return setNum(id, to);
  };
}

/** How a field is read; `stop` is the first byte behind it, or -1 at the end of the text. */
export function readerOf(kind: FieldKind, column: ColumnName, stop: number): Read {
  switch (kind) {
    case 'd':
      return (_, buf, at, end) =>
        readDecimal(buf, at, end) && isCanonical(buf, at) ? num.end : -1;
    case 'x':
      return (_, buf, at, end) => (readHex(buf, at, end) && isCanonical(buf, at) ? num.end : -1);
    case 'p':
      return (_, buf, at, end) => (readHex(buf, at, end) && num.end - at === 16 ? num.end : -1);
    case 'i':
      return signed;
    case 's':
      return text(column as NameOf<'dict'>, stop);
    case 't':
      return truth;
    case 'w':
      return mode;
    case '!':
      return (_, buf, at, end) => bit(buf, at, end, 0);
    case 'f':
      return (_, buf, at, end) => bit(buf, at, end, 1);
  }
}

const PAGE = columnNames.indexOf('va_page');

function putVa(log: Log, index: number): true {
  const { hi, lo } = num;
  putU64(log, index, hi, lo);
  putF64(log, PAGE, (hi >>> 0) * 0x100000 + (lo >>> 12));
  return true;
}

function putWide(log: Log, index: number): true {
  putU64(log, index, num.hi, num.lo);
  return true;
}

function putDouble(log: Log, index: number): boolean {
  const { hi, lo } = num;
  const fits = isExact(hi, lo);
  if (fits) putF64(log, index, (hi >>> 0) * 0x100000000 + (lo >>> 0));
  return fits;
}

function put32(log: Log, index: number): boolean {
  if (num.hi === 0) putWord(log, index, num.lo);
  return num.hi === 0;
}

function putSmall(log: Log, index: number): boolean {
  if (num.hi === 0) putInt(log, index, num.lo >>> 0);
  return num.hi === 0;
}

function putTruth(log: Log, index: number): true {
  putBool(log, index, num.lo !== 0);
  return true;
}

/** How a column takes a number. */
export function putterOf(column: ColumnName): Put {
  const index = columnNames.indexOf(column);
  if (column === 'va') return (log) => putVa(log, index);
  switch (columns[column].kind) {
    case 'u64':
    case 'i64':
      return (log) => putWide(log, index);
    case 'f64':
      return (log) => putDouble(log, index);
    case 'u8':
    case 'u16':
      return (log) => putSmall(log, index);
    case 'bool':
      return (log) => putTruth(log, index);
    default:
      return (log) => put32(log, index);
  }
}
