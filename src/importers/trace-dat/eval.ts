import type { Formats } from './bprint.js';
import { compileCall } from './calls.js';
import type { EventFormat, Field } from './format.js';
import { type Int, ops, truncate } from './int.js';
import { putBytes, putString0 } from './out.js';
import { type Expr, Unsupported } from './print-fmt.js';
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
  /** Bytes of the C type, for conversions that do not say it. */
  readonly size?: number;
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
  return { int: () => read(rec.at + f.offset), size: f.size, field: f };
}

export function intOf(code: Code, what: string): () => Int {
  if (!code.int) throw new Unsupported(`${what} is no number`);
  return code.int;
}

/** The key of a text that depends on `code` alone. */
export const keyOf = ({ int, field }: Code): { key?: Field } =>
  int && field?.dynamic === null ? { key: field } : {};

export const isTrue = (v: Int): boolean => v !== 0 && v !== 0n;

function compileBinary(scope: Scope, op: string, a: Expr, b: Expr): Code {
  const x = intOf(compile(scope, a), 'an operand');
  const y = intOf(compile(scope, b), 'an operand');
  if (op === '&&') return { int: () => (isTrue(x()) && isTrue(y()) ? 1 : 0), size: 4 };
  if (op === '||') return { int: () => (isTrue(x()) || isTrue(y()) ? 1 : 0), size: 4 };
  const f = ops[op]!;
  return { int: () => f(x(), y()) };
}

function compileUnary(scope: Scope, op: string, of: Expr): Code {
  if (op === '*' || op === '&') throw new Unsupported('a pointer');
  const code = compile(scope, of);
  const x = intOf(code, 'an operand');
  const size = code.size === undefined ? {} : { size: code.size };
  if (op === '!') return { int: () => (isTrue(x()) ? 0 : 1), size: 4 };
  if (op === '~') return { int: () => ops['^']!(x(), -1), ...size };
  return op === '-' ? { int: () => ops['-']!(0, x()), ...size } : code;
}

const typeSizes: Record<string, number> = {
  char: 1, u8: 1, s8: 1, __u8: 1, __s8: 1, uint8_t: 1, bool: 1,
  short: 2, u16: 2, s16: 2, __u16: 2, __s16: 2, uint16_t: 2, __le16: 2, __be16: 2,
  int: 4, u32: 4, s32: 4, __u32: 4, __s32: 4, uint32_t: 4, pid_t: 4, __le32: 4, __be32: 4,
  u64: 8, s64: 8, __u64: 8, __s64: 8, uint64_t: 8, __le64: 8, __be64: 8, loff_t: 8, sector_t: 8,
}; // biome-ignore format: a table

/** Bytes and sign of a C type; null for what is not an integer. */
export function integerType(
  type: string,
  longBytes: number,
): { size: number; signed: boolean } | null {
  const signed =
    !/\bunsigned\b|\b_*u(8|16|32|64|int)|\bsize_t\b|\*|\bbool\b/.test(type) || /ssize_t/.test(type);
  if (type.includes('*')) return { size: longBytes, signed: false };
  if (/\blong long\b/.test(type)) return { size: 8, signed };
  if (/\blong\b|\bs?size_t\b|uintptr_t/.test(type)) return { size: longBytes, signed };
  const word = type.split(/\s+/).find((w) => Object.hasOwn(typeSizes, w));
  if (word) return { size: typeSizes[word]!, signed };
  if (/\bu(int|short|long)\b/.test(type))
    return integerType(type.replace(/\bu/, 'unsigned '), longBytes);
  return /^(unsigned|signed)$|\b(enum|\w+_t)\b/.test(type) ? { size: 4, signed } : null;
}

function compileCast(scope: Scope, type: string, of: Expr): Code {
  const code = compile(scope, of);
  if (!code.int) {
    // '(char *)__get_str(x)', '(const u8 *)REC->addr' stay what they are
    if (type.includes('*')) return code;
    throw new Unsupported('a cast of what is no number');
  }
  const x = code.int;
  if (/\w+_t$/.test(type) && !integerType(type, scope.longBytes)) return code;
  const t = integerType(type, scope.longBytes);
  if (!t) throw new Unsupported(`the type '${type}'`);
  return { int: () => truncate(x(), t.size, t.signed), size: t.size };
}

/** What the kernel prints for a text that is not there. */
const nullText = (): void => putBytes(NULL);
const NULL = encoder.encode('(null)');

function compileIf(scope: Scope, test: Expr, yes: Expr, no: Expr): Code {
  const tested = compile(scope, test);
  const cond = intOf(tested, 'a condition');
  const a = compile(scope, yes);
  const b = compile(scope, no);
  const none = (e: Expr): boolean =>
    e.kind === 'cast' ? none(e.of) : e.kind === 'int' && e.value === 0;
  if (a.text && none(no)) b.text = nullText;
  if (b.text && none(yes)) a.text = nullText;
  if (a.text && b.text) {
    const [x, y] = [a.text, b.text];
    const text = (): void => (isTrue(cond()) ? x() : y());
    const constant = yes.kind === 'text' && no.kind === 'text';
    return { text, ...(constant ? keyOf(tested) : {}) };
  }
  const [x, y] = [intOf(a, 'a choice'), intOf(b, 'a choice')];
  return { int: () => (isTrue(cond()) ? x() : y()), size: Math.max(a.size ?? 4, b.size ?? 4) };
}

function compileIndex(scope: Scope, of: Expr, at: Expr): Code {
  const f = compile(scope, of).field;
  const i = intOf(compile(scope, at), 'an index');
  if (!f || f.text) throw new Unsupported('an element of what is no array');
  const size = elementSize(f, scope.longBytes);
  const read = intReader(scope.little, size, f.signed);
  if (!read) throw new Unsupported(`elements of ${size} bytes`);
  const int = (): Int => {
    find(f, scope.little);
    const o = found.start + Number(i()) * size;
    if (o < found.start || o + size > found.end)
      throw new Damaged(`${f.name}[${i()}] lies outside`);
    return read(o);
  };
  return { int, size };
}

/** Bytes of one element of an array. */
export function elementSize(f: Field, longBytes: number): number {
  if (f.dynamic === null && f.count > 0) return f.size / f.count;
  return (
    integerType(f.type.replace(/__data_loc|__rel_loc|\[.*?\]/g, '').trim(), longBytes)?.size ?? 1
  );
}

/** Compile an expression. @throws Unsupported for what ptlab cannot evaluate. */
export function compile(scope: Scope, e: Expr): Code {
  switch (e.kind) {
    case 'int':
      return { int: () => e.value };
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
    case 'pair':
      throw new Unsupported('a list out of place');
    case 'unknown':
      throw new Unsupported(e.what);
    default:
      return compileCall(scope, e.name, e.args);
  }
}
