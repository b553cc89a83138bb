import { type Conversion, conversions } from './conversions.js';
import { type Code, compile, Damaged, intOf, type Scope } from './eval.js';
import type { Field } from './format.js';
import { type Int, truncate } from './int.js';
import {
  cutOut,
  outLength,
  pad,
  putByte,
  putBytes,
  putHexInt,
  putInt,
  putPadded,
  putText,
} from './out.js';
import { bitListCode, bytesCode, hexCode } from './pointers.js';
import { type Expr, fieldsIn, type PrintFmt, Unsupported } from './print-fmt.js';
import { found, locate, rec } from './record.js';
import { socketCode } from './sockets.js';
import type { Symbols } from './symbols.js';

const encoder = new TextEncoder();

/** Bytes that a conversion takes from its argument. */
function argBytes(c: Conversion, longBytes: number): number {
  if (c.type === 'p') return longBytes;
  switch (c.length) {
    case 'hh':
      return 1;
    case 'h':
      return 2;
    case '':
      return 4;
    case 'l':
    case 'z':
    case 't':
      return longBytes;
    default:
      return 8;
  }
}

function putDecimal(v: Int): void {
  if (typeof v === 'number') putInt(v);
  else putText(v.toString());
}

const splitWords = (v: Int): [number, number] => {
  const n = BigInt.asUintN(64, BigInt(v));
  return [Number(n >> 32n), Number(n & 0xffffffffn)];
};

/** %ps name, %pS name+offset/size; an address without a symbol stands as a number. */
export function putSymbol(symbols: Symbols, v: Int, offset: boolean): void {
  const [hi, lo] = splitWords(v);
  const name = offset ? symbols.full(hi, lo) : symbols.name(hi, lo);
  if (name !== null) putText(name);
  else {
    putText('0x');
    putHexInt(v);
  }
}

function putInHex(c: Conversion, v: Int, bytes: number): void {
  if (c.flags.includes('#') && v !== 0) putText(c.type === 'x' ? '0x' : '0X');
  const n = truncate(v, bytes, false);
  if (c.type === 'x') putHexInt(n, Math.max(1, c.precision));
  else putText(n.toString(16).toUpperCase());
}

function putSigned(c: Conversion, v: Int): void {
  if (v >= 0 && c.flags.includes('+')) putByte(0x2b);
  putDecimal(v);
}

/** Append one number as conversion `c` prints it. */
export function putNumber(c: Conversion, v: Int, longBytes: number): void {
  const bytes = argBytes(c, longBytes);
  if (c.type === 'd' || c.type === 'i') putSigned(c, truncate(v, bytes, true));
  else if (c.type === 'u') putDecimal(truncate(v, bytes, false));
  else if (c.type === 'x' || c.type === 'X') putInHex(c, v, bytes);
  else if (c.type === 'o') putText(BigInt(truncate(v, bytes, false)).toString(8));
  else if (c.type === 'c') putByte(Number(truncate(v, 1, false)));
  else putHexInt(truncate(v, longBytes, false), 16);
}

function symbolCode(c: Conversion, x: () => Int, scope: Scope): (() => void) | null {
  if (!/^[sSfFB]$/.test(c.extension)) return null;
  const offset = c.extension === 'S' || c.extension === 'B';
  return () => putSymbol(scope.symbols, x(), offset);
}

/** The text that a 'char *' points to, where printk_formats names it. */
function pointedText(code: Code, scope: Scope): (() => void) | undefined {
  const { field, int } = code;
  if (!int || !field || !/\bchar\s*\*/.test(field.type)) return undefined;
  return () => {
    const [hi, lo] = splitWords(int());
    putText(scope.printk.textAt(hi, lo) ?? `0x${BigInt.asUintN(64, BigInt(int())).toString(16)}`);
  };
}

function textCode(c: Conversion, code: Code, scope: Scope): () => void {
  const put = code.text ?? pointedText(code, scope);
  if (!put) throw new Unsupported('%s of what is no text');
  if (c.precision < 0) return put;
  return () => {
    const start = outLength();
    put();
    cutOut(Math.min(outLength(), start + c.precision));
  };
}

function piece(c: Conversion, code: Code, scope: Scope): () => void {
  if (c.type === 's') return textCode(c, code, scope);
  if (c.type === 'p' && c.extension !== '') {
    const { field } = code;
    const special = code.int
      ? symbolCode(c, code.int, scope)
      : (bytesCode(c.extension, field, scope.little) ??
        socketCode(c.extension, field, scope.little));
    if (special) return special;
    if (c.extension === 'bl' && field) return bitListCode(field, scope.little, scope.longBytes);
    if (!/^[xK]$/.test(c.extension)) throw new Unsupported(`%p${c.extension}`);
  }
  const x = intOf(code, `the argument of %${c.type}`);
  return () => putNumber(c, x(), scope.longBytes);
}

/** A compiled `print fmt`: appends the text of the current record to the output. */
export type Render = () => void;

