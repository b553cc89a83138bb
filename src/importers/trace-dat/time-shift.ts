import { accessOf, FormatError } from '../importer.js';
import { type Cursor, newCursor, u32, u64 } from './cursor.js';

/** Where a guest's clock stood against its host's at one moment. */
interface Sample {
  readonly time: bigint;
  readonly offset: bigint;
  readonly scaling: bigint;
  readonly fraction: bigint;
}

/** The host's stamp of a guest's raw stamp `t` on CPU number `slot` of the file. */
export type Correct = (slot: number, t: bigint) => bigint;

const interpolates = 1;

const signed = (v: bigint): bigint => BigInt.asIntN(64, v);
const list = (c: Cursor, n: number): bigint[] => Array.from({ length: n }, () => u64(c));

/** Samples by time, each time once. */
function sorted(samples: Sample[]): Sample[] {
  const order = samples.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return order.filter((s, i) => i === 0 || s.time !== order[i - 1]!.time);
}

/** 64-bit arithmetic as trace-cmd does it: the scale, then the offset between two samples. */
function between(t: bigint, flags: number, a: Sample, b: Sample): bigint {
  const scaled = BigInt.asUintN(64, t * a.scaling) >> a.fraction;
  if ((flags & interpolates) === 0) return scaled + a.offset;
  const span = b.time - a.time;
  const moved = signed(signed(t - a.time) * (b.offset - a.offset));
  return scaled + a.offset + (moved + span / 2n) / span;
}

function correctOf(samples: readonly Sample[], flags: number): (t: bigint) => bigint {
  const { length } = samples;
  if (length === 0) return (t) => t;
  if (length === 1) return (t) => t + samples[0]!.offset;
  return (t) => {
    let i = 0;
    while (i < length - 2 && samples[i + 1]!.time <= t) i++;
    return between(t, flags, samples[i]!, samples[i + 1]!);
  };
}

/**
 * Option TIME_SHIFT: how a guest's stamps become its host's, and the host's trace id. Layout:
 * trace-cmd.dat.v7(5); the fractions behind the samples came with trace-cmd 3.
 * @throws FormatError if it is cut short.
 */
export function timeShift(data: Uint8Array, little: boolean): { peer: bigint; correct: Correct } {
  const c = newCursor(accessOf(data), 0, little);
  const peer = u64(c);
  const flags = u32(c);
  const cpus = Array.from({ length: bounded(c, 4, data.length) }, () => {
    const n = bounded(c, 24, data.length);
    return { times: list(c, n), offsets: list(c, n), scalings: list(c, n) };
  });
  const hasFractions = c.at < data.length;
  const corrects = cpus.map(({ times, offsets, scalings }) => {
    const fractions = hasFractions ? list(c, times.length) : [];
    const samples = times.map((time, i) => ({
      time: signed(time),
      offset: signed(offsets[i]!),
      scaling: scalings[i]!,
      fraction: (fractions[i] ?? 0n) & 63n,
    }));
    return correctOf(sorted(samples), flags);
  });
  return { peer, correct: (slot, t) => corrects[slot]?.(t) ?? t };
}

/** A count of things of at least so many bytes each. @throws FormatError if the data hold fewer. */
function bounded(c: Cursor, bytes: number, size: number): number {
  const at = c.at;
  const n = u32(c);
  if (n * bytes <= size - c.at) return n;
  throw new FormatError(`byte ${at} of it: ${n} entries, which its ${size} bytes cannot hold`);
}
