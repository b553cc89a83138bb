/** A sample's first line taken apart. */
export interface Sample {
  readonly comm: string | undefined;
  readonly pid: string | undefined;
  readonly tid: string | undefined;
  readonly cpu: string | undefined;
  readonly flags: string | undefined;
  readonly ns: bigint | null;
  readonly period: string | undefined;
  readonly event: string;
  readonly text: string;
  /**
   * A thread that may be the end of a comm instead ('worker 12'): perf pads a thread to five characters, and a
   * comm to 16, so that no thread ends there.
   */
  readonly doubt: 'comm' | 'either' | null;
}

const columns = {
  comm: String.raw`(?<comm>\S(?:.*?\S)?)\s+`,
  thread: String.raw`(?:(?<pid>-?\d+)\/)?(?<tid>-?\d+)\s+`,
  cpu: String.raw`(?:\[(?<cpu>\d{1,5})\]\s+)?`,
  flags: String.raw`(?:(?!\d+\s)(?<flags>[.dDXbNnpPhHsSzZ\d]{4,6})\s+)?`,
  /** K, U, H, G, g: where the CPU was; M, E, S: of which kind a record is (-F +misc). */
  misc: String.raw`(?:[KUHGgMES][pE]?\s+)?`,
  time: String.raw`(?<seconds>\d{1,12})\.(?<fraction>\d{1,9}):(?:\s+|$)`,
  period: String.raw`(?:(?<period>\d{1,19})\s+)?`,
  event: String.raw`(?:(?<record>PERF_RECORD_[A-Z\d_]+):?\s*(?<said>.*)|(?<event>[A-Za-z_]\S*?):(?=\s|$)\s*(?<text>.*))$`,
} as const;

/** comm, [pid/]tid, [cpu], flags, stamp, period, event, text; most of them may be missing. */
const sample = new RegExp(
  `^\\s*${columns.comm}${columns.thread}${columns.cpu}${columns.flags}${columns.misc}(?:${columns.time})?${columns.period}${columns.event}`,
  'd',
);

/** Without comm or thread, which perf script -F may leave out; then a stamp must stand there. */
const nameless = new RegExp(
  `^\\s*(?:${columns.thread})?${columns.cpu}${columns.flags}${columns.misc}${columns.time}${columns.period}${columns.event}`,
);
const threadless = new RegExp(
  `^\\s*${columns.comm}${columns.cpu}${columns.flags}${columns.misc}${columns.time}${columns.period}${columns.event}`,
);
/** Without the event, where a call chain follows. */
const eventless = new RegExp(
  `^\\s*${columns.comm}${columns.thread}${columns.cpu}${columns.flags}${columns.misc}${columns.time}(?:(?<period>\\d{1,19})\\s*)?$`,
);

/** '\tffffffff81060 native_write_msr+0x4 ([kernel.kallsyms])', or the address alone. */
const frame = /^\s+([0-9a-f]{1,16})(?:\s+(.*\S))?\s*$/;
/** '  msr.h:105' below a frame, of -F +srcline. */
const source = /^\s+(\S+:\d+(?: \(inlined\))?)\s*$/;

/** Does an event's colon stand in it? A frame's place may hold '::', but no colon before a blank. */
const hasColon = /:(?:\s|$)/;

/** A frame as address and place. A sample may begin with what looks like an address: a number, or a comm such as dd. */
export function frameOf(text: string): string | null {
  const m = frame.exec(text);
  if (!m || (hasColon.test(text) && (nameless.test(text) || parseSample(text)))) return null;
  const [, address, rest = ''] = m as unknown as [string, string, string?];
  const named = rest !== '' && !rest.startsWith('[unknown]');
  return named ? rest : `${address} ${rest}`.trimEnd();
}

/** File and line that stand below a frame; null if it is none. */
export const sourceOf = (text: string): string | null => source.exec(text)?.[1] ?? null;

type Groups = Readonly<Record<string, string | undefined>>;

const commColumn = 16;
const threadColumn = 5;

/** Could the thread be the end of the comm? */
function doubtOf(m: RegExpExecArray): Sample['doubt'] {
  const { pid, cpu, comm, tid } = m.indices?.groups ?? {};
  if (!comm || !tid || pid || cpu) return null;
  if (tid[1] - comm[1] > threadColumn) return null;
  return tid[1] === commColumn ? 'comm' : 'either';
}

function sampleOf(g: Groups, doubt: Sample['doubt'] = null): Sample {
  const { comm, pid, tid, cpu, flags, period } = g;
  const ns =
    g['seconds'] === undefined
      ? null
      : BigInt(g['seconds']) * 1_000_000_000n + BigInt(g['fraction']!.padEnd(9, '0'));
  const event = g['record'] ?? g['event'] ?? 'sample';
  const text = g['said'] ?? g['text'] ?? '';
  return { comm, pid, tid, cpu, flags, ns, period, event, text, doubt };
}

const longest = 8192;

/** The same line read as one whose comm reaches up to the stamp. */
export function withoutThread(line: string): Sample | null {
  const m = threadless.exec(line);
  return m && sampleOf(m.groups as Groups);
}

/** A tracepoint names its system; anything else needs a CPU, a stamp or a period to be known as a sample. */
const isSure = (g: Groups): boolean =>
  (g['cpu'] ?? g['seconds'] ?? g['period']) !== undefined ||
  /^[a-z][\w-]*:\w+$/.test(g['event'] ?? '');

/** Take a sample's first line apart; null if it is none. `loose`: it may lack comm, thread or event. */
export function parseSample(line: string, loose = false): Sample | null {
  if (line.length > longest) return null;
  const m = sample.exec(line);
  if (m && isSure(m.groups as Groups)) return sampleOf(m.groups as Groups, doubtOf(m));
  const other = loose
    ? (nameless.exec(line) ?? eventless.exec(line) ?? threadless.exec(line))
    : null;
  return other && sampleOf(other.groups as Groups);
}

/** 'sched:sched_switch' -> 'sched_switch'; 'cycles:ppp' stays: what follows are modifiers. */
export const eventName = (name: string): string =>
  /^[a-z][\w-]*:(?![ukhHGpPSDeIbW]{1,6}$)[A-Za-z_]\w*$/.test(name)
    ? name.slice(name.indexOf(':') + 1)
    : name;
