import { accessOf, FormatError } from '../importer.js';
import { newCursor, u32 } from './cursor.js';
import { type Dat, type DatOption, optionId, optionText } from './dat.js';
import { type Correct, timeShift } from './time-shift.js';

/** A stamp being converted: two 32-bit words. */
export const stamp = { hi: 0, lo: 0 };

/** Turns the raw stamp in `stamp` into nanoseconds, as the file's options say; `slot`: which of its CPUs. */
export type Convert = (slot: number) => void;

const number = (text: string): bigint => {
  const m = /^\s*([-+]?)(0x[0-9a-f]+|\d+)/i.exec(text);
  if (!m) return 0n;
  const v = BigInt(m[2]!);
  return m[1] === '-' ? -v : v;
};

/** Option TSC2NSEC: multiplier and shift; its own offset is left out, as trace-cmd report does. */
function scaleOf(o: DatOption | undefined, little: boolean): [multiplier: bigint, shift: bigint] {
  if (o === undefined || o.data.length < 16) return [0n, 0n];
  const c = newCursor(accessOf(o.data), 0, little);
  return [BigInt(u32(c)), BigInt(u32(c) & 63)];
}

/** Option TIME_SHIFT of a guest; damaged it is left out, and said so. */
function shiftOf(o: DatOption | undefined, dat: Dat, notes: string[]): Correct | null {
  if (o === undefined || o.data.length < 16) return null;
  try {
    const shift = timeShift(o.data, dat.little);
    notes.push(
      `stamps were moved to the clock of the host's trace ${shift.peer}, as the file says`,
    );
    return shift.correct;
  } catch (e) {
    if (!(e instanceof FormatError)) throw e;
    notes.push(`its time shift against a host is damaged and was left out: ${e.message}`);
    return null;
  }
}

/**
 * The conversion of a file, in trace-cmd's order: a guest's shift to the host's clock, multiplier and
 * shift of the TSC clock, then fixed offsets (option DATE in microseconds, OFFSET in nanoseconds). Null
 * if stamps are nanoseconds already.
 */
export function conversionOf(dat: Dat, notes: string[]): Convert | null {
  const last = (id: number) => dat.options.findLast((o) => o.id === id);
  const all = (id: number) =>
    dat.options.filter((o) => o.id === id).map((o) => number(optionText(o)));
  const sum = (list: bigint[]): bigint => list.reduce((a, b) => a + b, 0n);
  const offset = sum(all(optionId.date)) * 1000n + sum(all(optionId.offset));
  const [multiplier, shift] = scaleOf(last(optionId.tsc), dat.little);
  const correct = shiftOf(last(optionId.timeShift), dat, notes);
  if (multiplier === 0n && offset === 0n && correct === null) return null;
  if (multiplier > 0n) notes.push('stamps of the TSC were turned into nanoseconds');
  if (offset !== 0n) notes.push(`${offset} ns were added to each stamp, as the file says`);
  return (slot) => {
    let t = (BigInt(stamp.hi >>> 0) << 32n) | BigInt(stamp.lo >>> 0);
    if (correct !== null) t = correct(slot, t);
    if (multiplier > 0n) t = (t * multiplier) >> shift;
    t = BigInt.asUintN(64, t + offset);
    stamp.hi = Number(t >> 32n);
    stamp.lo = Number(t & 0xffffffffn);
  };
}
