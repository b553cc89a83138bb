// A set of states: vectors of `width` integers, kept once each, numbered in the order they were added.

/** Grows by segments, so that adding never copies what is there. */
export interface StateSet {
  readonly width: number;
  count: number;
  readonly segments: Int32Array[];
  table: Int32Array;
}

const SEGMENT_BITS = 12;
const SEGMENT = 1 << SEGMENT_BITS;

export const stateSet = (width: number): StateSet => ({
  width,
  count: 0,
  segments: [],
  table: new Int32Array(1 << 12),
});

function hash(vector: Int32Array, from: number, width: number): number {
  let h = 0x9e3779b9 | 0;
  for (let i = from; i < from + width; i++) {
    h = Math.imul(h ^ vector[i]!, 0x85ebca6b);
    h ^= h >>> 15;
  }
  return Math.imul(h, 0xc2b2ae35) ^ (h >>> 13);
}

/** Copy state `id` into `out`. */
export function load(set: StateSet, id: number, out: Int32Array): void {
  const segment = set.segments[id >> SEGMENT_BITS]!;
  const from = (id & (SEGMENT - 1)) * set.width;
  for (let i = 0; i < set.width; i++) out[i] = segment[from + i]!;
}

function equals(set: StateSet, id: number, vector: Int32Array): boolean {
  const segment = set.segments[id >> SEGMENT_BITS]!;
  const from = (id & (SEGMENT - 1)) * set.width;
  for (let i = 0; i < set.width; i++) if (segment[from + i] !== vector[i]) return false;
  return true;
}

function rehash(set: StateSet): void {
  const old = set.table;
  set.table = new Int32Array(old.length * 2);
  const mask = set.table.length - 1;
  for (const id of old) {
    if (id === 0) continue;
    const segment = set.segments[(id - 1) >> SEGMENT_BITS]!;
    let at = hash(segment, ((id - 1) & (SEGMENT - 1)) * set.width, set.width) & mask;
    while (set.table[at] !== 0) at = (at + 1) & mask;
    set.table[at] = id;
  }
}

/** The number of `vector`, added if it is new (then it is the former `count`). */
export function intern(set: StateSet, vector: Int32Array): number {
  const mask = set.table.length - 1;
  let at = hash(vector, 0, set.width) & mask;
  for (let id = set.table[at]!; id !== 0; id = set.table[at]!) {
    if (equals(set, id - 1, vector)) return id - 1;
    at = (at + 1) & mask;
  }
  const id = set.count++;
  set.table[at] = id + 1;
  if (id >> SEGMENT_BITS === set.segments.length)
    set.segments.push(new Int32Array(SEGMENT * set.width));
  set.segments[id >> SEGMENT_BITS]!.set(vector, (id & (SEGMENT - 1)) * set.width);
  if (set.count * 2 > set.table.length) rehash(set);
  return id;
}

/** A list of integers that grows. */
export interface Ints {
  data: Int32Array;
  length: number;
}
export const ints = (): Ints => ({ data: new Int32Array(1 << 12), length: 0 });
export function push(list: Ints, value: number): void {
  if (list.length === list.data.length) {
    const data = new Int32Array(2 * list.length);
    data.set(list.data);
    list.data = data;
  }
  list.data[list.length++] = value;
}
