import { type Log, putBool, putF64, putInt, putU64, putWord } from '../events/log.js';
import { columnNames } from '../events/schema.js';
import { wordAt } from './bytes.js';

/** How a field is kept. */
export type Store = 'wide' | 'va' | 'double' | 'word' | 'int' | 'bool';

const maxWords = 32;

/**
 * The text of a field that came last, with the literal before it, and what it was kept as: many fields say the
 * same again and again, and comparing is cheaper than reading.
 */
export interface Last {
  /** The log that the value was put into: ids of dictionaries are its own. */
  log: Log | null;
  /** Bytes of the text; 0: none. */
  length: number;
  readonly words: Int32Array;
  hi: number;
  lo: number;
  double: number;
  /** Is it worth comparing? Up with each that was the same, down twice with each other. */
  luck: number;
  /** Fields read since it was not. */
  wait: number;
}

export const newLast = (): Last => ({
  log: null,
  length: 0,
  words: new Int32Array(maxWords),
  hi: 0,
  lo: 0,
  double: 0,
  luck: 4,
  wait: 0,
});

const maxLuck = 8;
/** So many fields are read before one is compared again. */
const patience = 64;

/** Does the last text stand at `at` in the bytes at hand? Its length fits in them. */
export function isLast(last: Last, at: number): boolean {
  const { words, length } = last;
  const whole = length >> 2;
  for (let i = 0; i < whole; i++) if (words[i] !== wordAt(at + i * 4)) return false;
  if ((length & 3) !== 0 && words[whole] !== wordAt(at + length - 4)) return false;
  if (last.luck < maxLuck) last.luck++;
  return true;
}

const PAGE = columnNames.indexOf('va_page');

/** Put the last value into the current row again. */
export function putLast(log: Log, last: Last, column: number, store: Store): void {
  switch (store) {
    case 'va':
      putF64(log, PAGE, last.double);
      putU64(log, column, last.hi, last.lo);
      return;
    case 'wide':
      putU64(log, column, last.hi, last.lo);
      return;
    case 'double':
      putF64(log, column, last.double);
      return;
    case 'word':
      putWord(log, column, last.lo);
      return;
    case 'int':
      putInt(log, column, last.lo);
      return;
    case 'bool':
      putBool(log, column, last.lo !== 0);
  }
}

/** Remember the value just put into the current row, and its text `[start, end)` in the bytes at hand. */
export function setLast(
  log: Log,
  last: Last,
  column: number,
  store: Store,
  start: number,
  end: number,
): void {
  if (last.luck <= 0) {
    if (++last.wait < patience) return;
    last.wait = 0;
    last.luck = 2;
  }
  last.luck -= 2;
  const length = end - start;
  last.length = 0;
  if (length < 4 || length > maxWords * 4) return;
  last.length = length;
  last.log = log;
  const { words } = last;
  const whole = length >> 2;
  for (let i = 0; i < whole; i++) words[i] = wordAt(start + i * 4);
  if ((length & 3) !== 0) words[whole] = wordAt(end - 4);
  const { row } = log;
  const c = log.list[column]!;
  const wide = store === 'wide' || store === 'va';
  if (store === 'bool') last.lo = (c.values[row >> 3]! >> (row & 7)) & 1;
  else if (store === 'int') last.lo = c.values[row]!;
  else if (store === 'double') last.double = c.doubles[row]!;
  else last.lo = c.words[wide ? row * 2 : row]!;
  if (wide) last.hi = c.words[row * 2 + 1]!;
  if (store === 'va') last.double = log.list[PAGE]!.doubles[row]!;
}
