import type { Log } from '../events/log.js';
import { addLoss, addUnparsed, type TraceMeta } from '../events/meta.js';
import { ascii, holds } from './bytes.js';
import { refuseEmpty } from './ftrace-empty.js';
import { readMany } from './ftrace-fast.js';
import { parseGraphLine } from './ftrace-graph-line.js';
import { readHead } from './ftrace-line.js';
import { filePrefix, prefixLength, textOf, unescapeHtml } from './ftrace-other.js';
import { readSourceLine } from './ftrace-read.js';
import { endStack, newState, type State } from './ftrace-text.js';
import { isVerbose } from './ftrace-verbose.js';
import type { Importer, Input } from './importer.js';
import { eachLine, type OnLine, type Place, type ReadMany } from './lines.js';
import { decodeAll, isQuotedPrintable, unquotePrintable } from './quoted-printable.js';

const TRACER = ascii('# tracer: ');

/** What is known once all was read. */
export function finish(s: State): void {
  endStack(s);
  refuseEmpty(s);
  const { meta, log, graph } = s;
  addLoss(meta, null, s.overwritten);
  if (s.outOfOrder > 0) meta.notes.push(`${s.outOfOrder} events are older than the one before`);
  if (graph.undated > 0) {
    meta.notes.push(
      `${graph.undated} function_graph lines have no stamp (no funcgraph-abstime): 0`,
    );
  }
  if (s.around > 0) meta.notes.push(`${s.around} lines of HTML around the trace`);
  if (s.joined > 0) meta.notes.push(`${s.joined} wrapped lines were put together again`);
  if (s.formless > 0) {
    meta.notes.push(
      `${s.formless} events of unknown format, without stamp and CPU: given the stamp of the event before`,
    );
  }
  if (s.ticks)
    meta.notes.push(
      'stamps are ticks of a clock that counts (counter, x86-tsc, uptime): ts_ns holds ticks',
    );
  if (s.processes > 0) meta.notes.push(`${s.processes} lines of atrace's list of processes`);
  if (s.console > 0) {
    meta.notes.push(
      `${s.console} lines of the kernel's log around the trace: read them with --format dmesg`,
    );
  }
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
    await readLines(s, plain(input.chunks()));
    finish(s);
  },
};

/** Read lines into the log; gives where they end, as lines and bytes from the start of the source. */
export function readLines(
  s: State,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  from?: Place,
): Promise<Place> {
  const onLine: OnLine = (buf, start, end, line, offset) => {
    if (readSourceLine(s, buf, start, end)) return;
    addUnparsed(s.meta, { line, offset, text: textOf(buf, start, Math.min(end, start + 200)) });
  };
  const many: ReadMany = (buf, start, end, count) => readMany(s, buf, start, end, count);
  return eachLine(pieces, onLine, many, from);
}

/** Does any of the first lines read as one of ftrace's? */
function sniffText(bytes: Uint8Array): boolean {
  if (holds(bytes, 0, bytes.length, TRACER)) return true;
  const text = isQuotedPrintable(bytes) ? decodeAll(bytes) : bytes;
  let start = 0;
  for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, start)) {
    if (sniffLine(text, start, at)) return true;
    start = at + 1;
  }
  return sniffLine(text, start, text.length);
}

/** ":-1    -1 [001] ", with or without its columns: how perf script names a task that is gone. It reads as pid 1 of ftrace, too. */
const goneTask = /^\s*(?::-1)?\s*-1(?:\/-1)?\s/;

function sniffLine(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start > 4096) return false;
  const text = textOf(buf, start, end);
  if (readHead(buf, start, end)) return !goneTask.test(text);
  const line = text.slice(prefixLength(text));
  if (line.startsWith('# tracer: ')) return true;
  if (parseGraphLine(line)?.cpu !== undefined || isVerbose(line)) return true;
  const inner = Buffer.from(unescapeHtml(line.slice(filePrefix(line)?.length ?? 0)), 'utf8');
  return inner.length !== end - start && readHead(inner, 0, inner.length);
}
