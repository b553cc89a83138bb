import { addRow, type Log, setInt, setTextBytes, setU64 } from '../events/log.js';
import { addLoss, addUnparsed, type TraceMeta } from '../events/meta.js';
import { ascii, find, holds, literalOf, matches } from './bytes.js';
import { addGraphLine, parseGraphLine, putGraphPayload } from './ftrace-graph.js';
import { addHead, head, readHead } from './ftrace-line.js';
import {
  prefixLength,
  readComment,
  readHtml,
  readOther,
  textOf,
  unescapeHtml,
} from './ftrace-other.js';
import { stamp } from './ftrace-stamp.js';
import { endStack, type Kind, newState, type State } from './ftrace-text.js';
import type { Importer, Input } from './importer.js';
import { eachLine } from './lines.js';
import { matcherOf, putPayload } from './payload.js';
import { decodeAll, isQuotedPrintable, unquotePrintable } from './quoted-printable.js';

const HASH = 0x23;
const COLON = 0x3a;
const SPACE = 0x20;
const BRACE = 0x28;
const STACK = ascii('<stack trace>');
const USER_STACK = ascii('<user stack trace>');
const PARENT = ascii(' <-');
const TRACER = ascii('# tracer: ');

/** A print line names the place it was made at in the event's stead. */
const isPlace = (name: string): boolean => /^0x|.\+0x/.test(name);

function kindOf(s: State, name: string): Kind {
  const { dicts } = s.log;
  const text = literalOf(ascii(`${name}: `));
  if (isPlace(name)) {
    return {
      how: 'print',
      event: dicts.event.intern('print'),
      matcher: undefined,
      text,
      next: null,
    };
  }
  const how = /^funcgraph_(entry|exit)$/.test(name) ? 'graph' : 'event';
  return { how, event: dicts.event.intern(name), matcher: matcherOf(name), text, next: null };
}

/** `sys_read(fd: 3, …)` or `sys_read -> 0x10`. */
function addSyscall(s: State, buf: Uint8Array, text: string): boolean {
  const { log } = s;
  const enter = /^(sys_\w+)\((.*)\)\s*$/.exec(text);
  if (enter) {
    addHead(log, buf, log.dicts.event.intern(enter[1]!.replace('sys_', 'sys_enter_')));
    return true;
  }
  const exit = /^(sys_\w+) -> (0x[0-9a-f]{1,16})\s*$/.exec(text);
  if (!exit) return false;
  addHead(log, buf, log.dicts.event.intern(exit[1]!.replace('sys_', 'sys_exit_')));
  const v = BigInt(exit[2]!);
  setU64(log, 'ret', Number(v >> 32n), Number(v & 0xffffffffn));
  return true;
}

/** Text without 'name: ': the function tracer, a stack, a syscall. */
function addNameless(s: State, buf: Uint8Array, end: number): void {
  const { log } = s;
  const isStack = holds(buf, head.body, end, STACK);
  if (isStack || holds(buf, head.body, end, USER_STACK)) {
    addHead(log, buf, log.dicts.event.intern(isStack ? 'kernel_stack' : 'user_stack'));
    s.frames = [];
    return;
  }
  const isFunction = find(buf, head.body, end, PARENT) >= 0;
  if (isFunction || !addSyscall(s, buf, textOf(buf, head.body, end))) {
    addHead(log, buf, log.dicts.event.intern(isFunction ? 'function' : 'unknown'));
  }
  if (head.body < end) setTextBytes(log, 'detail', buf, head.body, end);
}

/** The kind of the event whose name ends at `colon`. */
function kindAt(s: State, buf: Uint8Array, colon: number): Kind {
  const id = s.names.internBytes(buf, head.body, colon);
  let kind = s.kinds[id];
  if (kind === undefined) {
    kind = kindOf(s, s.names.values[id]!);
    s.kinds[id] = kind;
  }
  s.kind.next = kind;
  return kind;
}

function addNamed(s: State, kind: Kind, buf: Uint8Array, colon: number, end: number): void {
  const { log } = s;
  s.kind = kind;
  addHead(log, buf, kind.event);
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
  if (kind.how === 'print') setInt(log, 'at', log.dicts.at.internBytes(buf, head.body, colon));
  from = Math.min(end, from + 1);
  if (from < end) setTextBytes(log, 'detail', buf, from, end);
}

/** 'kernel_stack: <stack trace>', as trace-cmd writes it. */
const isStackLine = (buf: Uint8Array, at: number, end: number): boolean =>
  holds(buf, at, end, STACK) || holds(buf, at, end, USER_STACK);

/** End of the event's name: a colon before any blank, or -1. */
function nameEnd(buf: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const b = buf[i]!;
    if (b === COLON && (i + 1 === end || buf[i + 1] === SPACE)) return i > start ? i : -1;
    if (b === SPACE || b === BRACE) return -1;
  }
  return -1;
}

function addEvent(s: State, buf: Uint8Array, end: number): void {
  noteOrder(s, stamp.hi, stamp.lo);
  const { next } = s.kind;
  if (next !== null && matches(buf, head.body, end, next.text)) {
    addNamed(s, next, buf, head.body + next.text.length - 2, end);
    return;
  }
  const colon = nameEnd(buf, head.body, end);
  if (colon < 0) addNameless(s, buf, end);
  else addNamed(s, kindAt(s, buf, colon), buf, colon, end);
}

