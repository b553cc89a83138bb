import { type Log, putBool, putF64, putU64 } from '../../events/log.js';
import { type ColumnName, columnNames, columns } from '../../events/schema.js';
import type { ShapeField } from '../../events/shapes.js';
import { ascii, bytesView, hexDigits } from '../bytes.js';
import type { Put, Read } from './payload-fields.js';

/** Takes the text at `start` apart, as `match` does. */
export type Match = (log: Log, buf: Uint8Array, start: number, end: number) => number;

/** A field, and how it is read and put where no code of its own is made for it. */
export interface Part extends ShapeField {
  readonly read: Read;
  readonly put: Put;
}

const PAGE = columnNames.indexOf('va_page');

/** Leaves if the bytes at `at` are not `text`; steps over it. Four at a time, the last four may overlap those before. */
function literalCode(text: string): string {
  const bytes = ascii(text);
  const { length } = bytes;
  if (length === 0) return '';
  const v = new DataView(bytes.buffer);
  const tests = [`at + ${length} > end`];
  const word = (i: number) => `view.getInt32(at + ${i}, true) !== ${v.getInt32(i, true)}`;
  if (length < 4) tests.push(...Array.from(bytes, (b, i) => `buf[at + ${i}] !== ${b}`));
  else for (let i = 0; i < length; i += 4) tests.push(word(Math.min(i, length - 4)));
  return `if (${tests.join(' || ')}) return -1; at += ${length};`;
}

const hexCode = (index: number, isVa: boolean): string => `
  for (from = at, hi = lo = 0; at < end && (d = hexDigits[buf[at]]) >= 0; at++) {
    hi = (hi << 4) | (lo >>> 28);
    lo = (lo << 4) | d;
  }
  if (at === from || at > from + 16 || (buf[from] === 48 && at > from + 1)) return -1;
  putU64(log, ${index}, hi, lo);
  ${isVa ? `putF64(log, ${PAGE}, (hi >>> 0) * 0x100000 + (lo >>> 12));` : ''}`;

/** Fifteen digits fit a double; more are read the general way. */
const decimalCode = (index: number, general: string): string => `
  for (from = at, n = 0; at < end && (d = buf[at] - 48) >= 0 && d <= 9; at++) n = n * 10 + d;
  if (at === from || (buf[from] === 48 && at > from + 1)) return -1;
  if (at <= from + 15) putF64(log, ${index}, n);
  else { at = from; ${general} }`;

const bitCode = (index: number, yes: number): string => `
  d = buf[at] - 48;
  if (at >= end || (d !== 0 && d !== 1)) return -1;
  putBool(log, ${index}, d === ${yes}); at++;`;

function fieldCode(f: Part, i: number): string {
  const index = columnNames.indexOf(f.column as ColumnName);
  const { kind } = columns[f.column];
  const general = `at = parts[${i}].read(log, buf, at, end); if (at < 0 || !parts[${i}].put(log)) return -1;`;
  if (f.kind === 'x' && kind === 'u64') return hexCode(index, f.column === 'va');
  if (f.kind === 'd' && kind === 'f64') return decimalCode(index, general);
  if (f.kind === '!' || f.kind === 'f') return bitCode(index, f.kind === 'f' ? 1 : 0);
  return general;
}

/**
 * A shape as one function without loops over fields: constants stand in the code, and the processor learns each branch
 * of each shape on its own, which is twice as fast as `match`, whose results it has. The code comes from ptlab's
 * own table of shapes, never from a trace.
 */
export function compile(parts: readonly Part[], tail: string): Match {
  const body = parts.map((f, i) => `${literalCode(f.literal)}\n${fieldCode(f, i)}`).join('\n');
  const code = `'use strict';
return (log, buf, at, end) => {
  const view = bytesView();
  let from, hi, lo, n, d;
  ${body}
  ${literalCode(tail)}
  return at;
};`;
  const given = { parts, bytesView, hexDigits, putU64, putF64, putBool };
  return new Function(...Object.keys(given), code)(...Object.values(given)) as Match;
}
