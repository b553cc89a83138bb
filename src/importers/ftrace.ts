import { decodeText } from '../events/dict.js';
import { type Log, setInt, setText, setTextBytes } from '../events/log.js';
import { addUnparsed, type TraceMeta } from '../events/meta.js';
import { ascii, find, holds, num, readDecimal } from './bytes.js';
import { addHead, head, readHead } from './ftrace-line.js';
import type { Importer, Input } from './importer.js';
import { eachLine } from './lines.js';
import { type Matcher, matcherOf, putPayload } from './payload.js';

const HASH = 0x23;
const COLON = 0x3a;
const SPACE = 0x20;
const ENTRIES = ascii('entries-in-buffer/entries-written: ');
const ONLINE = ascii('#P:');
const CPU = ascii('CPU:');
const LOST = ascii(' [LOST ');
const STARTED = ascii('##### CPU ');
const FRAME = ascii(' => ');
const STACK = ascii('<stack trace>');
const PARENT = ascii(' <-');
const HEX = ascii('0x');
const TRACER = ascii('# tracer: ');
const reportLines = /^(version = \d+|cpus=\d+|CPU \d+ is empty|trace-cmd version .*)$/;

/** Where a reader of text stands. */
interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  /** Matcher by id of the event's name. */
  readonly matchers: (Matcher | null | undefined)[];
  /** Frames of the stack being read. */
  frames: string[] | null;
  lastHi: number;
  lastLo: number;
  outOfOrder: number;
  overwritten: number;
  tracer: string;
}

/** '# …': counts and number of CPUs. */
function readComment(s: State, buf: Uint8Array, start: number, end: number): void {
  if (holds(buf, start, end, TRACER)) {
    s.tracer = decodeText(buf.subarray(start + TRACER.length, end));
  }
  const at = find(buf, start, end, ENTRIES);
  if (at < 0 || !readDecimal(buf, at + ENTRIES.length, end)) return;
  const inBuffer = num.hi * 0x100000000 + num.lo;
  s.meta.stated = (s.meta.stated ?? 0) + inBuffer;
  if (readDecimal(buf, num.end + 1, end)) {
    const written = num.hi * 0x100000000 + num.lo;
    s.overwritten += Math.max(0, written - inBuffer);
  }
  const p = find(buf, at, end, ONLINE);
  if (p > 0 && readDecimal(buf, p + ONLINE.length, end)) s.meta.cpus = num.lo;
}

/** Lines that are no events but known: losses, markers of the buffer, frames of a stack. */
function readOther(s: State, buf: Uint8Array, start: number, end: number): boolean {
  if (holds(buf, start, end, CPU)) {
    const at = find(buf, start, end, LOST);
    if (at < 0) return false;
    if (readDecimal(buf, at + LOST.length, end)) s.meta.lost += num.lo;
    return true;
  }
  if (holds(buf, start, end, FRAME) && s.frames) {
    s.frames.push(decodeText(buf.subarray(start + FRAME.length, end)));
    return true;
  }
  if (end - start > 80) return false;
  return reportLines.test(decodeText(buf.subarray(start, end)));
}

/** Frames belong to the row of their '<stack trace>' line, which is the last one. */
function endStack(s: State): void {
  if (!s.frames) return;
  setText(s.log, 'stack', s.frames.join('\n'));
  s.frames = null;
}

/** A print line names the place it was made at in the event's stead. */
const isPlace = (buf: Uint8Array, start: number, end: number): boolean => {
  if (holds(buf, start, end, HEX)) return true;
  for (let i = start; i < end - 2; i++)
    if (buf[i] === 0x2b && holds(buf, i + 1, end, HEX)) return true;
  return false;
};

function addPrint(s: State, buf: Uint8Array, colon: number, end: number): void {
  const { log } = s;
  addHead(log, buf, log.dicts.event.intern('print'));
  setInt(log, 'at', log.dicts.at.internBytes(buf, head.body, colon));
  const from = Math.min(end, colon + 2);
  if (from < end) setTextBytes(log, 'detail', buf, from, end);
}

