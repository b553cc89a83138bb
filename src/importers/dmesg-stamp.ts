/** A line of the kernel's log taken apart. */
export interface LogLine {
  /** Time since boot, or by the wall clock; null if it has none. */
  readonly ns: bigint | null;
  readonly isWall: boolean;
  /** 'T123' (task) or 'C1' (CPU) of CONFIG_PRINTK_CALLER. */
  readonly caller: readonly [kind: string, id: number] | null;
  readonly text: string;
}

/** '<6>' of /dev/kmsg and serial consoles, 'kern  :warn  : ' of dmesg -x. */
const level = /^(?:<\d+>|[a-z0-9]+\s*:[a-z]+\s*: ?)/;
/** '[   15.823704][  T123] host kernel: text'; the host is of journalctl -o short-monotonic. */
const sinceBoot =
  /^\[\s*(\d{1,12})\.(\d{1,9})\](?:\[\s*([CT])(\d{1,9})\])?\s?(?:[\w.-]+ kernel: )?(.*)$/;
/** '[Thu Jun 11 15:12:34 2025] text', dmesg -T. */
const dated = /^\[(\w{3}) (\w{3}) +(\d{1,2}) ([\d:]{8}) (\d{4})\] ?(.*)$/;
/** 'Jun 11 15:12:34 host kernel: text', of syslog and journalctl, which leave the year out. */
const syslog = /^(\w{3}) ([ \d]\d) ([\d:]{8}) [\w.-]+ kernel: (.*)$/;
/** '2025-06-11T15:12:34,123456+02:00 text', dmesg --time-format iso and journalctl -o short-iso. */
const iso =
  /^(\d{4}-\d\d-\d\dT[\d:]{8})(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d) (?:[\w.-]+ kernel: )?(.*)$/;

/** Nanoseconds of a date and its fraction; null if it is none. */
function wallNs(date: string, fraction = ''): bigint | null {
  const ms = Date.parse(date);
  if (Number.isNaN(ms)) return null;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Stamp by the wall clock and the rest; times without a zone are taken as UTC, those without a year as of 1970. */
function byWall(line: string): { ns: bigint | null; text: string } | null {
  const d = dated.exec(line);
  if (d) return { ns: wallNs(`${d[3]} ${d[2]} ${d[5]} ${d[4]} UTC`), text: d[6]! };
  const i = iso.exec(line);
  if (i) {
    const zone = i[3]!.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
    return { ns: wallNs(`${i[1]}${zone}`, i[2]), text: i[4]! };
  }
  const s = syslog.exec(line);
  return s && { ns: wallNs(`${s[2]!.trim()} ${s[1]} 1970 ${s[3]} UTC`), text: s[4]! };
}

/** Take a line apart; a stamp since boot behind one of the wall clock is the one that counts. */
export function splitLogLine(line: string): LogLine {
  const plain = line.replace(level, '');
  const wall = byWall(plain);
  const m = sinceBoot.exec(wall ? wall.text : plain);
  if (m) {
    const ns = BigInt(m[1]!) * 1_000_000_000n + BigInt(m[2]!.padEnd(9, '0'));
    const caller = m[3] === undefined ? null : ([m[3], Number(m[4])] as const);
    return { ns, isWall: false, caller, text: m[5]! };
  }
  if (wall) return { ...wall, isWall: wall.ns !== null, caller: null };
  return { ns: null, isWall: false, caller: null, text: plain };
}
