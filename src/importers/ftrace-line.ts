import { addRow, type Log, setInt } from '../events/log.js';
import { num, readDecimal } from './bytes.js';

const SPACE = 0x20;
const DASH = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const OPEN = 0x28;
const CLOSE = 0x29;
const BRACKET = 0x5b;
const UNBRACKET = 0x5d;

const isDigit = (b: number | undefined): boolean => b! >= 48 && b! <= 57;
const isBlank = (b: number | undefined): boolean => b === SPACE || b === 9;

/** What stands before the event of a line; filled by `readHead`, so that nothing is allocated. */
export const head = {
  commStart: 0,
  commEnd: 0,
  pid: 0,
  /** -1: the column is there but empty; -2: no column. */
  tgid: -2,
  cpu: 0,
  flagsStart: 0,
  flagsEnd: 0,
  tsHi: 0,
  tsLo: 0,
  /** First byte behind the stamp's colon and blanks. */
  body: 0,
};

const skipBlanks = (buf: Uint8Array, at: number, end: number): number => {
  while (at < end && isBlank(buf[at])) at++;
  return at;
};

/** '(  123)' or '(-----)'; gives where it ends, or -1. */
function readTgid(buf: Uint8Array, start: number, end: number): number {
  let at = start + 1;
  while (at < end && (buf[at] === SPACE || buf[at] === DASH)) at++;
  head.tgid = -1;
  if (isDigit(buf[at])) {
    if (!readDecimal(buf, at, end)) return -1;
    head.tgid = num.lo;
    at = num.end;
  }
  while (at < end && buf[at] === SPACE) at++;
  return buf[at] === CLOSE ? at + 1 : -1;
}

const scales = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];

/** Seconds and a fraction as nanoseconds in two words; exact for any stamp of 64 bits. */
function putStamp(hi: number, seconds: number, fraction: number): void {
  const exact = hi === 0 && seconds < 9e6;
  if (exact) {
    const total = seconds * 1e9 + fraction;
    head.tsHi = Math.floor(total / 0x100000000);
    head.tsLo = total - head.tsHi * 0x100000000;
    return;
  }
  const whole = (BigInt(hi) << 32n) | BigInt(seconds);
  const total = whole * 1_000_000_000n + BigInt(fraction);
  head.tsHi = Number((total >> 32n) & 0xffffffffn);
  head.tsLo = Number(total & 0xffffffffn);
}

/** 'seconds.fraction:' or, for clocks that count, 'ticks:'; gives where it ends, or -1. */
function readStamp(buf: Uint8Array, start: number, end: number): number {
  if (!isDigit(buf[start]) || !readDecimal(buf, start, end)) return -1;
  const { hi, lo } = num;
  let at = num.end;
  if (buf[at] === COLON) {
    head.tsHi = hi;
    head.tsLo = lo;
    return at + 1;
  }
  if (buf[at] !== DOT) return -1;
  if (!isDigit(buf[at + 1]) || !readDecimal(buf, at + 1, end)) return -1;
  const digits = num.end - at - 1;
  if (digits > 9) return -1;
  at = num.end;
  putStamp(hi, lo, num.lo * scales[digits]!);
  return buf[at] === COLON ? at + 1 : -1;
}

/** '[cpu] flags stamp:' from `at` on; false if it is not that. */
function readRest(buf: Uint8Array, from: number, end: number): boolean {
  if (buf[from] !== BRACKET || !readDecimal(buf, from + 1, end)) return false;
  if (buf[num.end] !== UNBRACKET || num.hi !== 0 || num.lo > 0xffff) return false;
  head.cpu = num.lo;
  let at = skipBlanks(buf, num.end + 1, end);
  head.flagsStart = head.flagsEnd = at;
  let stop = readStamp(buf, at, end);
  if (stop < 0) {
    while (at < end && !isBlank(buf[at])) at++;
    if (at - head.flagsStart > 8) return false;
    head.flagsEnd = at;
    at = skipBlanks(buf, at, end);
    stop = readStamp(buf, at, end);
  }
  if (stop < 0) return false;
  head.body = skipBlanks(buf, stop, end);
  return true;
}

/** The line as 'comm-pid (tgid) [cpu] …' with the dash at `dash`. */
function readFrom(buf: Uint8Array, start: number, dash: number, end: number): boolean {
  if (!readDecimal(buf, dash + 1, end) || num.hi !== 0 || num.lo > 0x7fffffff) return false;
  head.pid = num.lo;
  head.tgid = -2;
  let at = skipBlanks(buf, num.end, end);
  if (buf[at] === OPEN) {
    at = readTgid(buf, at, end);
    if (at < 0) return false;
    at = skipBlanks(buf, at, end);
  } else if (at === num.end) return false;
  if (!readRest(buf, at, end)) return false;
  head.commStart = skipBlanks(buf, start, dash);
  head.commEnd = dash;
  return true;
}

// The kernel pads comm to 16 characters, so that its dash stands here, whatever comm holds.
const dashColumn = 16;
/** No dash is looked for beyond this: comm has at most 16 characters, a quoted line a few more. */
const maxHead = 256;

/**
 * Read what stands before the event: comm, pid, tgid, CPU, flags, stamp. Comm may hold blanks,
 * dashes, colons and brackets. False if the line is none of ftrace's.
 */
export function readHead(buf: Uint8Array, start: number, end: number): boolean {
  const usual = start + dashColumn;
  if (buf[usual] === DASH && usual < end && readFrom(buf, start, usual, end)) return true;
  const last = Math.min(end, start + maxHead);
  for (let at = start; at < last; at++) {
    if (buf[at] === DASH && isDigit(buf[at + 1]) && readFrom(buf, start, at, end)) return true;
  }
  return false;
}

/** Append a row with what `readHead` found. */
export function addHead(log: Log, buf: Uint8Array, event: number): void {
  addRow(log, head.tsHi, head.tsLo, event);
  setInt(log, 'cpu', head.cpu);
  setInt(log, 'pid', head.pid);
  setInt(log, 'task', log.dicts.task.internBytes(buf, head.commStart, head.commEnd));
  if (head.tgid >= 0) setInt(log, 'tgid', head.tgid);
  if (head.flagsEnd > head.flagsStart) {
    setInt(log, 'flags', log.dicts.flags.internBytes(buf, head.flagsStart, head.flagsEnd));
  }
}
