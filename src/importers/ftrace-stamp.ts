import { num, readDecimal } from './bytes.js';

const DOT = 0x2e;
const COLON = 0x3a;
const SPACE = 0x20;
const OPEN = 0x28;
const LOWER_M = 0x6d;
const LOWER_U = 0x75;
const LOWER_S = 0x73;

/** Two words of the last stamp read, signed. */
export const stamp = { hi: 0, lo: 0 };

const isDigit = (b: number | undefined): boolean => b! >= 48 && b! <= 57;

const scales = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 100, 10, 1];

/** A stamp that a double holds exactly. */
function setStamp(ns: number): void {
  const hi = Math.floor(ns / 0x100000000);
  stamp.hi = hi | 0;
  stamp.lo = (ns - hi * 0x100000000) | 0;
}

/** Seconds and a fraction as nanoseconds in two words; exact for any stamp of 64 bits. */
function putStamp(hi: number, seconds: number, fraction: number): void {
  const exact = hi === 0 && seconds < 9e6;
  if (exact) {
    const total = seconds * 1e9 + fraction;
    setStamp(total);
    return;
  }
  const whole = (BigInt(hi >>> 0) << 32n) | BigInt(seconds);
  const total = whole * 1_000_000_000n + BigInt(fraction);
  stamp.hi = Number((total >> 32n) & 0xffffffffn) | 0;
  stamp.lo = Number(total & 0xffffffffn) | 0;
}

/**
 * '  25us+: ' of a latency tracer, or '1234ms (+0.123456ms): ': time since its start. `at` is behind
 * the digits; gives where it ends, or -1.
 */
function readRelative(buf: Uint8Array, at: number, end: number): number {
  const scale = buf[at] === LOWER_U ? 1000 : buf[at] === LOWER_M ? 1e6 : 0;
  if (scale === 0 || buf[at + 1] !== LOWER_S || num.hi !== 0) return -1;
  let stop = at + 2;
  while (stop < end && stop < at + 24 && buf[stop] !== COLON) stop++;
  if (buf[stop] !== COLON || stop >= end) return -1;
  setStamp((num.lo >>> 0) * scale);
  return stop + 1;
}

/** 'seconds.fraction:' or, for clocks that count, 'ticks:'; gives where it ends, or -1. */
export function readStamp(buf: Uint8Array, start: number, end: number): number {
  if (!isDigit(buf[start]) || !readDecimal(buf, start, end)) return -1;
  const { hi, lo } = num;
  let at = num.end;
  if (at >= end) return -1;
  if (buf[at] === COLON) {
    stamp.hi = hi;
    stamp.lo = lo;
    return at + 1;
  }
  if (buf[at] !== DOT) return readRelative(buf, at, end);
  if (!isDigit(buf[at + 1]) || !readDecimal(buf, at + 1, end)) return -1;
  const digits = num.end - at - 1;
  if (digits > 9) return -1;
  at = num.end;
  putStamp(hi, lo >>> 0, num.lo * scales[digits]!);
  return at < end && buf[at] === COLON ? at + 1 : -1;
}

/**
 * The usual stamp, ' seconds.micros: ', with blanks before it; gives where the text behind starts, or -1 if
 * it is another. Reads no further than the first byte that is neither digit nor blank.
 */
export function readMicroseconds(buf: Uint8Array, from: number): number {
  let at = from;
  while (buf[at] === SPACE) at++;
  if (at === from) return -1;
  const start = at;
  let seconds = 0;
  for (let d = buf[at]! - 48; d >= 0 && d <= 9; d = buf[++at]! - 48) seconds = seconds * 10 + d;
  if (at === start || seconds >= 9e6 || buf[at] !== DOT) return -1;
  const dot = at++;
  let micros = 0;
  for (let d = buf[at]! - 48; d >= 0 && d <= 9; d = buf[++at]! - 48) micros = micros * 10 + d;
  if (at !== dot + 7 || buf[at] !== COLON || buf[at + 1] !== SPACE) return -1;
  const next = buf[at + 2];
  if (next === SPACE || next === OPEN) return -1; // trace-cmd puts more blanks, or '(+22400)'
  setStamp(seconds * 1e9 + micros * 1000);
  return at + 2;
}
