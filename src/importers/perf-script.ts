import { hasCell } from '../events/drop.js';
import { addRow, type Log, setDict, setInt, setText } from '../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../events/meta.js';
import { isMarker, putMarker } from './ftrace/markers.js';
import { matcherOf, putPayload } from './ftrace/payload.js';
import { FormatError, type Importer } from './importer.js';
import { eachText } from './lines.js';
import {
  eventName,
  frameOf,
  parseSample,
  type Sample,
  sourceOf,
  withoutThread,
} from './perf-script/line.js';

interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  frames: string[] | null;
  undated: number;
  /** Did a line have a comm and no thread? Then others have none, either. */
  threadless: boolean;
  /** Numbers read as a thread that may be the end of a comm. */
  doubtful: number;
  /** Samples that read like lines of ftrace, and where the first stands. */
  dashed: number;
  firstDashed: string;
}

function endStack(s: State): void {
  if (s.frames && s.frames.length > 0) setText(s.log, 'stack', s.frames.join('\n'));
  s.frames = null;
}

const int32 = (text: string): number | null => {
  const v = Number(text);
  return v >= -1 && v <= 0x7fffffff ? v : null;
};

/** The payload of a tracepoint. Its period is 1 but for events that count something else. */
function putTracepoint(log: Log, name: string, { text, period }: Sample): void {
  if (isMarker(name)) putMarker(log, text);
  else {
    const bytes = Buffer.from(text, 'utf8');
    putPayload(log, matcherOf(name), bytes, 0, bytes.length);
  }
  const counts = period !== undefined && period !== '1';
  if (counts && !hasCell(log, 'detail')) setText(log, 'detail', `period=${period}`);
}

/** Period, and the address and symbol that stand behind a sample without a call chain. */
function putCounter(log: Log, p: Sample): void {
  const at = /^([0-9a-f]{6,16}) (\S+)(?: \(.*?\))?(?: (?:insn|ilen): .*)?$/.exec(p.text.trim());
  if (at && !p.event.includes('_')) setDict(log, 'at', at[2]!);
  const detail = [
    ...(p.period === undefined ? [] : [`period=${p.period}`]),
    ...(p.text === '' ? [] : [p.text.trim()]),
  ];
  if (detail.length > 0) setText(log, 'detail', detail.join(' '));
}

function addSample(s: State, p: Sample): void {
  const { log, meta } = s;
  const lost = /^PERF_RECORD_LOST/.test(p.event) ? /lost (\d+)/.exec(p.text) : null;
  if (lost) {
    const cpu = p.cpu === undefined ? null : Number(p.cpu);
    addGap(meta, { cpu, seq: log.total, lost: Number(lost[1]) });
    return;
  }
  const ns = p.ns ?? 0n;
  if (p.ns === null) s.undated++;
  const name = eventName(p.event);
  addRow(
    log,
    Number((ns >> 32n) & 0xffffffffn),
    Number(ns & 0xffffffffn),
    log.dicts.event.intern(name),
  );
  if (p.cpu !== undefined) setInt(log, 'cpu', Number(p.cpu));
  const [tid, pid] = [p.tid, p.pid].map((id) => (id === undefined ? null : int32(id)));
  if (tid != null) setInt(log, 'pid', tid);
  if (pid != null) setInt(log, 'tgid', pid);
  if (p.comm !== undefined) setDict(log, 'task', p.comm);
  if (p.flags !== undefined) setDict(log, 'flags', p.flags);
  if (p.text !== '' && name !== p.event) putTracepoint(log, name, p);
  else putCounter(log, p);
  s.frames = [];
}

/** '# os release : 6.1.0', '# nrcpus online : 8' of perf script --header. */
function readComment(meta: TraceMeta, text: string): void {
  const m = /^#\s*([\w ]+?)\s*:\s*(.*)$/.exec(text);
  if (m?.[1] === 'os release') meta.kernel ??= m[2]!;
  if (m?.[1] === 'nrcpus online') meta.cpus = Number(m[2]) || null;
}

