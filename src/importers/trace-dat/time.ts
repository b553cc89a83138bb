import { accessOf } from '../importer.js';
import { newCursor, u32 } from './cursor.js';
import { type Dat, optionId, optionText } from './dat.js';

/** A stamp being converted: two 32-bit words. */
export const stamp = { hi: 0, lo: 0 };

/** Turns the raw stamp in `stamp` into nanoseconds, as the file's options say. */
export type Convert = () => void;

const number = (text: string): bigint => {
  const m = /^\s*([-+]?)(0x[0-9a-f]+|\d+)/i.exec(text);
  if (!m) return 0n;
  const v = BigInt(m[2]!);
  return m[1] === '-' ? -v : v;
};

/**
 * The conversion of a file: multiplier and shift of the TSC clock, then fixed offsets (option DATE in
 * microseconds, OFFSET in nanoseconds). Null if stamps are nanoseconds already.
 */
export function conversionOf(dat: Dat, notes: string[]): Convert | null {
  let multiplier = 0n;
  let shift = 0n;
  let offset = 0n;
  for (const o of dat.options) {
    if (o.id === optionId.date) offset += number(optionText(o)) * 1000n;
    if (o.id === optionId.offset) offset += number(optionText(o));
    if (o.id === optionId.tsc && o.data.length >= 16) {
      const c = newCursor(accessOf(o.data), 0, dat.little);
      multiplier = BigInt(u32(c));
      shift = BigInt(u32(c) & 63); // its own offset is left out, as trace-cmd report does
    }
    if (o.id === optionId.timeShift) {
      notes.push('time shifts against a host are recorded here, but not applied');
    }
  }
  if (multiplier === 0n && offset === 0n) return null;
  if (multiplier > 0n) notes.push('stamps of the TSC were turned into nanoseconds');
  if (offset !== 0n) notes.push(`${offset} ns were added to each stamp, as the file says`);
  return () => {
    let t = (BigInt(stamp.hi >>> 0) << 32n) | BigInt(stamp.lo >>> 0);
    if (multiplier > 0n) t = (t * multiplier) >> shift;
    t += offset;
    stamp.hi = Number((t >> 32n) & 0xffffffffn);
    stamp.lo = Number(t & 0xffffffffn);
  };
}