function noteOrder(s: State, hi: number, lo: number): void {
  const older = hi === s.lastHi ? lo >>> 0 < s.lastLo >>> 0 : hi >>> 0 < s.lastHi >>> 0;
  if (older) s.outOfOrder++;
  s.lastHi = hi;
  s.lastLo = lo;
}

/** A line of the function_graph tracer. */
function readGraph(s: State, text: string): boolean {
  const line = text.length < 4096 ? parseGraphLine(text) : null;
  if (!line) return false;
  return addGraphLine(s.log, s.graph, line, (seconds, event) => {
    stamp.hi = stamp.lo = 0;
    if (seconds !== undefined) {
      const m = /^(\d+)\.(\d+)$/.exec(seconds)!;
      const ns = BigInt(m[1]!) * 1_000_000_000n + BigInt(m[2]!.padEnd(9, '0'));
      stamp.hi = Number((ns >> 32n) & 0xffffffffn);
      stamp.lo = Number(ns & 0xffffffffn);
      noteOrder(s, stamp.hi, stamp.lo);
    }
    addRow(s.log, stamp.hi, stamp.lo, s.log.dicts.event.intern(event));
  });
}

/** Everything that is no plain event line. `depth` counts what was taken off the line's front. */
function readSlowly(s: State, text: string, depth: number): boolean {
  if (readHtml(s, text)) return true;
  if (text.startsWith('#')) {
    readComment(s, text);
    return true;
  }
  if (text.trim() === '' || readOther(s, text) || readGraph(s, text)) return true;
  const inner = unescapeHtml(text.slice(prefixLength(text))).replace(/\\n\\$/, '');
  if (inner === text || depth > 2) return false;
  const bytes = Buffer.from(inner, 'utf8');
  return readLine(s, bytes, 0, bytes.length, depth + 1);
}

/** A line of a page, where characters may be escaped. */
function readEscaped(s: State, text: string): boolean {
  const bytes = Buffer.from(unescapeHtml(text), 'utf8');
  return readLine(s, bytes, 0, bytes.length, 1);
}

function readLine(s: State, buf: Uint8Array, start: number, end: number, depth: number): boolean {
  if (s.inTrace && depth === 0) return readEscaped(s, textOf(buf, start, end));
  if (buf[start] !== HASH && readHead(buf, start, end)) {
    if (s.frames) endStack(s);
    addEvent(s, buf, end);
    return true;
  }
  const text = textOf(buf, start, end);
  if (s.frames && !/^[\s>]*=>/.test(text)) endStack(s);
  return readSlowly(s, text, depth);
}

function finish(s: State): void {
  endStack(s);
  const { meta, log, graph } = s;
  addLoss(meta, null, s.overwritten);
  if (s.outOfOrder > 0) meta.notes.push(`${s.outOfOrder} events are older than the one before`);
  if (graph.undated > 0) {
    meta.notes.push(
      `${graph.undated} function_graph lines have no stamp (no funcgraph-abstime): 0`,
    );
  }
  if (s.around > 0) meta.notes.push(`${s.around} lines of HTML around the trace`);
  const entries = log.total + graph.leaves; // a leaf is an entry and an exit in the ring buffer
  if (meta.stated !== null && meta.stated !== entries && meta.stated !== log.total) {
    meta.notes.push(`the header states ${meta.stated} events, the body has ${log.total}`);
  }
}

/** The input's pieces, decoded if they are a mail's in quoted-printable. */
async function* plain(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const it = chunks[Symbol.asyncIterator]();
  const first = await it.next();
  if (first.done) return;
  async function* whole() {
    yield first.value as Uint8Array;
    for (let n = await it.next(); !n.done; n = await it.next()) yield n.value;
  }
  yield* isQuotedPrintable(first.value.subarray(0, 1 << 16)) ? unquotePrintable(whole()) : whole();
}

/** Text of tracefs' `trace` file, in all its variants, and of trace-cmd report. */
export const ftrace: Importer = {
  about: "text of tracefs' trace file and of trace-cmd report, also in a mail or a web page",
  sniff: (bytes) => sniffText(bytes),
  async read(input: Input, log: Log, meta: TraceMeta): Promise<void> {
    const s = newState(log, meta);
    await eachLine(plain(input.chunks()), (buf, start, end, line, offset) => {
      if (end === start || readLine(s, buf, start, end, 0)) return;
      addUnparsed(meta, { line, offset, text: textOf(buf, start, Math.min(end, start + 200)) });
    });
    finish(s);
  },
};

/** Does any of the first lines read as one of ftrace's? */
function sniffText(bytes: Uint8Array): boolean {
  if (holds(bytes, 0, bytes.length, TRACER)) return true;
  const head = isQuotedPrintable(bytes) ? decodeAll(bytes) : bytes;
  let start = 0;
  for (let at = head.indexOf(10); at >= 0; at = head.indexOf(10, start)) {
    if (sniffLine(head, start, at)) return true;
    start = at + 1;
  }
  return sniffLine(head, start, head.length);
}

function sniffLine(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start > 4096) return false;
  if (readHead(buf, start, end)) return true;
  const text = textOf(buf, start, end);
  const line = text.slice(prefixLength(text));
  if (line.startsWith('# tracer: ')) return true;
  if (parseGraphLine(line)?.cpu !== undefined) return true;
  const inner = Buffer.from(unescapeHtml(line), 'utf8');
  return inner.length !== end - start && readHead(inner, 0, inner.length);
}
