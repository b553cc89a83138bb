import type { Log } from '../events/log.js';
import type { TraceMeta } from '../events/meta.js';
import { ascii, holds } from './bytes.js';
import { parseGraphLine } from './ftrace/graph-line.js';
import { readHead } from './ftrace/line.js';
import { filePrefix, prefixLength, textOf, unescapeHtml } from './ftrace/other.js';
import { newState } from './ftrace/state.js';
import { finish, readLines } from './ftrace/text.js';
import { isVerbose } from './ftrace/verbose.js';
import type { Importer, Input } from './importer.js';
import { headBytes, peek } from './peek.js';
import { decodeAll, isQuotedPrintable, unquotePrintable } from './quoted-printable.js';
import { readInThreads } from './threads/read.js';

const TRACER = ascii('# tracer: ');

/** Text of tracefs' `trace` file, in all its variants, and of trace-cmd report. */
export const ftrace: Importer = {
  about: "text of tracefs' trace file and of trace-cmd report, also in a mail or a web page",
  sniff: (bytes) => sniffText(bytes),
  async read(input: Input, log: Log, meta: TraceMeta): Promise<void> {
    const s = newState(log, meta);
    const { head, pieces } = await peek(input.chunks());
    if (isQuotedPrintable(head.subarray(0, headBytes)))
      await readLines(s, unquotePrintable(pieces));
    else await readInThreads(s, pieces, input.jobs);
    finish(s);
  },
};

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
  if (line.trimStart().startsWith('# tracer: ')) return true;
  if (parseGraphLine(line)?.cpu !== undefined || isVerbose(line)) return true;
  const inner = Buffer.from(unescapeHtml(line.slice(filePrefix(line)?.length ?? 0)), 'utf8');
  return inner.length !== end - start && readHead(inner, 0, inner.length);
}