/** Text without 'name: ': the function tracer, a stack, a syscall. */
function addNameless(s: State, buf: Uint8Array, end: number): void {
  const { log } = s;
  const name = holds(buf, head.body, end, STACK)
    ? 'kernel_stack'
    : find(buf, head.body, end, PARENT) >= 0
      ? 'function'
      : 'unknown';
  addHead(log, buf, log.dicts.event.intern(name));
  if (name === 'kernel_stack') s.frames = [];
  else if (head.body < end) setTextBytes(log, 'detail', buf, head.body, end);
}

function addNamed(s: State, buf: Uint8Array, colon: number, end: number): void {
  const { log } = s;
  const id = log.dicts.event.internBytes(buf, head.body, colon);
  let m = s.matchers[id];
  if (m === undefined) {
    m = matcherOf(log.dicts.event.values[id]!) ?? null;
    s.matchers[id] = m;
  }
  addHead(log, buf, id);
  let from = colon + 1;
  while (from < end && buf[from] === SPACE) from++;
  putPayload(log, m ?? undefined, buf, from, end);
}

/** End of the event's name: a colon before any blank, or -1. */
function nameEnd(buf: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if (buf[i] === COLON && (i + 1 === end || buf[i + 1] === SPACE)) return i > start ? i : -1;
    if (buf[i] === SPACE) return -1;
  }
  return -1;
}

function addEvent(s: State, buf: Uint8Array, end: number): void {
  if (head.tsHi < s.lastHi || (head.tsHi === s.lastHi && head.tsLo < s.lastLo)) s.outOfOrder++;
  s.lastHi = head.tsHi;
  s.lastLo = head.tsLo;
  const colon = nameEnd(buf, head.body, end);
  if (colon < 0) addNameless(s, buf, end);
  else if (isPlace(buf, head.body, colon)) addPrint(s, buf, colon, end);
  else addNamed(s, buf, colon, end);
}

function readLine(s: State, buf: Uint8Array, start: number, end: number): boolean {
  if (s.frames && !holds(buf, start, end, FRAME)) endStack(s);
  if (buf[start] === HASH) {
    if (!holds(buf, start, end, STARTED)) readComment(s, buf, start, end);
    return true;
  }
  if (!readHead(buf, start, end)) return readOther(s, buf, start, end);
  addEvent(s, buf, end);
  return true;
}

function finish(s: State): void {
  endStack(s);
  const { meta, log } = s;
  meta.lost += s.overwritten;
  if (s.outOfOrder > 0) meta.notes.push(`${s.outOfOrder} events are older than the one before`);
  if (meta.stated !== null && meta.stated !== log.total) {
    meta.notes.push(`the header states ${meta.stated} events, the body has ${log.total}`);
  }
}

/** Text of tracefs' `trace` file, in all its variants of the flag column, and of trace-cmd report. */
export const ftrace: Importer = {
  about: "text of tracefs' trace file",
  sniff: (bytes) => sniffText(bytes),
  async read(input: Input, log: Log, meta: TraceMeta): Promise<void> {
    const s: State = {
      log,
      meta,
      matchers: [],
      frames: null,
      lastHi: -1,
      lastLo: 0,
      outOfOrder: 0,
      overwritten: 0,
      tracer: '',
    };
    await eachLine(input.chunks(), (buf, start, end, line, offset) => {
      if (end === start || readLine(s, buf, start, end)) return;
      const text = decodeText(buf.subarray(start, Math.min(end, start + 200)));
      addUnparsed(meta, { line, offset, text });
    });
    finish(s);
  },
};

/** Does any of the first lines read as one of ftrace's? */
function sniffText(bytes: Uint8Array): boolean {
  if (holds(bytes, 0, bytes.length, TRACER)) return true;
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== 10) continue;
    if (readHead(bytes, start, at)) return true;
    start = at + 1;
  }
  return readHead(bytes, start, bytes.length);
}
