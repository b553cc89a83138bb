import { unquoted } from '../lines.js';

/** A line of the kernel's log taken apart. */
export interface LogLine {
  /** Time since boot, or by the wall clock; null if it has none of its own. */
  readonly ns: bigint | null;
  /** Time since the line before, where that is all it says. */
  readonly delta: bigint | null;
  readonly isWall: boolean;
  /** 'T123' (task) or 'C1' (CPU) of CONFIG_PRINTK_CALLER. */
  readonly caller: readonly [kind: string, id: number] | null;
  /** Who wrote it, where the line says so: host, and 'kernel' or another program. */
  readonly host?: string;
  readonly program?: string;
  /** Number of a record of /dev/kmsg. */
  readonly seq?: number;
  readonly text: string;
}

/** '<6>' of /dev/kmsg and serial consoles, 'kern  :warn  : ' of dmesg -x. */
const level = /^(?:<\d+>|[a-z0-9]+\s*:[a-z]+\s*: ?)/;
/** Colours that dmesg -H and -L put in. */
const colours = new RegExp(String.raw`${String.fromCharCode(27)}\[[\d;]*m`, 'g');

/** '[   15.823704][  T123] text', with the time since the line before of dmesg -d and journalctl -o short-delta. */
const sinceBoot =
  /^\[\s*(\d{1,12})\.(\d{1,9})(?: <\s*\d+\.\d+ ?>)?\](?:\s?\[\s*([CT])(\d{1,9})\])?\s?(.*)$/;
/** '[  +0.000012] text' of dmesg -H, '[<    0.000012>] text' of dmesg --time-format delta. */
const sinceLast = /^\[(?:\s*\+|<\s*)(\d{1,9})\.(\d{1,9})>?\] ?(.*)$/;
/** '6,1234,12345678,-,caller=T123;text', a record of /dev/kmsg. */
const record = /^\d{1,10},(\d{1,15}),(\d{1,15}),[-c+](?:,(?:caller=([CT])(\d{1,9})|[^;,]*))*;(.*)$/;

/** '[Thu Jun 11 15:12:34 2025] text', dmesg -T, and with '<    0.000012>' dmesg -d -T. */
const dated = /^\[(\w{3}) (\w{3}) +(\d{1,2}) ([\d:]{8}) (\d{4})(?: <\s*\d+\.\d+>)?\] ?(.*)$/;
/** '[Nov26 12:00] text', dmesg -H: the first line of a minute. */
const minute = /^\[([A-Z][a-z]{2}) ?(\d{1,2}) (\d\d:\d\d)\] ?(.*)$/;
/** 'Jun 11 15:12:34.123456 host kernel: text', of syslog and journalctl, which leave the year out. */
const syslog = /^([A-Z][a-z]{2}) ([ \d]\d) ([\d:]{8})(?:\.(\d{1,9}))? (.*)$/;
/** '2025-06-11T17:12:34,123456+02:00 text', dmesg --time-format iso, journalctl -o short-iso. */
const iso = /^(\d{4}-\d\d-\d\dT[\d:]{8})(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d) (.*)$/;
/** 'Wed 2025-06-11 15:12:34 UTC host kernel: text', journalctl -o short-full; its zones have names. */
const full = /^[A-Z][a-z]{2} (\d{4}-\d\d-\d\d) ([\d:]{8})(?:\.(\d{1,9}))? [A-Z][\w+-]* (.*)$/;
/** '1749654754.123456 host kernel: text', journalctl -o short-unix. */
const unix = /^(\d{9,11})\.(\d{6}) (?=[\w.-]+ [^\s:]+: )(.*)$/;
/** Who wrote it, of syslog and journalctl: 'host kernel: ', 'host systemd[1]: '. */
const writer = /^([\w.-]+) ([^\s:[\]]+)(?:\[\d+\])?: (.*)$/;

const nano = (seconds: string, fraction = ''): bigint =>
  BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));

/** Nanoseconds of a date and its fraction; null if it is none. */
function wallNs(date: string, fraction = ''): bigint | null {
  const ms = Date.parse(date);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

interface Dated {
  readonly ns: bigint | null;
  /** What stands behind the stamp; `signed`: host and program come first. */
  readonly text: string;
  readonly signed: boolean;
}

/** Stamp by the wall clock and the rest; times without a zone are taken as UTC, those without a year as of 1970. */
function byWall(line: string): Dated | null {
  const d = dated.exec(line);
  if (d) return { ns: wallNs(`${d[3]} ${d[2]} ${d[5]} ${d[4]} UTC`), text: d[6]!, signed: false };
  const m = minute.exec(line);
  if (m) return { ns: wallNs(`${m[2]} ${m[1]} 1970 ${m[3]} UTC`), text: m[4]!, signed: false };
  const i = iso.exec(line);
  if (i) {
    const zone = i[3]!.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
    const signed = line[19] !== ','; // dmesg writes a comma there, and no host
    return { ns: wallNs(`${i[1]}${zone}`, i[2]), text: i[4]!, signed };
  }
  const f = full.exec(line);
  if (f) return { ns: wallNs(`${f[1]}T${f[2]}Z`, f[3]), text: f[4]!, signed: true };
  const u = unix.exec(line);
  if (u) return { ns: nano(u[1]!, u[2]), text: u[3]!, signed: true };
  const s = syslog.exec(line);
  const ns = s && wallNs(`${s[2]!.trim()} ${s[1]} 1970 ${s[3]} UTC`, s[4]);
  return s && { ns, text: s[5]!, signed: true };
}

/** Who wrote a line, and the rest; null if nobody stands there. */
export function signature(text: string): { host: string; program: string; text: string } | null {
  const m = writer.exec(text);
  return m && { host: m[1]!, program: m[2]!, text: m[3]! };
}

const none = { ns: null, delta: null, isWall: false, caller: null } as const;

function ofRecord(m: RegExpExecArray): LogLine {
  const caller = m[3] === undefined ? null : ([m[3], Number(m[4])] as const);
  return { ...none, ns: BigInt(m[2]!) * 1000n, caller, seq: Number(m[1]), text: m[5]! };
}

function ofBoot(m: RegExpExecArray): LogLine {
  const caller = m[3] === undefined ? null : ([m[3], Number(m[4])] as const);
  const signed = signature(m[5]!);
  const from = signed?.program === 'kernel' ? signed : { text: m[5]! };
  return { ...none, ns: nano(m[1]!, m[2]), caller, ...from };
}

/** Take a line apart; a stamp since boot behind one of the wall clock is the one that counts. */
export function splitLogLine(line: string): LogLine {
  const plain = unquoted(line.replaceAll(colours, '')).replace(level, '');
  const kmsg = record.exec(plain);
  if (kmsg) return ofRecord(kmsg);
  const last = sinceLast.exec(plain);
  if (last) return { ...none, delta: nano(last[1]!, last[2]), text: last[3]! };
  const wall = byWall(plain);
  const signed = wall?.signed ? signature(wall.text) : null;
  const rest = signed?.text ?? wall?.text ?? plain;
  const boot = sinceBoot.exec(rest);
  if (boot)
    return { ...ofBoot(boot), ...(signed && { host: signed.host, program: signed.program }) };
  if (wall) return { ...none, ns: wall.ns, isWall: wall.ns !== null, ...signed, text: rest };
  return { ...none, text: plain };
}