/** A line of an open call chain: a frame, or where the one above stands in the source. */
function readFrame(frames: string[], text: string): boolean {
  const f = frameOf(text);
  const at = f === null ? sourceOf(text) : null;
  if (f !== null) frames.push(f);
  else if (at !== null) frames.push(`${frames.pop() ?? ''} ${at}`.trimStart());
  return f !== null || at !== null;
}

/** Settle whether a number before the stamp is a thread: the columns are the same in all lines. */
function settleThread(s: State, p: Sample, text: string): Sample {
  if (p.comm !== undefined && p.tid === undefined) s.threadless = true;
  if (p.doubt === null) return p;
  const whole = p.doubt === 'comm' || s.threadless ? withoutThread(text) : null;
  if (whole) s.threadless = true;
  else s.doubtful++;
  return whole ?? p;
}

function readLine(s: State, text: string): boolean {
  if (text.startsWith('#')) {
    readComment(s.meta, text);
    return true;
  }
  if (s.frames && readFrame(s.frames, text)) return true;
  const found = parseSample(text, true);
  if (!found) return false;
  endStack(s);
  addSample(s, settleThread(s, found, text));
  return true;
}

/** 'bash-12', where a thread should stand: ftrace writes it so. */
const ftraceTask = /^.*\S-\d+\s+(\([\s\d-]*\)\s*)?\[/;
/** Lines after which the file is known by them. */
const enough = 64;

/** @throws FormatError if all that was read reads like ftrace's lines: their tasks would be wrong. */
function refuseFtrace(s: State): void {
  if (s.dashed === 0 || s.dashed < s.log.total) return;
  throw new FormatError(
    `this is text of ftrace and not of perf script (${s.firstDashed}): read it with --format ftrace`,
  );
}

function notes({ undated, doubtful }: State): string[] {
  return [
    ...(undated > 0 ? [`${undated} samples have no time stamp: 0`] : []),
    ...(doubtful > 0
      ? [
          `${doubtful} numbers behind a comm are taken as its thread, but may be part of it: perf script -F +tid tells`,
        ]
      : []),
  ];
}

/** Text of perf script, with the usual sets of fields, and call chains. */
export const perfScript: Importer = {
  about: 'text of perf script',
  sniff(bytes) {
    const lines = Buffer.from(bytes).toString('latin1').split('\n', 400);
    if (/^# (captured on|cmdline : .*perf)/m.test(lines.slice(0, 40).join('\n'))) return true;
    const first = lines.filter(
      (l) => l.trim() !== '' && !l.startsWith('#') && frameOf(l) === null && sourceOf(l) === null,
    );
    const own = first.slice(0, 40).filter((l) => !ftraceTask.test(l));
    const loose = own.filter((l) => parseSample(l, true)).length;
    return own.some((l) => parseSample(l)) || (loose > 0 && loose === own.length);
  },
  async read(input, log, meta) {
    const s: State = {
      ...{ log, meta, frames: null, undated: 0, threadless: false, doubtful: 0 },
      ...{ dashed: 0, firstDashed: '' },
    };
    await eachText(input.chunks(), (at, cut) => {
      const { line, offset, text } = at;
      const { total } = log;
      if (text.trim() === '') return endStack(s);
      if (!readLine(s, text) || cut) addUnparsed(meta, at);
      if (log.total === total || !ftraceTask.test(text)) return;
      if (s.dashed++ === 0) s.firstDashed = `line ${line}, byte ${offset}`;
      if (s.dashed === enough) refuseFtrace(s);
    });
    endStack(s);
    refuseFtrace(s);
    meta.notes.push(...notes(s));
  },
};

/** perf.data, through `perf script`. */
export const perfData: Importer = {
  about: 'perf.data, if perf is on the PATH',
  sniff: (b) => /^(PERFILE2|2ELIFREP)$/.test(Buffer.from(b.subarray(0, 8)).toString('latin1')),
  read: (input, log, meta) =>
    perfScript.read(
      {
        ...input,
        chunks: () =>
          input.tool('perf', ['script', '--header', '--ns', '--show-lost-events', '-i']),
      },
      log,
      meta,
    ),
};
