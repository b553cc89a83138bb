// A set of vectors of integers, each kept in as few bits as its values have needed so far: where a value does not fit,
// all is packed anew, more widely, and every vector keeps its number.
import { intern, load, type StateSet, stateSet } from './states.js';

/** Where each element lies: bits `mask` of `word`, from bit `shift` on, as its difference from `low` in `unit`s. */
export interface Layout {
  readonly low: Int32Array;
  readonly unit: Int32Array;
  readonly bits: Uint8Array;
  readonly word: Int32Array;
  readonly shift: Uint8Array;
  readonly mask: Int32Array;
  /** Words of a packed vector. */
  readonly width: number;
}

export interface PackedSet {
  layout: Layout;
  set: StateSet;
}

/** Elements one after the other, none across two words; one that needs 32 bits is kept as it is. */
function layoutFor(low: Int32Array, unit: Int32Array, bits: Uint8Array): Layout {
  const n = bits.length;
  const word = new Int32Array(n);
  const shift = new Uint8Array(n);
  const mask = new Int32Array(n);
  let used = 0;
  for (let i = 0; i < n; i++) {
    const size = bits[i]!;
    if ((used & 31) + size > 32) used = (used + 31) & ~31;
    word[i] = used >> 5;
    shift[i] = used & 31;
    mask[i] = size === 32 ? -1 : ((1 << size) - 1) << shift[i]!;
    if (size === 32) [low[i], unit[i]] = [0, 1];
    used += size;
  }
  return { low, unit, bits, word, shift, mask, width: Math.max(1, (used + 31) >> 5) };
}

/** Bits for `low`, `low + unit` ... `high`. */
const bitsFor = (low: number, high: number, unit: number): number =>
  high - low > 0x7fffffff ? 32 : 32 - Math.clz32((high - low) / unit);

/** What an element may be expected to be: from `low` to `high` in steps of `unit` (0 or more). */
export interface Range {
  readonly low: number;
  readonly high: number;
  readonly unit: number;
}

/** An empty set of vectors whose elements are expected in `ranges`. */
export function packedSet(ranges: readonly Range[]): PackedSet {
  const unit = Int32Array.from(ranges, (r) => Math.max(1, r.unit));
  const bits = Uint8Array.from(ranges, (r, i) => bitsFor(r.low, r.high, unit[i]!));
  const layout = layoutFor(Int32Array.from(ranges, (r) => r.low), unit, bits); // biome-ignore format: one line
  return { layout, set: stateSet(layout.width) };
}

const fits = ({ low, unit, bits }: Layout, i: number, value: number): boolean => {
  if (bits[i] === 32) return true;
  const code = (value - low[i]!) / unit[i]!;
  return code >= 0 && code < 2 ** bits[i]! && Number.isInteger(code);
};

/** Element `i` of a packed vector. */
export const elementOf = (l: Layout, packed: Int32Array, i: number): number =>
  l.bits[i] === 32
    ? packed[l.word[i]!]!
    : ((packed[l.word[i]!]! & l.mask[i]!) >>> l.shift[i]!) * l.unit[i]! + l.low[i]!;

/** The bits of element `i` when it is `value`. */
export const bitsOf = (l: Layout, i: number, value: number): number =>
  ((value - l.low[i]!) / l.unit[i]!) << l.shift[i]!;

export function unpack(l: Layout, packed: Int32Array, out: Int32Array): void {
  for (let i = 0; i < l.bits.length; i++) out[i] = elementOf(l, packed, i);
}

export function pack(l: Layout, vector: Int32Array, out: Int32Array): void {
  out.fill(0, 0, l.width);
  for (let i = 0; i < l.bits.length; i++) out[l.word[i]!]! |= bitsOf(l, i, vector[i]!);
}

/** Greatest common divisor of two numbers from 0 on. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** A layout that fits what `l` does, and `vector`. */
function wider(l: Layout, vector: Int32Array): Layout {
  const low = l.low.map((least, i) => Math.min(least, vector[i]!));
  const unit = l.unit.map((u, i) => Math.max(1, gcd(l.bits[i] === 0 ? 0 : u, Math.abs(vector[i]! - l.low[i]!)))); // biome-ignore format: one line
  const bits = l.bits.map((b, i) => {
    const high = Math.max(l.low[i]! + l.unit[i]! * (2 ** b - 1), vector[i]!);
    return b === 32 ? 32 : bitsFor(low[i]!, high, unit[i]!);
  });
  return layoutFor(low, unit, bits);
}

/** Make room for `vector`; true if that changed the layout, and so the packed form of all. */
export function makeRoom(p: PackedSet, vector: Int32Array): boolean {
  const { layout, set } = p;
  if (layout.bits.every((_, i) => fits(layout, i, vector[i]!))) return false;
  p.layout = wider(layout, vector);
  p.set = stateSet(p.layout.width);
  const from = new Int32Array(set.width);
  const to = new Int32Array(p.layout.width);
  const elements = new Int32Array(vector.length);
  for (let id = 0; id < set.count; id++) {
    load(set, id, from);
    unpack(layout, from, elements);
    pack(p.layout, elements, to);
    intern(p.set, to);
  }
  return true;
}
