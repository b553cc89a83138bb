import { decodeText } from '../../events/dict.js';
import { addGap } from '../../events/meta.js';
import { readSwitch } from './graph.js';
import { stamp } from './stamp.js';
import type { State } from './state.js';

const reportLine =
  /^(version = \d+|cpus=\d+|CPU \d+ is empty|trace-cmd version .*|(?:registering|overriding|removing override) .*|CPU:\d+ \[SUBBUFFER START\].*| (?:TIME EXTEND|TIME STAMP|PADDING): .*|(?:Average wakeup latency|Maximum Latency|Minimum Latency): .*|RT task timings:)$/;

/** Lines that trace-cmd report puts before the events. */
export function readReportLine(s: State, text: string): boolean {
  const cpus = /^cpus=(\d{1,5})$/.exec(text);
  if (cpus) s.meta.cpus = Math.max(s.meta.cpus ?? 0, Number(cpus[1])) || null;
  return reportLine.test(text);
}

const counts = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/;
const latencyCounts = /latency: .*#(\d+)\/(\d+), CPU#\d+/;
const tracerOn = /^# \S+ latency trace v\S+ on (\S+)/;

/** '# …': tracer, counts of events, number of CPUs, kernel. */
export function readComment(s: State, text: string): void {
  const tracer = /^# tracer: (\S+)/.exec(text);
  if (tracer) {
    s.tracer = tracer[1]!;
    s.inProcesses = false;
  }
  if (/^# \* Snapshot is freed \*/.test(text)) s.snapshot = true;
  const m = counts.exec(text) ?? latencyCounts.exec(text);
  if (m) {
    const [inBuffer, written] = [Number(m[1]), Number(m[2])];
    s.meta.stated = (s.meta.stated ?? 0) + inBuffer;
    s.overwritten += Math.max(0, written - inBuffer);
    const online = /#P:(\d+)/.exec(text);
    if (online) s.meta.cpus = Number(online[1]);
  }
  const kernel = tracerOn.exec(text);
  if (kernel) s.meta.kernel ??= kernel[1]!;
}

/** 'CPU:1 [LOST 5 EVENTS]', or a loss without a number. */
export function readLoss(s: State, text: string): boolean {
  const m = /^\s*CPU:(\d+) \[(?:LOST (?:(\d+) )?EVENTS|(?:(\d+) )?EVENTS DROPPED)\]/.exec(text);
  if (!m) return false;
  const count = m[2] ?? m[3];
  const lost = count === undefined ? null : Number(count);
  addGap(s.meta, { cpu: Number(m[1]), seq: s.log.total, lost });
  return true;
}

/** ' => func' below a stack's line. */
function readFrame(s: State, text: string): boolean {
  if (!s.frames) return false;
  const m = /^\s*=>\s*(.*)$/.exec(text);
  if (!m) return false;
  s.frames.push(m[1]!);
  return true;
}

/** What atrace writes around a trace: a word before it, and the processes that ran behind it. */
function readAtrace(s: State, text: string): boolean {
  if (/^(capturing trace\.\.\. done|TRACE:)\s*$/.test(text)) return true;
  if (/^(PROCESS DUMP|USER\s+PID\s)/.test(text)) s.inProcesses = true;
  if (s.inProcesses) s.processes++;
  return s.inProcesses;
}

/** Lines that are no events but known: losses, markers of the buffer, frames of a stack. */
export function readOther(s: State, text: string): boolean {
  return (
    readFrame(s, text) ||
    readLoss(s, text) ||
    /^\s*(-{5,}|=+)\s*$/.test(text) ||
    readSwitch(s.graph, text) ||
    readReportLine(s, text) ||
    readAtrace(s, text)
  );
}

/** What a mailer or a console put before a line: '> > ', '| ', '[    1.234567] ', '<6>'. */
const prefix = /^(?:\s*>)+ ?|^\| |^(?:<\d+>)?\[\s*\d+\.\d+\](?: ?\[\s*[CT]\d+\])? ?/;

/** A stamp of the kernel's log. */
const consoleStamp = /^(?:<\d+>)?\[\s*\d+\.\d+\]/;

/** Is it a line of the kernel's log? */
export const isConsole = (text: string): boolean => consoleStamp.test(text);

/** The file that trace-cmd report names before a line, and how long that is; null if it names none. */
export function filePrefix(text: string): { name: string; length: number } | null {
  const m = /^ *([^\s:]+): (?=.*\S)/.exec(text);
  return m && { name: m[1]!, length: m[0].length };
}

/** Characters that stand before the line proper; 0 if there are none. */
export const prefixLength = (text: string): number => prefix.exec(text)?.[0].length ?? 0;

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };
const entity = /&(lt|gt|amp|quot|#39);/g;

/** A line of a script's string, as systrace writes it: 'text\\n\\'. */
export const unescapeString = (text: string): string =>
  text.replace(/\\n\\$/, '').replaceAll(/\\(["'\\/])/g, '$1');

/** Text of a line of HTML; the same if nothing in it is escaped. */
export const unescapeHtml = (text: string): string =>
  text.replace(entity, (_, name: string) => entities[name]!);

/**
 * Follow an HTML page: traces stand in <script class="trace-data"> or, escaped, in a <pre>. True for a
 * line of the page itself.
 */
export function readHtml(s: State, text: string): boolean {
  if (s.inTrace === null) {
    if (!/^\s*<(!doctype html|html)/i.test(text)) return false;
    s.inTrace = false;
  }
  if (/<script[^>]*class="trace-data"|<!-- BEGIN TRACE|<pre|linuxPerfData = /.test(text)) {
    s.inTrace = true;
    s.inString = text.includes('linuxPerfData = ');
    return countAround(s);
  }
  if (/<\/script>|<!-- END TRACE|<\/pre>/.test(text) || (s.inString && /^";?$/.test(text))) {
    s.inTrace = false;
    return countAround(s);
  }
  return s.inTrace ? false : countAround(s);
}

function countAround(s: State): true {
  s.around++;
  return true;
}

export const textOf = (buf: Uint8Array, start: number, end: number): string =>
  decodeText(buf.subarray(start, Math.min(end, start + 4096)));

/** Make `ns` the stamp that the next row gets. */
export function setStampWords(ns: bigint): void {
  stamp.hi = Number((ns >> 32n) & 0xffffffffn);
  stamp.lo = Number(ns & 0xffffffffn);
}
