import { addRow, type Log, putInt, setInt, setText } from '../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../events/meta.js';
import { columnNames } from '../events/schema.js';
import { holds } from './bytes.js';
import { ftrace } from './ftrace.js';
import { type Access, FormatError, type Importer, type Input, noTool } from './importer.js';
import { addStats, commandLines, describe } from './trace-dat/about.js';
import { parseFormats } from './trace-dat/bprint.js';
import type { Dat } from './trace-dat/dat.js';
import { Damaged } from './trace-dat/eval.js';
import { type EventCode, eventCode, type Shared } from './trace-dat/events.js';
import { flagText, versionOf } from './trace-dat/flags.js';
import { type EventFormat, parseFormat } from './trace-dat/format.js';
import { readDat } from './trace-dat/header.js';
import { rec, words } from './trace-dat/record.js';
import { advance, type CpuReader, newCpuReader } from './trace-dat/ring.js';
import { parseSymbols } from './trace-dat/symbols.js';
import { type Convert, conversionOf, stamp } from './trace-dat/time.js';

/** What turns records into rows. */
interface Rows {
  readonly log: Log;
  readonly meta: TraceMeta;
  readonly shared: Shared;
  readonly formats: ReadonlyMap<number, EventFormat>;
  /** Code by event id, made when the first record of its kind is seen. */
  readonly codes: (EventCode | null | undefined)[];
  /** Ids in the dictionaries: event by event id, flags by their two bytes, task by pid. */
  readonly eventIds: number[];
  readonly flagIds: Int32Array;
  readonly taskIds: Map<number, number>;
  readonly commands: ReadonlyMap<number, string>;
  readonly kernel: readonly [number, number];
  readonly convert: Convert | null;
  readonly sources: readonly string[];
  /** Events without a format, and those whose text could not be evaluated. */
  readonly unknown: Map<number, number>;
  readonly raw: Map<string, string>;
}

function codeOf(r: Rows, id: number): EventCode | null {
  const known = r.codes[id];
  if (known !== undefined) return known;
  const format = r.formats.get(id);
  const code = format ? eventCode(format, r.shared) : null;
  r.codes[id] = code;
  r.eventIds[id] = r.log.dicts.event.intern(code ? code.name : `unknown:${id}`);
  if (code?.raw) r.raw.set(code.name, code.raw);
  return code;
}

function flagId(r: Rows, flags: number, preempt: number): number {
  const key = flags | (preempt << 8);
  if (r.flagIds[key] === -1) {
    r.flagIds[key] = r.log.dicts.flags.intern(flagText(flags, preempt, r.kernel));
  }
  return r.flagIds[key]!;
}

function taskId(r: Rows, pid: number): number {
  let id = r.taskIds.get(pid);
  if (id === undefined) {
    id = r.log.dicts.task.intern(pid === 0 ? '<idle>' : (r.commands.get(pid) ?? '<...>'));
    r.taskIds.set(pid, id);
  }
  return id;
}

const hex = (from: number, to: number): string =>
  Buffer.from(rec.bytes.subarray(from, to)).toString('hex');

const [CPU, PID, TASK, FLAGS] = (['cpu', 'pid', 'task', 'flags'] as const).map((n) =>
  columnNames.indexOf(n),
) as [number, number, number, number];

/** Append the current record of a CPU as a row. */
function addRecord(r: Rows, c: CpuReader): void {
  const { log, meta } = r;
  rec.bytes = c.bytes;
  rec.at = c.at;
  rec.end = c.end;
  const w = words(c.little);
  const id = w[2](c.at);
  const code = codeOf(r, id);
  stamp.hi = c.tsHi;
  stamp.lo = c.tsLo;
  if (r.convert) r.convert();
  const event = code?.eventOf ? code.eventOf(log) : r.eventIds[id]!;
  if (c.missed !== 0) {
    addGap(meta, { cpu: c.cpu, seq: log.total, lost: c.missed < 0 ? null : c.missed });
  }
  addRow(log, stamp.hi, stamp.lo, event);
  putInt(log, CPU, c.cpu);
  const pid = w[4](c.at + 4);
  putInt(log, PID, pid);
  putInt(log, TASK, taskId(r, pid));
  putInt(log, FLAGS, flagId(r, c.bytes[c.at + 2]!, c.bytes[c.at + 3]!));
  if (r.sources[c.buffer] !== '') {
    setInt(log, 'source', log.dicts.source.intern(r.sources[c.buffer]!));
  }
  if (code) putRecord(r, c, code);
  else {
    r.unknown.set(id, (r.unknown.get(id) ?? 0) + 1);
    setText(log, 'detail', hex(c.at + 8, c.end));
  }
}

