import type { Field } from './format.js';

const none = new Uint8Array(0);

/** The record being read: `bytes[at, end)` is its data, common fields first. */
export const rec = {
  bytes: none as Uint8Array,
  /** The same bytes, for words at any place. */
  view: new DataView(none.buffer) as DataView,
  /** The same as aligned words: the one at byte `o` is `words[o >> 2]`. */
  words: new Int32Array(none.buffer) as Int32Array,
  /** Records start at a multiple of 4. */
  at: 0,
  end: 0,
};

/** The aligned words of bytes in either order, of which the first four are the first word. */
export function alignedWords(bytes: Uint8Array, little: boolean): Int32Array {
  const count = bytes.length >> 2;
  if (little && (bytes.byteOffset & 3) === 0) {
    return new Int32Array(bytes.buffer, bytes.byteOffset, count);
  }
  const copy = Buffer.from(new ArrayBuffer(count * 4));
  copy.set(bytes.subarray(0, count * 4));
  if (!little) copy.swap32();
  return new Int32Array(copy.buffer);
}

/** Last 64-bit value read, as two words. */
export const wide = { hi: 0, lo: 0 };

/** Reads `size` bytes at an offset of `rec.bytes`, which must lie inside. */
export type ReadWord = (at: number) => number;

const wordAt = (o: number, little: boolean): number =>
  (o & 3) === 0 ? rec.words[o >> 2]! : rec.view.getInt32(o, little);

const le = {
  2: (o: number): number => rec.view.getUint16(o, true),
  4: (o: number): number => wordAt(o, true),
};
const be = {
  2: (o: number): number => rec.view.getUint16(o, false),
  4: (o: number): number => wordAt(o, false),
};

/** Words of either byte order; 4 bytes come as a signed integer. */
export const words = (little: boolean) => (little ? le : be);

/** Read 64 bits at `o` into `wide`. */
export function readWide(little: boolean, o: number): void {
  wide.lo = wordAt(little ? o : o + 4, little);
  wide.hi = wordAt(little ? o + 4 : o, little);
}

/** The value of two words: a number where a double holds it, else bigint. */
export function wideValue(signed: boolean): number | bigint {
  const { hi, lo } = wide;
  const top = signed ? hi : hi >>> 0;
  if (top < 0x200000 && top > -0x200000) return top * 0x100000000 + (lo >>> 0);
  return (BigInt(top) << 32n) | BigInt(lo >>> 0);
}

/** Gives a whole number: as a number where a double holds it. */
export type ReadInt = () => number | bigint;

/** Reads an integer of `size` bytes at `offset` of the record. */
export function intReader(
  little: boolean,
  size: number,
  signed: boolean,
): ((o: number) => number | bigint) | null {
  const w = words(little);
  switch (size) {
    case 1:
      return signed ? (o) => (rec.bytes[o]! << 24) >> 24 : (o) => rec.bytes[o]!;
    case 2:
      return signed ? (o) => (w[2](o) << 16) >> 16 : (o) => w[2](o);
    case 4:
      return signed ? (o) => w[4](o) : (o) => w[4](o) >>> 0;
    case 8:
      return (o) => {
        readWide(little, o);
        return wideValue(signed);
      };
    default:
      return null;
  }
}

/** Where the value of a dynamic field lies; filled by `locate`. */
export const found = { start: 0, end: 0 };

/** Find the bytes of a field, held against the record; false if they lie outside. */
export function locate(f: Field, little: boolean): boolean {
  const start = rec.at + f.offset;
  if (f.dynamic === null) {
    found.start = start;
    found.end = f.count === -1 ? rec.end : start + f.size;
    return found.end <= rec.end && start <= rec.end;
  }
  if (start + 4 > rec.end) return false;
  const loc = words(little)[4](start);
  const base = f.dynamic === 'rel' ? start + f.size : rec.at;
  found.start = base + (loc & 0xffff);
  found.end = found.start + (loc >>> 16);
  return found.end <= rec.end;
}
