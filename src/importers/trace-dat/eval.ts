import type { Formats } from './bprint.js';
import { compileCall } from './calls.js';
import { common, fits, INT, type IntType, literalType, namedType } from './ctype.js';
import type { EventFormat, Field } from './format.js';
import { type Int, truncate } from './int.js';
import { compileBinary, compileUnary } from './operators.js';
import { putBytes, putString0 } from './out.js';
import { type Expr, isNull, Unsupported } from './print-fmt.js';
import { found, intReader, locate, rec } from './record.js';
import type { Symbols } from './symbols.js';

/** What expressions of one event are compiled against. */
export interface Scope {
  readonly format: EventFormat;
  readonly little: boolean;
  readonly longBytes: number;
  readonly symbols: Symbols;
  readonly printk: Formats;
  /** What of the print fmt could not be evaluated, where something stands in its place. */
  readonly left?: Set<string>;
}

/** A compiled expression: a number, a text that it appends to the output, or both. */
export interface Code {
  readonly int?: () => Int;
  text?: () => void;
  /** The C type of the number; without one it is an int. */
  readonly type?: IntType;
  /** What a cast says the elements of the array are; without one they are the field's own. */
  readonly elements?: IntType;
  /** The field read, where the expression is nothing but that. */
  readonly field?: Field;
  /** The integer field at a fixed place that alone decides the text. */
  readonly key?: Field;
}

/** Thrown while evaluating a record that does not hold what its format says. */
export class Damaged extends Error {}

const encoder = new TextEncoder();

export function fieldOf(scope: Scope, name: string): Field {
  const { fields, common } = scope.format;
  const f = fields.find((x) => x.name === name) ?? common.find((x) => x.name === name);
  if (!f) throw new Unsupported(`no field '${name}'`);
  return f;
}

export function find(f: Field, little: boolean): void {
  if (!locate(f, little)) throw new Damaged(`${f.name} lies outside the record`);
}

/** A field by its name alone. */
export function compileField(scope: Scope, f: Field): Code {
  const { little } = scope;
  if (f.text) {
    const text = (): void => {
      find(f, little);
      putString0(rec.bytes, found.start, found.end);
    };
    return { text, field: f };
  }
  if (f.dynamic !== null || f.count !== 0) return { field: f };
  const read = intReader(little, f.size, f.signed);
  if (!read) return { field: f };
  return { int: () => read(rec.at + f.offset), type: fieldType(f, scope.longBytes), field: f };
}

/** The size and sign are the format's; the name tells what a pointer points to. */
function fieldType({ type, size, signed }: Field, longBytes: number): IntType {
  const to = type.includes('*') ? namedType(type, longBytes)?.to : undefined;
  return to === undefined ? { size, signed } : { size, signed: false, to };
}

export function intOf(code: Code, what: string): () => Int {
  if (!code.int) throw new Unsupported(`${what} is no number`);
  return code.int;
}

/** The key of a text that depends on `code` alone. */
export const keyOf = ({ int, field }: Code): { key?: Field } =>
  int && field?.dynamic === null ? { key: field } : {};

export const isTrue = (v: Int): boolean => v !== 0 && v !== 0n;

export const typeOf = (code: Code): IntType => code.type ?? INT;

/** The number of `code`, brought to the type `t`. */
export function converted(code: Code, t: IntType, what: string): () => Int {
  const x = intOf(code, what);
  return fits(typeOf(code), t) ? x : () => truncate(x(), t.size, t.signed);
}

function compileCast(scope: Scope, name: string, of: Expr): Code {
  const code = compile(scope, of);
  const type = namedType(name, scope.longBytes);
  if (!code.int) {
    // '(char *)__get_str(x)', '(const u8 *)REC->addr': the same bytes, maybe as other elements
    if (!name.includes('*')) throw new Unsupported('a cast of what is no number');
    return /\bvoid\b/.test(name) || !type?.to ? code : { ...code, elements: type.to };
  }
  const x = code.int;
  if (/^_?[bB]ool$/.test(name))
    return { int: () => (isTrue(x()) ? 1 : 0), type: { size: 1, signed: false } };
  // A typedef whose size only the kernel knows holds what it is made for.
  if (!type && /\w_t$/.test(name)) return code;
  if (!type) throw new Unsupported(`the type '${name}'`);
  return { int: converted(code, type, ''), type };
}

