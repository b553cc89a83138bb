import { addHead, type Log, putWord, setTextBytes } from '../../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../../events/meta.js';
import { columnNames } from '../../events/schema.js';
import type { FormatText } from './dat.js';
import { Damaged } from './eval.js';
import { type EventCode, eventCode, type Shared } from './events.js';
import { flagText } from './flags.js';
import { parseFormat } from './format.js';
import { outBytes, outLength, putHexBytes, putText, resetOut } from './out.js';
import { rec } from './record.js';
import type { CpuReader } from './ring.js';

const lowPids = 1 << 16;

/** What turns records into rows. */
export interface Rows {
  readonly log: Log;
  readonly meta: TraceMeta;
  readonly shared: Shared;
  readonly formats: ReadonlyMap<number, FormatText>;
  /** Code by event id, made when the first record of its kind is seen. */
  readonly codes: (EventCode | null | undefined)[];
  /** Ids in the dictionaries: event by event id, flags by their two bytes, task by pid. */
  readonly eventIds: number[];
  readonly flagIds: Int32Array;
  readonly taskIds: Int32Array;
  readonly farTaskIds: Map<number, number>;
  readonly commands: ReadonlyMap<number, string>;
  readonly kernel: readonly [number, number];
  /** Process of each thread that the file names; null where it names none. */
  readonly tgids: ReadonlyMap<number, number> | null;
  /** Id of each buffer's name in `source`; -1 for the top one. */
  readonly sourceIds: readonly number[];
  /** Events without a format, and those whose text could not be evaluated. */
  readonly unknown: Map<number, number>;
  readonly raw: Map<string, string>;
}

/** Rows of a log, from what the file says. */
export const newRows = (
  given: Pick<Rows, 'log' | 'meta' | 'shared' | 'formats' | 'commands' | 'kernel' | 'tgids'>,
  sources: readonly string[],
): Rows => ({
  ...given,
  codes: [],
  eventIds: [],
  flagIds: new Int32Array(65536).fill(-1),
  taskIds: new Int32Array(lowPids).fill(-1),
  farTaskIds: new Map(),
  sourceIds: sources.map((s) => (s === '' ? -1 : given.log.dicts.source.intern(s))),
  unknown: new Map(),
  raw: new Map(),
});

function newCode(r: Rows, id: number): EventCode | null {
  const text = r.formats.get(id);
  const format = text && parseFormat(text);
  const code = format ? eventCode(format, r.shared) : null;
  r.codes[id] = code;
  r.eventIds[id] = r.log.dicts.event.intern(code ? code.name : `unknown:${id}`);
  if (code?.raw) r.raw.set(code.name, code.raw);
  return code;
}

function newFlags(r: Rows, key: number): number {
  const id = r.log.dicts.flags.intern(flagText(key & 255, key >> 8, r.kernel));
  r.flagIds[key] = id;
  return id;
}

const nameOf = (r: Rows, pid: number): string =>
  pid === 0 ? '<idle>' : (r.commands.get(pid) ?? '<...>');

function taskId(r: Rows, pid: number): number {
  if (pid >= 0 && pid < lowPids) {
    const known = r.taskIds[pid]!;
    return known !== -1 ? known : (r.taskIds[pid] = r.log.dicts.task.intern(nameOf(r, pid)));
  }
  const known = r.farTaskIds.get(pid);
  if (known !== undefined) return known;
  const id = r.log.dicts.task.intern(nameOf(r, pid));
  r.farTaskIds.set(pid, id);
  return id;
}

/** Keep what the record holds behind the common fields as bytes. */
function putRaw(log: Log): void {
  resetOut();
  putHexBytes(rec.bytes, rec.at + 8, rec.end);
  if (outLength() > 0) setTextBytes(log, 'detail', outBytes(), 0, outLength());
}

const sampleBytes = 80;

function putDamaged(r: Rows, c: CpuReader, code: EventCode, why: string): void {
  putRaw(r.log);
  resetOut();
  putText(`${code.name}: ${why}: `);
  putHexBytes(rec.bytes, rec.at, Math.min(rec.end, rec.at + sampleBytes));
  const text = Buffer.from(outBytes().subarray(0, outLength())).toString('utf8');
  addUnparsed(r.meta, { offset: c.pieceAt + rec.at, text });
}

const [TGID, SOURCE] = (['tgid', 'source'] as const).map((n) => columnNames.indexOf(n)) as [
  number,
  number,
];

function putGroup(tgids: ReadonlyMap<number, number>, log: Log, pid: number): void {
  const tgid = tgids.get(pid);
  if (tgid !== undefined) putWord(log, TGID, tgid);
}

/** Make the piece of a CPU the one that records are read from. */
export function usePiece(c: CpuReader): void {
  rec.bytes = c.bytes;
  rec.view = c.view;
  rec.words = c.words;
}

/** Append the records of a CPU, whose piece is in use, up to the one at `to` in its block as rows. */
export function addRecords(r: Rows, c: CpuReader, to: number): void {
  const { at, end, his, los, words } = c;
  for (let i = c.index; i < to; i++) {
    const o = at[i]!;
    rec.at = o;
    rec.end = end[i]!;
    const common = words[o >> 2]!;
    addRecord(r, c, his[i]!, los[i]!, common, words[(o >> 2) + 1]!);
  }
  c.index = to;
}

/** Append the current record; `common` are its id (16 bits), flags and preemption count (8 each). */
function addRecord(
  r: Rows,
  c: CpuReader,
  hi: number,
  lo: number,
  common: number,
  pid: number,
): void {
  const { log } = r;
  const id = c.little ? common & 0xffff : common >>> 16;
  const flags = c.little ? common >>> 16 : ((common >>> 8) & 255) | ((common & 255) << 8);
  const known = r.codes[id];
  const code = known === undefined ? newCode(r, id) : known;
  const whole = code === null || rec.end - rec.at >= code.minBytes;
  const own = whole && code !== null && code.eventOf !== undefined;
  const event = own ? code.eventOf!(log) : r.eventIds[id]!;
  const flagId = r.flagIds[flags]!;
  addHead(
    log,
    hi,
    lo,
    event,
    c.cpu,
    pid,
    taskId(r, pid),
    flagId !== -1 ? flagId : newFlags(r, flags),
  );
  if (r.tgids !== null) putGroup(r.tgids, log, pid);
  const source = r.sourceIds[c.buffer]!;
  if (source !== -1) putWord(log, SOURCE, source);
  if (code === null) {
    r.unknown.set(id, (r.unknown.get(id) ?? 0) + 1);
    putRaw(log);
  } else if (whole) putRecord(r, c, code);
  else putDamaged(r, c, code, `${rec.end - rec.at} bytes are too few`);
}

function putRecord(r: Rows, c: CpuReader, code: EventCode): void {
  try {
    code.put(r.log);
  } catch (e) {
    if (!(e instanceof Damaged)) throw e;
    putDamaged(r, c, code, e.message);
  }
}

/** Note that events are missing before the next row, or at the end. */
export function noteMissed(r: Rows, c: CpuReader): void {
  if (c.missed === 0) return;
  const source = r.sourceIds[c.buffer]!;
  addGap(r.meta, {
    cpu: c.cpu,
    seq: r.log.total,
    lost: c.missed < 0 ? null : c.missed,
    ...(source === -1 ? {} : { source: r.log.dicts.source.values[source]! }),
  });
}
