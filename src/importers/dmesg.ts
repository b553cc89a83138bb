import { addRow, type Log, setBool, setDict, setF64, setInt, setText } from '../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../events/meta.js';
import { endDump, newDump, readDump } from './dmesg/dump.js';
import {
  endReport,
  newReport,
  openReport,
  type Report,
  readReport,
  reportOf,
} from './dmesg/report.js';
import { type LogLine, signature, splitLogLine } from './dmesg/stamp.js';
import { isMailHeader } from './ftrace/wrap.js';
import type { Importer } from './importer.js';
import { eachText, type TextLine } from './lines.js';
import { plainHead, plainText } from './quoted-printable.js';

const summary = /^Summary: (\S+) passed: (\d+)(.*)$/;
const worker = /^All test took worker(\d+)=(\d+) cycles/;
const checked = /^Checked W\+X mappings: (\w+)/;
const dropped = /^\*\* (\d{1,15}) printk messages dropped/;
/** What journalctl and pstore put between the lines, and the properties below a record of /dev/kmsg. */
const around =
  /^(?:-- (?:Journal begins|Logs begin|Boot [0-9a-f]{32}|Reboot|No entries|cursor: )|(?:Panic|Oops|Emergency|Shutdown|Unknown)#\d+ Part ?\d+\s*$|====\d+\.\d+(?:-[CD])?\s*$| [A-Z][A-Z_]*=)/;

interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  readonly report: Report;
  readonly dump: ReturnType<typeof newDump>;
  /** Stamp of the line before; null before the first. */
  now: bigint | null;
  /** Lines without a stamp that came before the first that has one. */
  held: TextLine[];
  /** The host that journalctl or syslog names. */
  host: string | null;
  mail: boolean;
  undated: number;
  /** Stamps of the wall clock; lines around the log; lines of other programs. */
  wall: number;
  around: number;
  others: number;
  /** Number of the last record of /dev/kmsg, and how many were missing before it. */
  seq: number | null;
  missing: number;
}

/** 'passed: 1 failed: 0 loops: 1000000 avg: 955334 usec' -> value by name; older lines lack some. */
const value = (text: string, name: string): number | null => {
  const m = new RegExp(`\\b${name}: (\\d+)`).exec(text);
  return m ? Number(m[1]) : null;
};

function putSummary(log: Log, text: string, test: string): void {
  setDict(log, 'at', test);
  const loops = value(text, 'loops');
  const avg = value(text, 'avg');
  if (loops !== null) setF64(log, 'count', loops);
  if (avg !== null) setF64(log, 'duration_ns', avg * 1000);
  setBool(log, 'ok', value(text, 'failed') !== null ? value(text, 'failed') === 0 : true);
}

/** What a line says beyond being one; null for any other. */
function nameOf(text: string): string | null {
  if (summary.test(text)) return 'test_vmalloc_summary';
  if (worker.test(text)) return 'test_vmalloc_worker';
  if (checked.test(text)) return 'wx_check';
  return reportOf(text)?.name ?? null;
}

function addLine(s: State, ns: bigint, { text, caller }: LogLine): void {
  const { log, report } = s;
  endReport(log, report);
  const event = log.dicts.event.intern(nameOf(text) ?? 'printk');
  addRow(log, Number((ns >> 32n) & 0xffffffffn), Number(ns & 0xffffffffn), event);
  const done = summary.exec(text);
  const took = worker.exec(text);
  const begun = done || took ? null : reportOf(text);
  if (done) putSummary(log, text, done[1]!);
  if (took) setF64(log, 'count', Number(took[2]));
  if (begun) openReport(log, report, text, begun);
  if (text !== '') setText(log, 'detail', text);
  if (caller?.[0] === 'T' && caller[1] <= 0x7fffffff) setInt(log, 'pid', caller[1]);
  if (caller?.[0] === 'C' && caller[1] <= 0xffff) setInt(log, 'cpu', caller[1]);
}

/** A line whose stamp is known: part of a dump, of a report, or one of its own. */
function place(s: State, ns: bigint, l: LogLine): void {
  const { log, report, meta, dump } = s;
  const lost = dropped.exec(l.text);
  if (lost) addGap(meta, { cpu: null, seq: log.total, lost: Number(lost[1]) });
  if (readDump(log, meta, dump, l.text)) return;
  if (report.open && readReport(log, report, l.text)) return;
  addLine(s, ns, l);
}

/** Place the lines that came before the first stamp. */
function release(s: State, ns: bigint): void {
  for (const h of s.held.splice(0)) readUndated(s, ns, splitLogLine(h.text), h);
}

