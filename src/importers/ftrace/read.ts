import { decodeText } from '../../events/dict.js';
import { addRow, setDict, setText } from '../../events/log.js';
import { addEvent, noteOrder } from './event.js';
import { addGraphLine } from './graph.js';
import { type GraphLine, parseGraphLine } from './graph-line.js';
import { learnHead } from './heads.js';
import { head, readHead } from './line.js';
import { readMmio } from './mmio.js';
import {
  filePrefix,
  isConsole,
  prefixLength,
  readComment,
  readHtml,
  readLoss,
  readOther,
  readReportLine,
  setStampWords,
  textOf,
  unescapeHtml,
  unescapeString,
} from './other.js';
import { stamp } from './stamp.js';
import { endStack, type State } from './state.js';
import { readVerbose } from './verbose.js';
import { isMailHeader, joinLine, keepLine, type Wrapped } from './wrap.js';

const HASH = 0x23;
const COLON = 0x3a;
const DOT = 0x2e;
const LETTER_S = 0x73;
const isDigit = (b: number | undefined): boolean => b! >= 48 && b! <= 57;
const GREATER = 0x3e;

/** Put the stamp of a function_graph line, if it has one, into `stamp`. */
function readGraphStamp(s: State, line: GraphLine): void {
  setStampWords(0n);
  const m = /^(\d+)\.(\d+)$/.exec(line.seconds ?? '');
  if (m) setStampWords(BigInt(m[1]!) * 1_000_000_000n + BigInt(m[2]!.padEnd(9, '0')));
  else if (line.relative_us !== undefined) setStampWords(BigInt(line.relative_us) * 1000n);
  else return;
  noteOrder(s, stamp.hi, stamp.lo);
}

/** A line of the function_graph tracer. */
function readGraph(s: State, text: string): boolean {
  if (text.length >= 4096) return false;
  const line = parseGraphLine(text, s.tracer === 'function_graph');
  if (!line) return false;
  return addGraphLine(s.log, s.graph, line, (l, event) => {
    readGraphStamp(s, l);
    addRow(s.log, stamp.hi, stamp.lo, s.log.dicts.event.intern(event));
  });
}

/**
 * '[UNKNOWN EVENT][UNKNOWN EVENT] (NULL): …' or, of old versions, 'ug! no event found for type 1585', all that
 * trace-cmd report says of an event whose format its file lacks: it is put where the event before it was.
 */
function readFormless(s: State, text: string): boolean {
  if (!/^(\[UNKNOWN EVENT\]|ug! no event found for type \d+)/.test(text)) return false;
  const { log } = s;
  addRow(log, s.lastHi, s.lastLo, log.dicts.event.intern('unknown'));
  setText(log, 'detail', text);
  s.formless++;
  return true;
}

/** What is known but no event of ftrace's usual form. */
const readKnown = (s: State, text: string): boolean =>
  text.trim() === '' ||
  readOther(s, text) ||
  readGraph(s, text) ||
  readMmio(s, text) ||
  readVerbose(s, text) ||
  readFormless(s, text);

/** 'guest.dat:  bash-12 …': what trace-cmd report writes where it reads several files. */
function readOfFile(s: State, text: string): boolean {
  const file = filePrefix(text);
  if (!file) return false;
  const rest = text.slice(file.length);
  const bytes = Buffer.from(rest, 'utf8');
  if (readHead(bytes, 0, bytes.length)) {
    endStack(s);
    addEvent(s, bytes, bytes.length);
  } else if (!readFormless(s, rest)) return readLoss(s, rest) || readReportLine(s, rest);
  setDict(s.log, 'source', file.name);
  return true;
}

/** Everything that is no plain event line. `depth` counts what was taken off the line's front. */
function readSlowly(s: State, text: string, depth: number, whole: () => string): boolean {
  if (readHtml(s, text)) return true;
  if (/^(?:#|\s+#(?:\s|$))/.test(text)) {
    readComment(s, text.trimStart()); // people indent what they quote
    return true;
  }
  if (readKnown(s, text)) return true;
  const length = prefixLength(text);
  const inner = unescapeHtml((length > 0 ? whole() : text).slice(length)).replace(/\\n\\$/, '');
  if (inner === text || depth > 2) return readOfFile(s, text);
  const bytes = Buffer.from(inner, 'utf8');
  if (readLine(s, bytes, 0, bytes.length, depth + 1)) return true;
  if (!isConsole(text)) return false;
  s.console++;
  return true;
}

/** A line of a page, where characters may be escaped. */
function readEscaped(s: State, text: string): boolean {
  const plain = s.inString ? unescapeString(text) : unescapeHtml(text);
  const bytes = Buffer.from(plain, 'utf8');
  return readLine(s, bytes, 0, bytes.length, 1);
}

/** May `text` be the rest of the line `before`, which a mailer wrapped? Then that event is read again. */
function readRest(s: State, before: Wrapped | null, text: string): boolean {
  const whole = before && joinLine(s, before, text);
  if (!whole) return false;
  const bytes = Buffer.from(whole.text, 'utf8');
  readLine(s, bytes, 0, bytes.length, 1);
  s.wrapped = { ...whole, total: s.log.total };
  s.joined++;
  return true;
}

/** Read a line of the source. False if it is not understood. */
export function readSourceLine(s: State, buf: Uint8Array, start: number, end: number): boolean {
  const { total } = s.log;
  const before = s.wrapped;
  s.wrapped = null;
  if (end === start) return true;
  if (readLine(s, buf, start, end, 0)) {
    const isQuoted = s.mail || buf[start] === GREATER || buf[start + 1] === GREATER;
    if (s.log.total > total && isQuoted) s.wrapped = keepLine(s, textOf(buf, start, end));
    return true;
  }
  const text = textOf(buf, start, end);
  s.mail ||= isMailHeader(text);
  return readRest(s, before, text);
}

/** Is the stamp before the event a bare number, neither '1.000001:' nor '25us:'? */
function isTicks(buf: Uint8Array): boolean {
  for (let at = head.end; at < head.body; at++) {
    if (buf[at] === COLON) return true;
    if (buf[at] === LETTER_S || (buf[at] === DOT && isDigit(buf[at - 1]))) return false;
  }
  return false;
}

/** Read the line `buf[start, end)`; `depth` counts what was taken off its front. False if it is not understood. */
function readLine(s: State, buf: Uint8Array, start: number, end: number, depth: number): boolean {
  if (s.inTrace && depth === 0) return readEscaped(s, decodeText(buf.subarray(start, end)));
  if (buf[start] !== HASH && readHead(buf, start, end)) {
    if (s.frames) endStack(s);
    s.ticks ??= isTicks(buf);
    addEvent(s, buf, end);
    if (depth === 0) learnHead(s.heads, buf);
    return true;
  }
  const text = textOf(buf, start, end);
  if (s.frames && !/^[\s>]*=>/.test(text.slice(prefixLength(text)))) endStack(s);
  return readSlowly(s, text, depth, () => decodeText(buf.subarray(start, end)));
}
