import { useBytes, wordAt } from './bytes.js';
import { head } from './ftrace-line.js';

/** Longest head that is remembered, in words; comm, pid, tgid, CPU and flags take 36 to 52 bytes. */
const maxWords = 16;
const slots = 1024;
/** Shorter ones lack the columns whose bytes tell them apart. */
const minLength = 24;

/**
 * Heads ('comm-pid [cpu] flags') lately read and what they say: a trace has few of them, which come again
 * and again. Found by their bytes; a head that falls on the same slot takes the place of the older.
 */
export interface Heads {
  /** Lengths in bytes of the two kinds of heads read last: one that is cut by a long pid is longer. */
  length: number;
  other: number;
  readonly words: Int32Array;
  /** By slot: length, pid, tgid, CPU, task, flags. */
  readonly values: Int32Array;
}

export const newHeads = (): Heads => ({
  length: 0,
  other: 0,
  words: new Int32Array(slots * maxWords),
  values: new Int32Array(slots * 8),
});

/** Mixes the end of comm, the pid, and the last twelve bytes: CPU and flags. */
function slotOf(start: number, end: number): number {
  let h = Math.imul(wordAt(start + 12), 0x9e3779b1) ^ wordAt(start + 17);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ wordAt(end - 12);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ wordAt(end - 8);
  h = Math.imul(h ^ (h >>> 15), 0x27d4eb2f) ^ wordAt(end - 4);
  return (Math.imul(h ^ (h >>> 15), 0x9e3779b1) >>> 22) & (slots - 1);
}

/** Remember the head that `readHead` found and `addHead` gave ids, in the bytes at hand. */
export function learnHead(heads: Heads, buf: Uint8Array): void {
  useBytes(buf); // the text may have been unpacked into bytes of its own
  const { start, end } = head;
  const length = end - start;
  if (length < minLength || length > maxWords * 4) return;
  if (length !== heads.length) {
    heads.other = heads.length;
    heads.length = length;
  }
  const slot = slotOf(start, end);
  const { words, values } = heads;
  values.set([length, head.pid, head.tgid, head.cpu, head.task, head.flags], slot * 8);
  const to = slot * maxWords;
  const whole = length >> 2;
  for (let i = 0; i < whole; i++) words[to + i] = wordAt(start + i * 4);
  if ((length & 3) !== 0) words[to + whole] = wordAt(end - 4);
}

/** Is it this head, `length` bytes of it at `start`? Then `head` has what it says. */
function isHead(heads: Heads, start: number, length: number): boolean {
  const end = start + length;
  const slot = slotOf(start, end);
  const { words, values } = heads;
  const at = slot * 8;
  if (values[at] !== length) return false;
  const from = slot * maxWords;
  const whole = length >> 2;
  for (let i = 0; i < whole; i++) if (words[from + i] !== wordAt(start + i * 4)) return false;
  if ((length & 3) !== 0 && words[from + whole] !== wordAt(end - 4)) return false;
  head.pid = values[at + 1]!;
  head.tgid = values[at + 2]!;
  head.cpu = values[at + 3]!;
  head.task = values[at + 4]!;
  head.flags = values[at + 5]!;
  head.end = end;
  return true;
}

/** Find the head of the line at `start`; the bytes at hand reach at least to `end`. False if it is none of those read. */
export function knowHead(heads: Heads, start: number, end: number): boolean {
  const { length, other } = heads;
  if (length === 0 || start + maxWords * 4 > end) return false;
  if (isHead(heads, start, length)) return true;
  if (other === 0 || !isHead(heads, start, other)) return false;
  heads.other = length;
  heads.length = other;
  return true;
}
