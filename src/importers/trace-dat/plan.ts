import { type Log, putBool, putF64, putU64, putWord } from '../../events/log.js';
import { columnNames, columns, type NameOf } from '../../events/schema.js';
import type { Shape, ShapeField } from '../../events/shapes.js';
import { isExact } from '../bytes.js';
import type { Code } from './eval.js';
import type { Field } from './format.js';
import { outBytes, outLength, resetOut } from './out.js';
import { act, type Program, type Put, programOf, type Step, type TextId } from './program.js';
import { wide } from './record.js';
import type { Piece } from './render.js';

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

const columnOf = (f: ShapeField): number => columnNames.indexOf(f.column);
const PAGE = columnNames.indexOf('va_page');

/** The field that an integer is, where it stands at a fixed place and is nothing but that. */
const plainField = (code: Code): Field | undefined =>
  code.int && code.field?.dynamic === null && code.field.count === 0 ? code.field : undefined;

/** Split a whole number into two words in `wide`. */
function splitInt(v: number | bigint): void {
  const n = BigInt.asUintN(64, BigInt(v));
  wide.hi = Number(n >> 32n) | 0;
  wide.lo = Number(n & 0xffffffffn) | 0;
}

/** Puts any integer. */
function numberPut(f: ShapeField, int: NonNullable<Code['int']>): Put {
  const { kind } = columns[f.column];
  const column = columnOf(f);
  return (log) => {
    splitInt(int());
    const { hi, lo } = wide;
    if (kind === 'u64' || kind === 'i64') {
      putU64(log, column, hi, lo);
      if (f.column === 'va') putF64(log, PAGE, (hi >>> 0) * 0x100000 + (lo >>> 12));
      return true;
    }
    if (kind === 'f64') {
      if (!isExact(hi, lo)) return false;
      putF64(log, column, (hi >>> 0) * 0x100000000 + (lo >>> 0));
      return true;
    }
    if (hi !== 0) return false;
    putWord(log, column, lo);
    return true;
  };
}

/** The act for an integer field, by the column's kind, and the field's bytes and sign. */
function numberAct(f: ShapeField, field: Field): number | undefined {
  const { kind } = columns[f.column];
  const { size, signed } = field;
  if (f.column === 'va') return size === 8 ? act.va8 : undefined;
  if (kind === 'u64' || kind === 'i64')
    return size === 8 ? act.wide8 : size !== 4 ? undefined : signed ? act.wide4s : act.wide4;
  if (kind === 'f64')
    return size === 8 ? act.double8 : size === 4 && !signed ? act.double4 : undefined;
  return size === 8 ? act.word8 : size === 4 && !signed ? act.word4 : undefined;
}

function numberStep(f: ShapeField, code: Code): Step | null {
  if (!code.int) return null;
  const field = plainField(code);
  const known = field && numberAct(f, field);
  if (field && known !== undefined)
    return { act: known, column: columnOf(f), offset: field.offset };
  return { act: act.call, column: 0, offset: 0, put: numberPut(f, code.int) };
}

/** A text, or 'true' and 'false' in words, of which a value decides: looked up by that value. */
function textStep(f: ShapeField, p: Piece): Step {
  const column = columnOf(f);
  const dict = f.column as NameOf<'dict'>;
  const make = (): void => {
    resetOut();
    p.put();
  };
  const truth = f.kind === 't' || f.kind === 'w';
  const textId: TextId = (log) => {
    make();
    if (!truth) return log.dicts[dict].internBytes(outBytes(), 0, outLength());
    const yes = outBytes()[0] === 0x74; // the first letter tells
    if (outLength() !== (yes ? 4 : 5)) return -1;
    if (f.kind === 'w') return log.dicts[dict].intern(yes ? 'write' : 'read');
    return yes ? 1 : 0;
  };
  const { key } = p.code;
  const byKey = f.kind === 't' ? { 1: act.truth1 } : { 1: act.text1, 4: act.text4, 8: act.text8 };
  const known = key && (byKey as Record<number, number>)[key.size];
  if (key && known !== undefined) return { act: known, column, offset: key.offset, textId };
  const put: Put = (log) => {
    const id = textId(log);
    if (id === -1) return false;
    if (f.kind === 't') putBool(log, column, id === 1);
    else putWord(log, column, id);
    return true;
  };
  return { act: act.call, column: 0, offset: 0, put };
}

function flagStep(f: ShapeField, { int, ...code }: Code): Step | null {
  if (!int) return null;
  const column = columnOf(f);
  const field = plainField({ int, ...code });
  const negated = f.kind === '!';
  const offset = field?.offset ?? 0;
  if (field?.size === 1) return { act: negated ? act.not1 : act.bit1, column, offset };
  if (field?.size === 4) return { act: negated ? act.not4 : act.bit4, column, offset };
  const put = (log: Log): boolean => {
    const v = Number(int());
    if (v !== 0 && v !== 1) return false;
    putBool(log, column, negated ? v === 0 : v === 1);
    return true;
  };
  return { act: act.call, column, offset, put };
}

function fieldStep(f: ShapeField, p: Piece): Step | null {
  if (!fits[f.kind].test(p.conversion.type)) return null;
  if (f.kind === 's' || f.kind === 't' || f.kind === 'w') return textStep(f, p);
  return f.kind === '!' || f.kind === 'f' ? flagStep(f, p.code) : numberStep(f, p.code);
}

/** A text that must be empty for the record to have the shape. */
function emptyStep(p: Piece): Step {
  const { field } = p.code;
  if (p.code.text && field?.dynamic === 'loc' && p.conversion.width <= 0) {
    return { act: act.empty, column: 0, offset: field.offset };
  }
  const put: Put = () => {
    resetOut();
    p.put();
    return outLength() === 0;
  };
  return { act: act.call, column: 0, offset: 0, put };
}

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
): Program | null {
  const steps: Step[] = [];
  let next = 0;
  let before = ''; // literal text since the last field of the shape
  for (const p of pieces) {
    before += latin(p.literal);
    const f = shape.fields[next];
    if (f && before === f.literal) {
      const step = fieldStep(f, p);
      if (!step) return null;
      steps.push(step);
      next++;
      before = '';
    } else if (p.conversion.type === 's') steps.push(emptyStep(p));
    else return null;
  }
  if (next !== shape.fields.length || before + latin(tail) !== shape.tail) return null;
  return programOf(steps, little);
}
