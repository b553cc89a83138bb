import { type Log, putBool, putF64, putU64, putWord } from '../../events/log.js';
import { columnNames } from '../../events/schema.js';
import { isExact } from '../bytes.js';
import { rec } from './record.js';

/**
 * What a step does with the field at its offset. Numbers behind a name are the bytes of the field;
 * `s` takes it as signed.
 */
export const act = {
  call: 0, // anything else: a function
  wide8: 1, // 64 bits into a column of 64
  wide4: 2,
  wide4s: 3,
  va8: 4, // 64 bits into va, and their page number
  double8: 5, // a whole number into a column of doubles
  double4: 6,
  word8: 7, // 64 bits that must fit into a column of 32
  word4: 8,
  text1: 9, // a dictionary text that the value of the field decides
  text4: 10,
  text8: 11,
  truth1: 12, // true and false in words, by the value of the field
  bit1: 13, // 0 or 1
  bit4: 14,
  not1: 15, // 1 means failed
  not4: 16,
  empty: 17, // a text of any length, which must be empty
} as const;

/** Puts one field of the current record into its column; false if it does not fit there. */
export type Put = (log: Log) => boolean;

/** Id of the text that the current record gives; -1 if it does not fit. */
export type TextId = (log: Log) => number;

/** One step: what, into which column, from which offset in the record, or by which function. */
export interface Step {
  readonly act: number;
  readonly column: number;
  readonly offset: number;
  readonly put?: Put;
  readonly textId?: TextId;
}

/** The steps that put the records of one kind of event into columns, made ready to run. */
export interface Program {
  /** Four numbers a step: act, column, offset, place of its cache. */
  readonly steps: Int32Array;
  readonly puts: readonly (Put | undefined)[];
  readonly textIds: readonly (TextId | undefined)[];
  readonly little: boolean;
  /** Texts seen lately, by the value that decides them; ids are those of `log`. */
  readonly keys: Int32Array;
  readonly ids: Int32Array;
  log: Log | null;
}

const stride = 4;
/** Values remembered for each text. */
const slots = 16;
const PAGE = columnNames.indexOf('va_page');

export function programOf(steps: readonly Step[], little: boolean): Program {
  const flat = steps.flatMap((s, i) => [s.act, s.column, s.offset, i * slots]);
  return {
    steps: Int32Array.from(flat),
    puts: steps.map((s) => s.put),
    textIds: steps.map((s) => s.textId),
    little,
    keys: new Int32Array(steps.length * slots * 2),
    ids: new Int32Array(steps.length * slots).fill(-1),
    log: null,
  };
}

/** Id of the text that a value decides; -1 if the record does not fit. */
function textOf(p: Program, log: Log, at: number, hi: number, lo: number): number {
  const slot = at + ((lo ^ (lo >>> 4) ^ (lo >>> 9)) & (slots - 1));
  const { keys, ids } = p;
  if (keys[slot * 2] === lo && keys[slot * 2 + 1] === hi && ids[slot] !== -1) return ids[slot]!;
  const id = p.textIds[at / slots]!(log);
  keys[slot * 2] = lo;
  keys[slot * 2 + 1] = hi;
  ids[slot] = id;
  return id;
}

function putText(p: Program, log: Log, column: number, at: number, hi: number, lo: number) {
  const id = textOf(p, log, at, hi, lo);
  if (id === -1) return false;
  putWord(log, column, id);
  return true;
}

function putDouble(log: Log, column: number, hi: number, lo: number): boolean {
  if (!isExact(hi, lo)) return false;
  putF64(log, column, (hi >>> 0) * 0x100000000 + (lo >>> 0));
  return true;
}

function putBit(log: Log, column: number, v: number, negated: number): boolean {
  if (v !== 0 && v !== 1) return false;
  putBool(log, column, v !== negated);
  return true;
}

function putTruth(p: Program, log: Log, column: number, at: number, v: number): boolean {
  const id = textOf(p, log, at, 0, v);
  if (id === -1) return false;
  putBool(log, column, id === 1);
  return true;
}

/** Is the text empty whose place stands at `o` ('__data_loc': 16 bits offset, 16 bits length)? */
function isEmpty(o: number, little: boolean): boolean {
  const loc = rec.view.getInt32(o, little);
  const start = rec.at + (loc & 0xffff);
  const length = loc >>> 16;
  return start + length <= rec.end && (length === 0 || rec.bytes[start] === 0);
}

/** Put the current record into its columns; false (with some set) if it does not fit there. */
export function run(p: Program, log: Log): boolean {
  const { steps, little } = p;
  if (p.log !== log) {
    p.log = log;
    p.ids.fill(-1);
  }
  const { view } = rec;
  const high = little ? 4 : 0;
  const low = 4 - high;
  let ok = true;
  for (let i = 0; i < steps.length && ok; i += stride) {
    const column = steps[i + 1]!;
    const o = rec.at + steps[i + 2]!;
    switch (steps[i]) {
      case act.wide8:
        putU64(log, column, view.getInt32(o + high, little), view.getInt32(o + low, little));
        break;
      case act.wide4:
        putU64(log, column, 0, view.getInt32(o, little));
        break;
      case act.wide4s: {
        const v = view.getInt32(o, little);
        putU64(log, column, v >> 31, v);
        break;
      }
      case act.va8: {
        const hi = view.getInt32(o + high, little);
        const lo = view.getInt32(o + low, little);
        putU64(log, column, hi, lo);
        putF64(log, PAGE, (hi >>> 0) * 0x100000 + (lo >>> 12));
        break;
      }
      case act.double8:
        ok = putDouble(
          log,
          column,
          view.getInt32(o + high, little),
          view.getInt32(o + low, little),
        );
        break;
      case act.double4:
        putF64(log, column, view.getUint32(o, little));
        break;
      case act.word8:
        ok = view.getInt32(o + high, little) === 0;
        if (ok) putWord(log, column, view.getInt32(o + low, little));
        break;
      case act.word4:
        putWord(log, column, view.getInt32(o, little));
        break;
      case act.text1:
        ok = putText(p, log, column, steps[i + 3]!, 0, view.getUint8(o));
        break;
      case act.text4:
        ok = putText(p, log, column, steps[i + 3]!, 0, view.getInt32(o, little));
        break;
      case act.text8: {
        const hi = view.getInt32(o + high, little);
        ok = putText(p, log, column, steps[i + 3]!, hi, view.getInt32(o + low, little));
        break;
      }
      case act.truth1:
        ok = putTruth(p, log, column, steps[i + 3]!, view.getUint8(o));
        break;
      case act.bit1:
        ok = putBit(log, column, view.getUint8(o), 0);
        break;
      case act.bit4:
        ok = putBit(log, column, view.getInt32(o, little), 0);
        break;
      case act.not1:
        ok = putBit(log, column, view.getUint8(o), 1);
        break;
      case act.not4:
        ok = putBit(log, column, view.getInt32(o, little), 1);
        break;
      case act.empty:
        ok = isEmpty(o, little);
        break;
      default:
        ok = p.puts[i / stride]!(log);
    }
  }
  return ok;
}