/** What the kernel prints for a text that is not there. */
export const nullText = (): void => putBytes(NULL);
const NULL = encoder.encode('(null)');

function compileIf(scope: Scope, test: Expr, yes: Expr, no: Expr): Code {
  const tested = compile(scope, test);
  const cond = intOf(tested, 'a condition');
  const a = compile(scope, yes);
  const b = compile(scope, no);
  if (a.text && isNull(no)) b.text = nullText;
  if (b.text && isNull(yes)) a.text = nullText;
  if (a.text && b.text) {
    const [x, y] = [a.text, b.text];
    const text = (): void => (isTrue(cond()) ? x() : y());
    const constant = yes.kind === 'text' && no.kind === 'text';
    return { text, ...(constant ? keyOf(tested) : {}) };
  }
  const type = common(typeOf(a), typeOf(b));
  const [x, y] = [converted(a, type, 'a choice'), converted(b, type, 'a choice')];
  return { int: () => (isTrue(cond()) ? x() : y()), type };
}

/** Bytes and sign of the elements of an array; null for structures. */
export function elementType({ elements, field: f }: Code, longBytes: number): IntType | null {
  if (elements) return elements;
  if (!f) return null;
  if (f.dynamic === null && f.count > 0) return { size: f.size / f.count, signed: f.signed };
  return namedType(f.type.replace(/__data_loc|__rel_loc|\[.*?\]/g, '').trim(), longBytes);
}

/** The number at an index of an array. */
export function element(scope: Scope, of: Code, at: () => Int): Code {
  const f = of.field;
  if (!f || of.int) throw new Unsupported('an element of what is no array');
  const type = elementType(of, scope.longBytes);
  const read = type && intReader(scope.little, type.size, type.signed);
  if (!read) throw new Unsupported('an element that is no number');
  const int = (): Int => {
    find(f, scope.little);
    const i = at();
    const o = found.start + Number(i) * type.size;
    if (o < found.start || o + type.size > found.end)
      throw new Damaged(`${f.name}[${i}] lies outside`);
    return read(o);
  };
  return { int, type };
}

function compileIndex(scope: Scope, of: Expr, at: Expr): Code {
  return element(scope, compile(scope, of), intOf(compile(scope, at), 'an index'));
}

function compileInt(scope: Scope, value: Int, literal: string | undefined): Code {
  const type = literal === undefined ? INT : literalType(literal, BigInt(value), scope.longBytes);
  return { int: () => value, type };
}

/** Compile an expression. @throws Unsupported for what ptlab cannot evaluate. */
export function compile(scope: Scope, e: Expr): Code {
  switch (e.kind) {
    case 'int':
      return compileInt(scope, e.value, e.literal);
    case 'text': {
      const bytes = encoder.encode(e.value);
      return { text: () => putBytes(bytes) };
    }
    case 'field':
      return compileField(scope, fieldOf(scope, e.name));
    case 'index':
      return compileIndex(scope, e.of, e.at);
    case 'unary':
      return compileUnary(scope, e.op, e.of);
    case 'binary':
      return compileBinary(scope, e.op, e.a, e.b);
    case 'if':
      return compileIf(scope, e.test, e.yes, e.no);
    case 'cast':
      return compileCast(scope, e.type, e.of);
    case 'structure':
      throw new Unsupported('a structure');
    case 'pair':
      throw new Unsupported('a list out of place');
    case 'unknown':
      throw new Unsupported(e.what);
    default:
      return compileCall(scope, e.name, e.args);
  }
}
