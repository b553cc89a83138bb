import { decodeText } from '../events/dict.js';
import { addRow, type Log, setDict, setInt, setText } from '../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../events/meta.js';
import type { Importer } from './importer.js';
import { eachLine } from './lines.js';
import { matcherOf, putPayload } from './payload.js';

const columns = {
  comm: String.raw`(?<comm>\S(?:.*?\S)?)\s+`,
  thread: String.raw`(?:(?<pid>-?\d+)\/)?(?<tid>-?\d+)\s+`,
  cpu: String.raw`(?:\[(?<cpu>\d{1,5})\]\s+)?`,
  flags: String.raw`(?:(?!\d+\s)(?<flags>[.dDXbNnpPhHsSzZ\d]{4,6})\s+)?`,
  /** K, U, H, G, g: where the CPU was; M, E, S: of which kind a record is (-F +misc). */
  misc: String.raw`(?:[KUHGgMES][pE]?\s+)?`,
  time: String.raw`(?<seconds>\d{1,12})\.(?<fraction>\d{1,9}):\s+`,
  period: String.raw`(?:(?<period>\d{1,19})\s+)?`,
  event: String.raw`(?:(?<record>PERF_RECORD_\w+):?(?=[\s(]|$)|(?<event>[A-Za-z_]\S*?):(?=\s|$))\s*(?<text>.*)$`,
} as const;

/** comm, [pid/]tid, [cpu], flags, stamp, period, event, text; most of them may be missing. */
const sample = new RegExp(
  `^\\s*${columns.comm}${columns.thread}${columns.cpu}${columns.flags}${columns.misc}(?:${columns.time})?${columns.period}${columns.event}`,
);

/** Without comm or thread, which perf script -F may leave out; then a stamp must stand there. */
const nameless = new RegExp(
  `^\\s*(?:${columns.thread})?${columns.cpu}${columns.flags}${columns.misc}${columns.time}${columns.period}${columns.event}`,
);
const threadless = new RegExp(
  `^\\s*${columns.comm}${columns.cpu}${columns.flags}${columns.misc}${columns.time}${columns.period}${columns.event}`,
);

/** '\tffffffff81060 native_write_msr+0x4 ([kernel.kallsyms])', or the address alone. */
const frame = /^\s+([0-9a-f]{1,16})(?:\s+(.*\S))?\s*$/;

/** Does an event's colon stand in it? A frame's place may hold '::', but no colon before a blank. */
const hasColon = /:(?:\s|$)/;

/** A frame's address and place. A sample may begin with what looks like an address: a number, or a comm such as dd. */
function frameOf(text: string): RegExpExecArray | null {
  const m = frame.exec(text);
  if (!m || !hasColon.test(text)) return m;
  return nameless.test(text) || parseSample(text) ? null : m;
}

interface Sample {
  readonly comm: string | undefined;
  readonly pid: string | undefined;
  readonly tid: string | undefined;
  readonly cpu: string | undefined;
  readonly flags: string | undefined;
  readonly ns: bigint | null;
  readonly period: string | undefined;
  readonly event: string;
  readonly text: string;
}

type Groups = Readonly<Record<string, string | undefined>>;

function sampleOf(g: Groups): Sample {
  const { comm, pid, tid, cpu, flags, period } = g;
  const ns =
    g['seconds'] === undefined
      ? null
      : BigInt(g['seconds']) * 1_000_000_000n + BigInt(g['fraction']!.padEnd(9, '0'));
  return {
    comm,
    pid,
    tid,
    cpu,
    flags,
    ns,
    period,
    event: (g['event'] ?? g['record'])!,
    text: g['text']!,
  };
}

/** Take a sample's first line apart; null if it is none. `loose`: it may lack comm or thread. */
export function parseSample(line: string, loose = false): Sample | null {
  if (line.length > 8192) return null;
  const m = sample.exec(line)?.groups as Groups | undefined;
  if (m && (m['cpu'] ?? m['seconds'] ?? m['period']) !== undefined) return sampleOf(m);
  const other = loose ? (nameless.exec(line) ?? threadless.exec(line)) : null;
  return other && sampleOf(other.groups as Groups);
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
  const [tid, pid] = [p.tid, p.pid].map((id) => (id === undefined ? null : int32(id)));
  if (tid != null) setInt(log, 'pid', tid);
  if (pid != null) setInt(log, 'tgid', pid);
  if (p.comm !== undefined) setDict(log, 'task', p.comm);
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
  const f = s.frames && frameOf(text);
  if (f) {
    const [, address, rest = ''] = f as unknown as [string, string, string?];
    const named = rest !== '' && !rest.startsWith('[unknown]');
    s.frames!.push(named ? rest : `${address} ${rest}`.trimEnd());
    return true;
  }
  const p = parseSample(text, true);
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
    const first = lines.filter((l) => l.trim() !== '' && !l.startsWith('#') && !frameOf(l));
    const own = first.slice(0, 40).filter((l) => !/^\s*\S.*-\d+\s+(\(.*\)\s*)?\[/.test(l));
    const loose = own.filter((l) => parseSample(l, true)).length;
    return own.some((l) => parseSample(l)) || (loose > 0 && loose === own.length);
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
