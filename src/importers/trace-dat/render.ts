import { type Conversion, conversions } from './conversions.js';
import { type Code, compile, Damaged, intOf, type Scope } from './eval.js';
import { type Int, truncate } from './int.js';
import {
  cutOut,
  outLength,
  putByte,
  putBytes,
  putHexInt,
  putInt,
  putPadded,
  putText,
} from './out.js';
import { type Expr, type PrintFmt, Unsupported } from './print-fmt.js';
import { found, locate, rec } from './record.js';
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

/** %pM, %pI4 and the like on the bytes of a field. */
function addressCode(c: Conversion, code: Code): (() => void) | null {
  const f = code.field;
  if (!f || f.dynamic !== null || f.count <= 0) return null;
  const size = c.extension === 'M' ? 6 : c.extension === 'I4' ? 4 : 0;
  if (size === 0 || f.size < size) return null;
  return () => {
    for (let i = 0; i < size; i++) {
      const b = rec.bytes[rec.at + f.offset + i]!;
      if (i > 0) putByte(size === 6 ? 0x3a : 0x2e);
      if (size === 6) putHexInt(b, 2);
      else putInt(b);
    }
  };
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
    const special = code.int ? symbolCode(c, code.int, scope) : addressCode(c, code);
    if (special) return special;
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
    if (c.width === -2 || c.precision === -2) throw new Unsupported('a width from an argument');
    const arg = fmt.args[next++];
    if (!arg) throw new Unsupported('too few arguments');
    const code = compileArg(scope, arg);
    const plain = piece(c, code, scope);
    const put =
      c.width > 0
        ? () => putPadded(c.width, c.flags.includes('-'), c.flags.includes('0'), plain)
        : plain;
    return { conversion: c, literal: encoder.encode(c.literal), code, put };
  });
  return { pieces, tail: encoder.encode(last.literal) };
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

/** Append all fields as 'name=value': what is kept where the print fmt cannot be evaluated. */
export function rawRender(scope: Scope): Render {
  const all = scope.format.fields.map((f) => {
    const code = compile(scope, { kind: 'field', name: f.name });
    return { f, code, name: encoder.encode(`${f.name}=`) };
  });
  const address = /\*|\bip\b|addr|ptr/;
  return () => {
    for (const [i, { f, code, name }] of all.entries()) {
      if (i > 0) putByte(0x20);
      putBytes(name);
      if (code.text) code.text();
      else if (code.int && address.test(`${f.type} ${f.name}`)) {
        putText('0x');
        putHexInt(truncate(code.int(), f.size, false));
      } else if (code.int) putDecimal(code.int());
      else putArray(scope, code);
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
