import { bytesView, useBytes } from '../bytes.js';
import { head } from './line.js';

/** Longest head that is remembered, in words; comm, pid, tgid, CPU and flags take 36 to 52 bytes. */
const maxWords = 16;
const slotBits = 11;
/** Shorter ones lack the columns whose bytes tell them apart. */
const minLength = 24;
/** Values of a slot. */
const width = 8;

/**
 * Heads ('comm-pid [cpu] flags') lately read and what they say: a trace has few of them, which come again
 * and again. Found by their bytes; a head that falls on the same slot takes the place of the older.
 */
export interface Heads {
  /** Slot of the last head found. */
  slot: number;
  /** Lengths in bytes of the two kinds of heads read last: one that is cut by a long pid is longer. */
  length: number;
  other: number;
  readonly words: Int32Array;
  /** By slot: length, pid, tgid, CPU, task, flags; 0: none, negative: the head has none of it. */
  readonly values: Int32Array;
}

export const newHeads = (): Heads => ({
  slot: 0,
  length: 0,
  other: 0,
  words: new Int32Array(maxWords << slotBits),
  values: new Int32Array(width << slotBits),
});

/** Where the values of the last head found begin in `values`: pid, tgid, CPU, task, flags. */
export const headValues = (heads: Heads): number => heads.slot * width + 1;

/** Mixes the end of comm, the pid, and the last twelve bytes: CPU and flags. */
function slotOf(v: DataView, start: number, end: number): number {
  const mix =
    Math.imul(v.getInt32(start + 12, true), 0x9e3779b1) +
    Math.imul(v.getInt32(start + 17, true), 0x85ebca6b) +
    Math.imul(v.getInt32(end - 12, true), 0xc2b2ae35) +
    Math.imul(v.getInt32(end - 8, true), 0x27d4eb2f) +
    Math.imul(v.getInt32(end - 4, true), 0x165667b1);
  return Math.imul(mix ^ (mix >>> 15), 0x9e3779b1) >>> (32 - slotBits);
}

/** Remember the head that `readHead` found and `addHead` gave ids, in the bytes at hand. */
export function learnHead(heads: Heads, buf: Uint8Array): void {
  useBytes(buf); // the text may have been unpacked into bytes of its own
  const v = bytesView();
  const { start, end } = head;
  const length = end - start;
  if (length < minLength || length > maxWords * 4) return;
  if (length !== heads.length) {
    heads.other = heads.length;
    heads.length = length;
  }
  const slot = slotOf(v, start, end);
  const { words, values } = heads;
  values.set([length, head.pid, head.tgid, head.cpu, head.task, head.flags], slot * width);
  const to = slot * maxWords;
  const whole = length >> 2;
  for (let i = 0; i < whole; i++) words[to + i] = v.getInt32(start + i * 4, true);
  if ((length & 3) !== 0) words[to + whole] = v.getInt32(end - 4, true);
}

/** Does the head in `slot` stand at `start`? Then it is the last one found. */
function isHead(heads: Heads, v: DataView, start: number, slot: number): boolean {
  const { words, values } = heads;
  const length = values[slot * width]!;
  if (length === 0) return false;
  const from = slot * maxWords;
  const whole = length >> 2;
  for (let i = 0; i < whole; i++) {
    if (words[from + i] !== v.getInt32(start + i * 4, true)) return false;
  }
  const end = start + length;
  if ((length & 3) !== 0 && words[from + whole] !== v.getInt32(end - 4, true)) return false;
  heads.slot = slot;
  head.cpu = values[slot * width + 3]!;
  head.end = end;
  return true;
}

/** Find the head of the line at `start`; the bytes at hand reach at least to `end`. False if it is none of those read. */
export function knowHead(heads: Heads, start: number, end: number): boolean {
  const { length, other } = heads;
  if (length === 0 || start + maxWords * 4 > end) return false;
  const v = bytesView();
  if (isHead(heads, v, start, heads.slot)) return true;
  if (isHead(heads, v, start, slotOf(v, start, start + length))) return true;
  if (other === 0 || !isHead(heads, v, start, slotOf(v, start, start + other))) return false;
  heads.other = length;
  heads.length = other;
  return true;
}
