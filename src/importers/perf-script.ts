import { decodeText } from '../events/dict.js';
import { addRow, type Log, setDict, setInt, setText } from '../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../events/meta.js';
import type { Importer } from './importer.js';
import { eachLine } from './lines.js';
import { matcherOf, putPayload } from './payload.js';

/** comm, [pid/]tid, [cpu], flags, stamp, period, event, text; most of them may be missing. */
const sample =
  /^\s*(\S(?:.*?\S)?)\s+(?:(-?\d+)\/)?(-?\d+)\s+(?:\[(\d{1,5})\]\s+)?(?:([.dDXbNnpPhHsSzZ\d]{4,6})\s+)?(?:(\d{1,12})\.(\d{1,9}):\s+)?(?:(\d{1,19})\s+)?([A-Za-z_][^\s]*?|PERF_RECORD_\w+):?(?:(?<=:)(?=\s|$)|(?=\slost))\s*(.*)$/;

/** '\tffffffff81060 native_write_msr+0x4 ([kernel.kallsyms])'. */
const frame = /^\s+([0-9a-f]{1,16})\s+(.*\S)\s*$/;

interface Sample {
  readonly comm: string;
  readonly pid: string | undefined;
  readonly tid: string;
  readonly cpu: string | undefined;
  readonly flags: string | undefined;
  readonly ns: bigint | null;
  readonly period: string | undefined;
  readonly event: string;
  readonly text: string;
}

/** Take a sample's first line apart; null if it is none. */
export function parseSample(line: string): Sample | null {
  if (line.length > 8192) return null;
  const m = sample.exec(line);
  if (!m) return null;
  const [, comm, pid, tid, cpu, flags, seconds, fraction, period, event, text] = m;
  if (cpu === undefined && seconds === undefined && period === undefined) return null;
  const ns =
    seconds === undefined
      ? null
      : BigInt(seconds) * 1_000_000_000n + BigInt(fraction!.padEnd(9, '0'));
  return { comm: comm!, pid, tid: tid!, cpu, flags, ns, period, event: event!, text: text! };
}

/** 'sched:sched_switch' -> 'sched_switch'; 'cycles:ppp' stays: what follows are modifiers. */
const eventName = (name: string): string =>
  /^[a-z]\w*:(?![ukhHGpPSDeIbW]{1,6}$)[A-Za-z_]\w*$/.test(name)
    ? name.slice(name.indexOf(':') + 1)
    : name;

interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  frames: string[] | null;
  undated: number;
}

function endStack(s: State): void {
  if (s.frames && s.frames.length > 0) setText(s.log, 'stack', s.frames.join('\n'));
  s.frames = null;
}

const int32 = (text: string): number | null => {
  const v = Number(text);
  return v >= -1 && v <= 0x7fffffff ? v : null;
};

/** Period, and the address and symbol that stand behind a sample without a call chain. */
function putSample(log: Log, p: Sample): void {
  const detail: string[] = [];
  if (p.period !== undefined) detail.push(`period=${p.period}`);
  const at = /^([0-9a-f]{6,16}) (\S+)(?: \((.*)\))?$/.exec(p.text.trim());
  if (at && !p.event.includes('_')) setDict(log, 'at', at[2]!);
  const name = eventName(p.event);
  if (p.text !== '' && name !== p.event) {
    const bytes = Buffer.from(p.text, 'utf8');
    putPayload(log, matcherOf(name), bytes, 0, bytes.length);
    if (detail.length === 0) return;
  }
  if (p.text !== '') detail.push(p.text.trim());
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
  const name = log.dicts.event.intern(eventName(p.event));
  addRow(log, Number((ns >> 32n) & 0xffffffffn), Number(ns & 0xffffffffn), name);
  if (p.cpu !== undefined) setInt(log, 'cpu', Number(p.cpu));
  const tid = int32(p.tid);
  const pid = p.pid === undefined ? null : int32(p.pid);
  if (tid !== null) setInt(log, 'pid', tid);
  if (pid !== null) setInt(log, 'tgid', pid);
  setDict(log, 'task', p.comm);
  if (p.flags !== undefined) setDict(log, 'flags', p.flags);
  putSample(log, p);
  s.frames = [];
}

/** '# os release : 6.1.0', '# nrcpus online : 8' of perf script --header. */
function readComment(meta: TraceMeta, text: string): void {
  const m = /^#\s*([\w ]+?)\s*:\s*(.*)$/.exec(text);
  if (m?.[1] === 'os release') meta.kernel ??= m[2]!;
  if (m?.[1] === 'nrcpus online') meta.cpus = Number(m[2]) || null;
}

function readLine(s: State, text: string): boolean {
  if (text.startsWith('#')) {
    readComment(s.meta, text);
    return true;
  }
  const f = s.frames && frame.exec(text);
  if (f) {
    const [, address, rest] = f as unknown as [string, string, string];
    s.frames!.push(rest.startsWith('[unknown]') ? `${address} ${rest}` : rest);
    return true;
  }
  const p = parseSample(text);
  if (!p) return false;
  endStack(s);
  addSample(s, p);
  return true;
}

/** Text of perf script, with the usual sets of fields, and call chains. */
export const perfScript: Importer = {
  about: 'text of perf script',
  sniff(bytes) {
    const lines = Buffer.from(bytes).toString('latin1').split('\n', 400);
    if (/^# (captured on|cmdline : .*perf)/m.test(lines.slice(0, 40).join('\n'))) return true;
    const first = lines.filter((l) => l.trim() !== '' && !l.startsWith('#'));
    return first
      .slice(0, 40)
      .some((l) => !/^\s*\S.*-\d+\s+(\(.*\)\s*)?\[/.test(l) && parseSample(l));
  },
  async read(input, log, meta) {
    const s: State = { log, meta, frames: null, undated: 0 };
    await eachLine(input.chunks(), (buf, start, end, line, offset) => {
      const text = decodeText(buf.subarray(start, Math.min(end, start + 16384)));
      if (text.trim() === '') return endStack(s);
      if (!readLine(s, text)) addUnparsed(meta, { line, offset, text });
    });
    endStack(s);
    if (s.undated > 0) meta.notes.push(`${s.undated} samples have no time stamp: 0`);
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
