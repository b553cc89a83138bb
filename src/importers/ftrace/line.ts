import { addRow, type Log, putShort, putWord } from '../../events/log.js';
import { columnNames } from '../../events/schema.js';
import { num, readDecimal, useBytes } from '../bytes.js';
import { readStamp, stamp } from './stamp.js';

const SPACE = 0x20;
const DASH = 0x2d;
const DOT = 0x2e;
const OPEN = 0x28;
const CLOSE = 0x29;
const BRACKET = 0x5b;
const UNBRACKET = 0x5d;
const GREATER = 0x3e;
const PLUS = 0x2b;

const isDigit = (b: number | undefined): boolean => b! >= 48 && b! <= 57;
const isBlank = (b: number | undefined): boolean => b === SPACE || b === 9;

/** What stands before the event of a line, but for the stamp, which is in `stamp`; filled by `readHead`, so that nothing is allocated. */
export const head = {
  /** First byte of the line, and the first behind the column before the stamp. */
  start: 0,
  end: 0,
  commStart: 0,
  commEnd: 0,
  pid: 0,
  /** -1: the column is there but empty; -2: no column. */
  tgid: -2,
  cpu: 0,
  flagsStart: 0,
  flagsEnd: 0,
  /** First byte behind the stamp's colon and blanks. */
  body: 0,
  /** Ids of comm and flags; -1: to be looked up. No flags: -2. */
  task: -1,
  flags: -1,
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
    if (!readDecimal(buf, at, end) || num.hi !== 0 || num.lo < 0) return -1;
    head.tgid = num.lo;
    at = num.end;
  }
  while (at < end && buf[at] === SPACE) at++;
  return buf[at] === CLOSE ? at + 1 : -1;
}

/** A flag column: letters, digits and dots. */
function flagsEnd(buf: Uint8Array, at: number, end: number): number {
  while (at < end && !isBlank(buf[at])) at++;
  return at;
}

/**
 * '[cpu]', or in the latency format the bare CPU with the flags behind it, raw ones behind a dash ('1-0x25',
 * trace-cmd report -R -l); -1 if it is neither.
 */
function readCpu(buf: Uint8Array, from: number, end: number): number {
  const open = buf[from] === BRACKET;
  if (!readDecimal(buf, open ? from + 1 : from, end) || num.hi !== 0 || num.lo >>> 0 > 0xffff)
    return -1;
  head.cpu = num.lo;
  if (open) return buf[num.end] === UNBRACKET && num.end < end ? num.end + 1 : -1;
  const b = buf[num.end];
  if (b === DASH && buf[num.end + 1] === 0x30 && buf[num.end + 2] === 0x78) return num.end + 1;
  const isFlag = b === DOT || b === 0x64 || b === 0x44 || b === 0x62 || b === 0x58; // . d D b X
  return isFlag && flagsEnd(buf, num.end, end) - num.end >= 4 ? num.end : -1;
}

/** '(+22400) ' that trace-cmd report --ts-diff puts behind the stamp, or the blanks in its place. */
function skipDifference(buf: Uint8Array, at: number, end: number): number {
  if (buf[at] !== OPEN || buf[at + 1] !== PLUS) return at;
  let stop = at + 2;
  while (stop < end && isDigit(buf[stop])) stop++;
  return buf[stop] === CLOSE ? skipBlanks(buf, stop + 1, end) : at;
}

/** '[cpu] flags stamp:' from `at` on; false if it is not that. */
function readRest(buf: Uint8Array, from: number, end: number): boolean {
  let at = readCpu(buf, from, end);
  if (at < 0) return false;
  head.end = at;
  at = skipBlanks(buf, at, end);
  head.flagsStart = head.flagsEnd = at;
  let stop = readStamp(buf, at, end);
  if (stop < 0) {
    at = flagsEnd(buf, at, end);
    if (at - head.flagsStart > 8) return false;
    head.flagsEnd = head.end = at;
    at = skipBlanks(buf, at, end);
    stop = readStamp(buf, at, end);
  }
  if (stop < 0) return false;
  head.body = skipDifference(buf, skipBlanks(buf, stop, end), end);
  return true;
}

/** The line as 'comm-pid (tgid) [cpu] …' with the dash at `dash`. */
function readFrom(buf: Uint8Array, start: number, dash: number, end: number): boolean {
  if (!readDecimal(buf, dash + 1, end) || num.hi !== 0 || num.lo < 0) return false;
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
/** No dash is looked for beyond this: a line has its comm in front. */
const maxHead = 256;
/** Bytes of a comm, with its NUL (TASK_COMM_LEN); more is a prefix that is none of ftrace's. */
const maxComm = 16;

/**
 * Read what stands before the event: comm, pid, tgid, CPU, flags, stamp. Comm may hold blanks,
 * dashes, colons and brackets. False if the line is none of ftrace's.
 */
export function readHead(buf: Uint8Array, start: number, end: number): boolean {
  useBytes(buf);
  head.start = start;
  head.task = head.flags = -1;
  const usual = start + dashColumn;
  if (usual < end && buf[usual] === DASH && readFrom(buf, start, usual, end)) return true;
  const first = skipBlanks(buf, start, end);
  if (buf[first] === GREATER) return false; // a quoted line: its prefix is no comm
  const stop = Math.min(end, first + maxComm + 1, start + maxHead);
  for (let at = first; at < stop; at++) {
    if (buf[at] === DASH && isDigit(buf[at + 1]) && readFrom(buf, start, at, end)) return true;
  }
  return false;
}

const column = (name: (typeof columnNames)[number]): number => columnNames.indexOf(name);
const CPU = column('cpu');
const PID = column('pid');
const TASK = column('task');
const TGID = column('tgid');
const FLAGS = column('flags');

/** Look up the ids of comm and flags. */
function resolve(log: Log, buf: Uint8Array): void {
  const { commStart, commEnd, flagsStart, flagsEnd } = head;
  head.task = log.dicts.task.internBytes(buf, commStart, commEnd);
  head.flags = flagsEnd > flagsStart ? log.dicts.flags.internBytes(buf, flagsStart, flagsEnd) : -2;
}

/** Append a row with what `readHead` found; `buf` are the bytes at hand. */
export function addHead(log: Log, buf: Uint8Array, event: number): void {
  if (head.task < 0) resolve(log, buf);
  addRow(log, stamp.hi, stamp.lo, event);
  putShort(log, CPU, head.cpu);
  putWord(log, PID, head.pid);
  putWord(log, TASK, head.task);
  if (head.tgid >= 0) putWord(log, TGID, head.tgid);
  if (head.flags >= 0) putWord(log, FLAGS, head.flags);
}
