import { type Conversion, conversions } from './conversions.js';
import { type Code, compile, Damaged, type Scope } from './eval.js';
import type { Field } from './format.js';
import { truncate } from './int.js';
import { putDecimal } from './numbers.js';
import { putByte, putBytes, putHexInt, putText } from './out.js';
import { pieceOf, type Render } from './piece.js';
import { type Expr, fieldsIn, type PrintFmt, Unsupported } from './print-fmt.js';
import { found, locate, rec } from './record.js';

const encoder = new TextEncoder();

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
      return { conversion: c, literal, code, put: pieceOf(scope, c, code, args.slice(0, stars)) };
    } catch (e) {
      if (!(e instanceof Unsupported) || scope.left === undefined) throw e;
      scope.left.add(e.message);
      return { conversion: c, literal, code: {}, put: rawPiece(scope, arg) };
    }
  });
  return { pieces, tail: encoder.encode(last.literal) };
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
