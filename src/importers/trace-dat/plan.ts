import { type Log, putF64, putInt, putU64, setBool, setDict, setVa } from '../../events/log.js';
import { columnNames, columns, type NameOf } from '../../events/schema.js';
import type { Shape, ShapeField } from '../../events/shapes.js';
import { isExact } from '../bytes.js';
import type { Code } from './eval.js';
import type { Field } from './format.js';
import { outBytes, outLength, resetOut } from './out.js';
import { readWide, rec, wide } from './record.js';
import type { Piece } from './render.js';

/** Puts one field of the current record into its column; false if it does not fit there. */
type Put = (log: Log) => boolean;

/** Puts a whole record into typed columns; false (with some set) if it is not of the shape. */
export type Plan = (log: Log) => boolean;

const fits: Readonly<Record<ShapeField['kind'], RegExp>> = {
  d: /[du]/,
  i: /[di]/,
  x: /x/,
  p: /p/,
  s: /[sp]/,
  '!': /[du]/,
  f: /[dux]/,
  t: /s/,
  w: /s/,
};

/** An integer of the record as two 32-bit words in `wide`. */
function wordReader(code: Code, little: boolean): (() => void) | null {
  const { field, int } = code;
  if (!int) return null;
  if (field && field.size === 8) return () => readWide(little, rec.at + field.offset);
  return () => {
    const v = int();
    if (typeof v === 'number') {
      wide.hi = Math.floor(v / 0x100000000) | 0;
      wide.lo = v | 0;
    } else {
      const n = BigInt.asUintN(64, v);
      wide.hi = Number(n >> 32n) | 0;
      wide.lo = Number(n & 0xffffffffn) | 0;
    }
    if (typeof v === 'number' && (v > 0x7fffffff || v < -0x80000000)) {
      wide.lo = (v - Math.floor(v / 0x100000000) * 0x100000000) | 0;
    }
  };
}

function numberPut(f: ShapeField, code: Code, little: boolean): Put | null {
  const read = wordReader(code, little);
  if (!read) return null;
  const { column } = f;
  const { kind } = columns[column];
  const index = columnNames.indexOf(column);
  if (column === 'va') {
    return (log) => {
      read();
      setVa(log, wide.hi, wide.lo);
      return true;
    };
  }
  if (kind === 'u64' || kind === 'i64') {
    return (log) => {
      read();
      putU64(log, index, wide.hi, wide.lo);
      return true;
    };
  }
  if (kind === 'f64') {
    return (log) => {
      read();
      if (!isExact(wide.hi, wide.lo)) return false;
      putF64(log, index, (wide.hi >>> 0) * 0x100000000 + (wide.lo >>> 0));
      return true;
    };
  }
  return (log) => {
    read();
    if (wide.hi !== 0) return false;
    putInt(log, index, wide.lo >>> 0);
    return true;
  };
}

/** The text that a piece of code appends, interned in a column. */
function textPut(f: ShapeField, p: Piece, little: boolean): Put {
  const name = f.column as NameOf<'dict'>;
  const index = columnNames.indexOf(name);
  const { address } = p.code;
  if (address) return addressPut(f, p, address, little);
  return (log) => {
    resetOut();
    p.put();
    putInt(log, index, log.dicts[name].internBytes(outBytes(), 0, outLength()));
    return true;
  };
}

/** The same for a text that an address decides: events of a kind mostly come from one place. */
function addressPut(f: ShapeField, p: Piece, address: Field, little: boolean): Put {
  const name = f.column as NameOf<'dict'>;
  const index = columnNames.indexOf(name);
  let [hi, lo, id] = [0, 0, -1];
  let of: Log | null = null;
  return (log) => {
    readWide(little, rec.at + address.offset);
    if (of !== log || wide.lo !== lo || wide.hi !== hi) {
      [hi, lo, of] = [wide.hi, wide.lo, log];
      resetOut();
      p.put();
      id = log.dicts[name].internBytes(outBytes(), 0, outLength());
    }
    putInt(log, index, id);
    return true;
  };
}

/** 'true' and 'false' in words: the first letter tells. */
function wordPut(f: ShapeField, p: Piece): Put {
  return (log) => {
    resetOut();
    p.put();
    const yes = outBytes()[0] === 0x74;
    if (outLength() !== (yes ? 4 : 5)) return false;
    if (f.kind === 't') setBool(log, f.column as NameOf<'bool'>, yes);
    else setDict(log, f.column as NameOf<'dict'>, yes ? 'write' : 'read');
    return true;
  };
}

function flagPut(f: ShapeField, code: Code): Put | null {
  const { int } = code;
  if (!int) return null;
  return (log) => {
    const v = Number(int());
    if (v !== 0 && v !== 1) return false;
    setBool(log, f.column as NameOf<'bool'>, f.kind === '!' ? v === 0 : v === 1);
    return true;
  };
}

function fieldPut(f: ShapeField, p: Piece, little: boolean): Put | null {
  if (!fits[f.kind].test(p.conversion.type)) return null;
  switch (f.kind) {
    case 's':
      return textPut(f, p, little);
    case 't':
    case 'w':
      return wordPut(f, p);
    case '!':
    case 'f':
      return flagPut(f, p.code);
    default:
      return numberPut(f, p.code, little);
  }
}

/** A text that must be empty for the record to have the shape. */
const emptyPut =
  (p: Piece): Put =>
  () => {
    resetOut();
    p.put();
    return outLength() === 0;
  };

const latin = (b: Uint8Array): string => Buffer.from(b).toString('latin1');

/**
 * How the fields of a record go straight into the columns of a shape, without making text: the print
 * fmt has the shape's literals between its conversions. Null where it has not.
 */
export function planOf(
  shape: Shape,
  pieces: readonly Piece[],
  tail: Uint8Array,
  little: boolean,
): Plan | null {
  const puts: Put[] = [];
  let next = 0;
  let before = ''; // literal text since the last field of the shape
  for (const p of pieces) {
    before += latin(p.literal);
    const f = shape.fields[next];
    if (f && before === f.literal) {
      const put = fieldPut(f, p, little);
      if (!put) return null;
      puts.push(put);
      next++;
      before = '';
    } else if (p.conversion.type === 's') puts.push(emptyPut(p));
    else return null;
  }
  if (next !== shape.fields.length || before + latin(tail) !== shape.tail) return null;
  return (log) => {
    for (let i = 0; i < puts.length; i++) if (!puts[i]!(log)) return false;
    return true;
  };
}
