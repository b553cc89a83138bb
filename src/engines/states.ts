// A set of states: vectors of `width` integers, kept once each, numbered in the order they were added.

/** Grows by segments, so that adding never copies what is there. */
export interface StateSet {
  readonly width: number;
  count: number;
  readonly segments: Int32Array[];
  /** By hash: number + 1 of a state, 0 where there is none. */
  table: Int32Array;
}

const SEGMENT_BITS = 12;
const SEGMENT = 1 << SEGMENT_BITS;

export const stateSet = (width: number): StateSet => ({
  width,
  count: 0,
  segments: [],
  table: new Int32Array(1 << 10),
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
  const table = new Int32Array(set.table.length * 2);
  const mask = table.length - 1;
  for (let id = 0; id < set.count; id++) {
    const segment = set.segments[id >> SEGMENT_BITS]!;
    let at = hash(segment, (id & (SEGMENT - 1)) * set.width, set.width) & mask;
    while (table[at] !== 0) at = (at + 1) & mask;
    table[at] = id + 1;
  }
  set.table = table;
}

/** Where in the table `vector` stands, or would. */
function slotOf(set: StateSet, vector: Int32Array): number {
  const { table } = set;
  const mask = table.length - 1;
  let at = hash(vector, 0, set.width) & mask;
  for (let id = table[at]!; id !== 0; id = table[at]!) {
    if (equals(set, id - 1, vector)) break;
    at = (at + 1) & mask;
  }
  return at;
}

/** The number of `vector`; -1 if it is not there. */
export const find = (set: StateSet, vector: Int32Array): number =>
  set.table[slotOf(set, vector)]! - 1;

/** The number of `vector`, added if it is new (then it is the former `count`). */
export function intern(set: StateSet, vector: Int32Array): number {
  const slot = slotOf(set, vector);
  const known = set.table[slot]!;
  if (known !== 0) return known - 1;
  const id = set.count++;
  set.table[slot] = id + 1;
  if (id >> SEGMENT_BITS === set.segments.length)
    set.segments.push(new Int32Array(SEGMENT * set.width));
  const segment = set.segments[id >> SEGMENT_BITS]!;
  const from = (id & (SEGMENT - 1)) * set.width;
  for (let i = 0; i < set.width; i++) segment[from + i] = vector[i]!;
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
