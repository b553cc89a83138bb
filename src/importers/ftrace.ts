import { addRow, type Log } from '../events/log.js';
import { addLoss, addUnparsed, type TraceMeta } from '../events/meta.js';
import { ascii, holds } from './bytes.js';
import { addEvent, noteOrder } from './ftrace-event.js';
import { readMany } from './ftrace-fast.js';
import { addGraphLine, parseGraphLine } from './ftrace-graph.js';
import { learnHead } from './ftrace-heads.js';
import { readHead } from './ftrace-line.js';
import {
  prefixLength,
  readComment,
  readHtml,
  readOther,
  textOf,
  unescapeHtml,
} from './ftrace-other.js';
import { stamp } from './ftrace-stamp.js';
import { endStack, newState, type State } from './ftrace-text.js';
import type { Importer, Input } from './importer.js';
import { eachLine, type OnLine } from './lines.js';
import { decodeAll, isQuotedPrintable, unquotePrintable } from './quoted-printable.js';

const HASH = 0x23;
const TRACER = ascii('# tracer: ');

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
    if (depth === 0) learnHead(s.heads, buf);
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
    const onLine: OnLine = (buf, start, end, line, offset) => {
      if (end === start || readLine(s, buf, start, end, 0)) return;
      addUnparsed(meta, { line, offset, text: textOf(buf, start, Math.min(end, start + 200)) });
    };
    await eachLine(plain(input.chunks()), onLine, (buf, from, end, count) =>
      readMany(s, buf, from, end, count),
    );
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
