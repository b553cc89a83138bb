import { bytesView, digits4, num, readDecimal, wordAt } from '../bytes.js';

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

/** Longest text before the dot that is remembered, in bytes: the flags of trace-cmd may be missing, so that blanks are many. */
const maxLead = 32;

/** What stood last between head and fraction, '   4.', and that second: most stamps are of the same as the one before. */
const lead = { length: 0, words: new Int32Array(maxLead >> 2), hi: 0, lo: 0 };

/** Does the lead stand at `at`? */
function isLead(v: DataView, at: number): boolean {
  const { length, words } = lead;
  const last = length - 4;
  for (let i = 0, to = 0; to < last; i++, to += 4)
    if (words[i] !== v.getInt32(at + to, true)) return false;
  return words[(maxLead >> 2) - 1] === v.getInt32(at + last, true);
}

/** Take ' seconds.' at `from` as the new lead; false if it is not that. */
function learnLead(buf: Uint8Array, from: number): boolean {
  lead.length = 0;
  let at = from;
  while (buf[at] === SPACE) at++;
  const start = at;
  let seconds = 0;
  for (let d = buf[at]! - 48; d >= 0 && d <= 9; d = buf[++at]! - 48) seconds = seconds * 10 + d;
  const length = at + 1 - from;
  if (start === from || at === start || seconds >= 9e6 || buf[at] !== DOT) return false;
  if (length < 4 || length > maxLead - 4) return false;
  setStamp(seconds * 1e9);
  lead.hi = stamp.hi;
  lead.lo = stamp.lo;
  lead.length = length;
  for (let i = 0; i < length - 4; i += 4) lead.words[i >> 2] = wordAt(from + i);
  lead.words[(maxLead >> 2) - 1] = wordAt(from + length - 4);
  return true;
}

/** Most bytes that a usual stamp is looked at for. */
const maxStamp = maxLead + 12;

/**
 * The usual stamp, ' seconds.micros: ', in the bytes at hand, with blanks before it; gives where the text behind
 * starts, or -1 if it is another.
 */
export function readMicroseconds(buf: Uint8Array, from: number): number {
  if (from + maxStamp > buf.length) return -1;
  const v = bytesView();
  if ((lead.length === 0 || !isLead(v, from)) && !learnLead(buf, from)) return -1;
  const at = from + lead.length;
  const most = digits4(v.getInt32(at, true));
  const rest = v.getInt32(at + 4, true); // two digits, colon, blank
  const t = (rest & 0xffff) ^ 0x3030;
  if (most < 0 || (((t + 0x7676) | t) & 0x8080) !== 0 || rest >>> 16 !== 0x203a) return -1;
  const next = buf[at + 8];
  if (next === SPACE || next === OPEN) return -1; // trace-cmd puts more blanks, or '(+22400)'
  const ns = (most * 100 + (t & 0xff) * 10 + (t >>> 8)) * 1000;
  stamp.lo = (lead.lo + ns) | 0;
  stamp.hi = (lead.hi + (stamp.lo >>> 0 < ns ? 1 : 0)) | 0;
  return at + 8;
}