/** A line without a stamp. In a mail it is prose, but for what only the kernel writes. */
function readUndated(s: State, ns: bigint, l: LogLine, at: TextLine): void {
  const isReport = s.report.open && readReport(s.log, s.report, l.text);
  const isProse = s.mail && nameOf(l.text) === null;
  if (!isReport && isProse) addUnparsed(s.meta, at);
  else s.undated++;
  if (!isReport && !isProse) place(s, ns, l);
}

/** Is it a line of another program, in a log of several? */
function isOther(s: State, l: LogLine): boolean {
  s.host ??= l.program === 'kernel' ? l.host! : null;
  if (l.program !== undefined) return l.program !== 'kernel';
  const by = l.ns !== null && s.host !== null ? signature(l.text) : null;
  return by !== null && by.host === s.host;
}

function countMissing(s: State, seq: number | undefined): void {
  if (seq === undefined) return;
  if (s.seq !== null && seq > s.seq + 1) s.missing += seq - s.seq - 1;
  s.seq = seq;
}

/** Lines held back at most; a log without any stamp has them from 0 on. */
const mostHeld = 1000;

function readLine(s: State, at: TextLine): void {
  if (around.test(at.text)) {
    s.around++;
    return;
  }
  const l = splitLogLine(at.text);
  s.mail ||= isMailHeader(at.text);
  if (isOther(s, l)) {
    s.others++;
    return;
  }
  const ns = l.ns ?? (l.delta === null ? null : (s.now ?? 0n) + l.delta);
  if (ns === null) {
    if (s.now !== null) readUndated(s, s.now, l, at);
    else s.held.push(at);
    if (s.held.length >= mostHeld) release(s, 0n);
    return;
  }
  if (s.held.length > 0) release(s, ns);
  if (l.isWall) s.wall++;
  countMissing(s, l.seq);
  s.now = ns;
  place(s, ns, l);
}

function notes({ undated, now, wall, others, missing, ...s }: State): string[] {
  const given = now === null ? '0' : 'given that of the line before';
  return [
    ...(undated > 0 ? [`${undated} lines have no time stamp: ${given}`] : []),
    ...(wall > 0
      ? [`${wall} stamps are of the wall clock, taken as UTC where no zone is said`]
      : []),
    ...(s.around > 0 ? [`${s.around} lines around the log, of journalctl, pstore or kmsg`] : []),
    ...(others > 0 ? [`${others} lines are of other programs than the kernel: left out`] : []),
    ...(missing > 0 ? [`${missing} numbers are missing among the records`] : []),
    ...(s.dump.dumps > 0 ? [`${s.dump.dumps} dumps of ftrace's buffer among the lines`] : []),
  ];
}

const newState = (log: Log, meta: TraceMeta): State => ({
  ...{ log, meta, report: newReport(), dump: newDump(), now: null, held: [], host: null },
  ...{ mail: false, undated: 0, wall: 0, around: 0, others: 0, seq: null, missing: 0 },
});

/** Only the kernel writes this. */
const certain = /^(test_vmalloc|sleeping_function|bug_atomic|sanitizer_report)/;

/** The kernel's log: test_vmalloc's summaries, reports with their call traces, and all other lines. */
export const dmesg: Importer = {
  about: "the kernel's log (dmesg): test_vmalloc summaries, warnings with their stacks",
  sniff(bytes) {
    const given = Buffer.from(plainHead(bytes))
      .toString('latin1')
      .split('\n')
      .filter((l) => l.trim() !== '' && !around.test(l))
      .map((l) => splitLogLine(l.trimEnd()));
    if (given.some((l) => certain.test(nameOf(l.text) ?? ''))) return true;
    if (/^Linux version \d+\.\d+/.test(given[0]?.text ?? '')) return true;
    const isDated = (l: LogLine) => l.ns !== null || l.delta !== null;
    const from = given.findIndex(isDated); // a boot loader may come first
    const log = given.slice(from, from + 200);
    const dated = log.filter(isDated).length;
    return dated * 2 > log.length && (from === 0 || dated > 2);
  },
  async read(input, log, meta) {
    const s = newState(log, meta);
    await eachText(plainText(input.chunks()), (at, cut) => {
      if (at.text.trim() === '') return;
      readLine(s, at);
      if (cut) addUnparsed(meta, at);
    });
    release(s, 0n);
    endReport(log, s.report);
    endDump(s.dump);
    meta.notes.push(...notes(s));
  },
};