/** One conversion: the literal before it, its code, and what the argument is. */
export interface Piece {
  readonly conversion: Conversion;
  readonly literal: Uint8Array;
  readonly code: Code;
  readonly put: Render;
}

/** Compile a print fmt. @throws Unsupported for what ptlab cannot evaluate. */
export function compilePieces(
  fmt: PrintFmt,
  scope: Scope,
  compileArg: (scope: Scope, e: Expr) => Code = compile,
): { pieces: Piece[]; tail: Uint8Array } {
  const all = conversions(fmt.format);
  const last = all.pop()!;
  let next = 0;
  const pieces = all.map((c): Piece => {
    const stars = [c.width, c.precision].filter((n) => n === -2).length;
    const args = fmt.args.slice(next, next + stars + 1);
    next += stars + 1;
    if (args.length <= stars) throw new Unsupported('too few arguments');
    const arg = args[stars]!;
    const literal = encoder.encode(c.literal);
    try {
      const code = compileArg(scope, arg);
      const widths = args.slice(0, stars).map((e) => intOf(compile(scope, e), 'a width'));
      if (code.field && c.type === 'p' && /^h[CDN]?$/.test(c.extension)) {
        const width = (): number => Number(widths[0]?.() ?? Math.max(1, c.width));
        return {
          conversion: c,
          literal,
          code,
          put: hexCode(c.extension, code.field, scope.little, width),
        };
      }
      return { conversion: c, literal, code, put: padded(c, widths, piece(c, code, scope)) };
    } catch (e) {
      if (!(e instanceof Unsupported) || scope.left === undefined) throw e;
      scope.left.add(e.message);
      return { conversion: c, literal, code: {}, put: rawPiece(scope, arg) };
    }
  });
  return { pieces, tail: encoder.encode(last.literal) };
}

const maxWidth = 4096;

/** Width and precision of a conversion around what it puts; `widths` are those that are arguments. */
function padded(c: Conversion, widths: readonly (() => Int)[], put: Render): Render {
  const left = c.flags.includes('-');
  const zero = c.flags.includes('0');
  if (widths.length === 0) return c.width > 0 ? () => putPadded(c.width, left, zero, put) : put;
  if (c.type === 'p') return put; // the size of a bitmap, which its field has
  const width = c.width === -2 ? widths[0] : undefined;
  const precision = c.precision === -2 ? widths.at(-1) : undefined;
  return () => {
    const start = outLength();
    put();
    const most = precision ? Number(precision()) : -1;
    if (c.type === 's' && most >= 0) cutOut(Math.min(outLength(), start + most));
    const wide = width ? Number(width()) : c.width;
    if (wide < maxWidth) pad(start, Math.abs(wide), left || wide < 0, zero);
  };
}

/** An argument that cannot be evaluated: the fields it is made of, as '<name=value>'. */
function rawPiece(scope: Scope, arg: Expr): Render {
  const { format } = scope;
  const used = new Set(fieldsIn(arg));
  const fields = format.fields.filter((f) => used.has(f.name)).map((f) => rawField(scope, f));
  return () => {
    putByte(0x3c);
    for (const [i, put] of fields.entries()) {
      if (i > 0) putByte(0x20);
      put();
    }
    putText(fields.length === 0 ? '?>' : '>');
  };
}

/** Run the pieces one after the other. */
export function renderer(pieces: readonly Piece[], tail: Uint8Array): Render {
  return () => {
    for (let i = 0; i < pieces.length; i++) {
      const p = pieces[i]!;
      putBytes(p.literal);
      p.put();
    }
    putBytes(tail);
  };
}

const address = /\*|\bip\b|addr|ptr/;

/** Append a field as 'name=value'. */
function rawField(scope: Scope, f: Field): Render {
  const code = compile(scope, { kind: 'field', name: f.name });
  const name = encoder.encode(`${f.name}=`);
  const asAddress = address.test(`${f.type} ${f.name}`);
  return () => {
    putBytes(name);
    if (code.text) code.text();
    else if (code.int && asAddress) {
      putText('0x');
      putHexInt(truncate(code.int(), f.size, false));
    } else if (code.int) putDecimal(code.int());
    else putArray(scope, code);
  };
}

/** Append all fields: what is kept where the print fmt cannot be taken apart. */
export function rawRender(scope: Scope): Render {
  const all = scope.format.fields.map((f) => rawField(scope, f));
  return () => {
    for (const [i, put] of all.entries()) {
      if (i > 0) putByte(0x20);
      put();
    }
  };
}

/** 'ARRAY[0f, 00]', as trace-cmd prints what it cannot parse. */
function putArray(scope: Scope, code: Code): void {
  const f = code.field!;
  if (!locate(f, scope.little)) throw new Damaged(`${f.name} lies outside the record`);
  putText('ARRAY[');
  for (let o = found.start; o < found.end; o++) {
    if (o > found.start) putText(', ');
    putHexInt(rec.bytes[o]!, 2);
  }
  putByte(0x5d);
}