function putRecord(r: Rows, c: CpuReader, code: EventCode): void {
  try {
    if (c.end - c.at < code.minBytes) throw new Damaged(`${c.end - c.at} bytes are too few`);
    code.put(r.log);
  } catch (e) {
    if (!(e instanceof Damaged)) throw e;
    setText(r.log, 'detail', hex(c.at + 8, c.end));
    const text = `${code.name}: ${e.message}: ${hex(c.at, c.end)}`;
    addUnparsed(r.meta, { offset: c.pieceAt + c.at, text });
  }
}

const older = (a: CpuReader, b: CpuReader): boolean =>
  a.tsHi < b.tsHi || (a.tsHi === b.tsHi && a.tsLo < b.tsLo);

/** All records of all CPUs by time; of equal stamps the lower CPU comes first. */
function merge(r: Rows, readers: CpuReader[], onRow: () => void): void {
  let live = readers.filter((c) => step(r, c));
  while (live.length > 0) {
    let best = live[0]!;
    let second: CpuReader | null = null;
    for (let i = 1; i < live.length; i++) {
      const c = live[i]!;
      if (older(c, best)) {
        second = best;
        best = c;
      } else if (second === null || older(c, second)) second = c;
    }
    const before = second && readers.indexOf(best) < readers.indexOf(second);
    do {
      addRecord(r, best);
      onRow();
      if (!step(r, best)) {
        live = live.filter((c) => c !== best);
        break;
      }
    } while (second === null || older(best, second) || (before && !older(second, best)));
  }
}

function step(r: Rows, c: CpuReader): boolean {
  let ok = false;
  try {
    ok = advance(c);
  } catch (e) {
    if (!(e instanceof FormatError)) throw e;
    c.problem = `CPU ${c.cpu}: ${e.message}`;
  }
  if (c.problem !== null) {
    addUnparsed(r.meta, { offset: c.pieceAt + c.page, text: c.problem });
    r.meta.notes.push(c.problem);
    c.problem = null;
  }
  return ok;
}

function newRows(dat: Dat, log: Log, meta: TraceMeta): Rows {
  const formats = new Map<number, EventFormat>();
  for (const text of dat.formats) {
    const format = parseFormat(text);
    if (format && !formats.has(format.id)) formats.set(format.id, format);
  }
  const { little, longBytes } = dat;
  const symbols = parseSymbols(dat.kallsyms);
  return {
    log,
    meta,
    shared: { little, longBytes, symbols, printk: parseFormats(dat.printk, longBytes) },
    formats,
    codes: [],
    eventIds: [],
    flagIds: new Int32Array(65536).fill(-1),
    taskIds: new Map(),
    commands: commandLines(dat.cmdlines),
    kernel: versionOf(meta.kernel),
    convert: conversionOf(dat, meta.notes),
    sources: dat.buffers.map((b) => b.name),
    unknown: new Map(),
    raw: new Map(),
  };
}

function close(r: Rows, dat: Dat): void {
  const { meta } = r;
  addStats(dat, meta);
  for (const [id, n] of r.unknown) {
    meta.notes.push(`unknown:${id}: ${n} events whose format the file lacks; kept as bytes`);
  }
  for (const [name, why] of r.raw) {
    meta.notes.push(`${name}: raw fields kept; its print fmt was not evaluated (${why})`);
  }
  if (meta.stated !== null && meta.stated !== r.log.total) {
    meta.notes.push(`the CPUs' statistics state ${meta.stated} events, ${r.log.total} were found`);
  }
}

/** A trace saved as text inside the file. */
function textInput(from: Access, name: string, offset: number, size: number): Input {
  async function* chunks() {
    for (let at = 0; at < size; at += 1 << 20) {
      yield from.read(offset + at, Math.min(1 << 20, size - at));
    }
  }
  const access = async (): Promise<Access> => from;
  return { name, chunks, access, tool: noTool };
}

const magic = Uint8Array.of(0x17, 0x08, 0x44, ...new TextEncoder().encode('tracing'));

/** trace-cmd's trace.dat, versions 6 and 7. */
export const traceDat: Importer = {
  about: "trace-cmd's trace.dat, versions 6 and 7",
  sniff: (bytes) => holds(bytes, 0, bytes.length, magic),
  async read(input, log, meta) {
    const from = await input.access();
    const dat = readDat(from);
    describe(dat, meta);
    const rows = newRows(dat, log, meta);
    const readers = dat.buffers.flatMap((b, i) =>
      b.cpus.map((cpu) => newCpuReader(from, dat, i, b, cpu)),
    );
    merge(rows, readers, () => {});
    for (const t of dat.texts)
      await ftrace.read(textInput(from, input.name, t.offset, t.size), log, meta);
    close(rows, dat);
  },
};
