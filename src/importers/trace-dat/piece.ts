import { bitmapCode } from './bitmaps.js';
import type { Conversion } from './conversions.js';
import { type Code, compile, elementType, find, intOf, nullText, type Scope } from './eval.js';
import type { Field } from './format.js';
import { type Int, truncate } from './int.js';
import { putNumber, zeroFilled } from './numbers.js';
import { cutOut, outLength, pad, putHexInt, putString0, putText } from './out.js';
import { bytesCode, hexCode } from './pointers.js';
import { type Expr, Unsupported } from './print-fmt.js';
import { found, rec } from './record.js';
import { socketCode } from './sockets.js';
import type { Symbols } from './symbols.js';

/** A compiled `print fmt`, or a part of it: appends the text of the current record to the output. */
export type Render = () => void;

/** A width or a precision: none, a number, an argument. */
type Size = (() => number) | null;

const splitWords = (v: Int): [number, number] => {
  const n = BigInt.asUintN(64, BigInt(v));
  return [Number(n >> 32n), Number(n & 0xffffffffn)];
};

/** The letter behind %p that shows an address as a symbol; '' for others (%pfw shows a node). */
export const symbolKind = (extension: string): string =>
  /^([sSFB]|f(?!w))/.test(extension) ? extension[0]! : '';

/** %ps name, %pS name+offset/size; an address without a symbol stands as a number. */
export function putSymbol(symbols: Symbols, v: Int, kind: string): void {
  const back = kind === 'B' ? 1 : 0; // a return address belongs to the call before it
  const [hi, lo] = splitWords(back === 0 ? v : BigInt(v) - 1n);
  const found = /[sf]/.test(kind) ? symbols.name(hi, lo) : symbols.full(hi, lo);
  if (found !== null) {
    const forth = (x: string): string => `+0x${(Number.parseInt(x, 16) + back).toString(16)}`;
    putText(back === 0 ? found : found.replace(/\+0x([0-9a-f]+)/, (_, x: string) => forth(x)));
    return;
  }
  putText('0x');
  putHexInt(v);
}

/** The text that a 'char *' points to, where printk_formats names it. */
function pointedText(code: Code, scope: Scope): (() => void) | undefined {
  const { int, type } = code;
  if (!int || type?.to?.size !== 1) return undefined;
  return () => {
    const v = int();
    const [hi, lo] = splitWords(v);
    if (v === 0) nullText();
    else putText(scope.printk.textAt(hi, lo) ?? `0x${BigInt.asUintN(64, BigInt(v)).toString(16)}`);
  };
}

/** An array of bytes, up to its first NUL. */
function bytesText(code: Code, scope: Scope): (() => void) | undefined {
  const { field, int } = code;
  if (int || !field || elementType(code, scope.longBytes)?.size !== 1) return undefined;
  return () => {
    find(field, scope.little);
    putString0(rec.bytes, found.start, found.end);
  };
}

function textCode(code: Code, scope: Scope): () => void {
  const put = code.text ?? pointedText(code, scope) ?? bytesText(code, scope);
  if (!put) throw new Unsupported('%s of what is no text');
  return put;
}

/** Code for a %p with letters; null where it is a plain pointer. */
function pointerCode(
  { extension }: Conversion,
  code: Code,
  scope: Scope,
  width: Size,
): (() => void) | null {
  if (extension === '' || /^[xK]/.test(extension)) return null;
  const kind = symbolKind(extension);
  const { int, field } = code;
  const special =
    int && kind !== ''
      ? () => putSymbol(scope.symbols, int(), kind)
      : int || !field
        ? null
        : fieldCode(extension, field, scope, width);
  if (!special) throw new Unsupported(`%p${extension}`);
  return special;
}

/** Code for what a %p shows of the bytes of a field. */
const fieldCode = (
  extension: string,
  field: Field,
  { little, longBytes }: Scope,
  width: Size,
): (() => void) | null =>
  hexCode(extension, field, little, width) ??
  bitmapCode(extension, field, little, longBytes, width) ??
  bytesCode(extension, field, little) ??
  socketCode(extension, field, little);

/** Width and precision of a conversion; `stars` are those that are arguments. */
function sizes(scope: Scope, c: Conversion, stars: readonly Expr[]): [Size, Size] {
  let next = 0;
  const size = (n: number): Size => {
    if (n !== -2) return n < 0 ? null : () => n;
    const star = stars[next++]!;
    // The kernel's own count, nr_cpu_ids: no bit beyond it is set.
    if (c.extension === 'bl' && star.kind === 'unknown') return () => Number.MAX_SAFE_INTEGER;
    const x = intOf(compile(scope, star), 'a width');
    return () => Number(truncate(x(), 4, true));
  };
  return [size(c.width), size(c.precision)];
}

const maxWidth = 4096;

/** Bring what `put` writes to a width; a negative one, which is an argument, fills on the right. */
const padded = (put: Render, width: Size, left: boolean, zero: boolean): Render =>
  !width
    ? put
    : () => {
        const start = outLength();
        put();
        const wide = width();
        if (Math.abs(wide) < maxWidth) pad(start, Math.abs(wide), left || wide < 0, zero);
      };

/** Cut what `put` writes to the precision of a text. */
const cut = (put: Render, precision: Size): Render =>
  !precision
    ? put
    : () => {
        const start = outLength();
        put();
        const most = precision();
        if (most >= 0) cutOut(Math.min(outLength(), start + most));
      };

/** The width of these is the length of what they show. */
const ownWidth = /^[hba]/;

/**
 * Code for one conversion of `code`; `stars` are the arguments that its width and precision take.
 * @throws Unsupported for what the record does not hold.
 */
export function pieceOf(scope: Scope, c: Conversion, code: Code, stars: readonly Expr[]): Render {
  const [width, precision] = sizes(scope, c, stars);
  const left = c.flags.includes('-');
  const special = c.type === 'p' ? pointerCode(c, code, scope, width) : null;
  if (special) return ownWidth.test(c.extension) ? special : padded(special, width, left, false);
  if (c.type === 's') return padded(cut(textCode(code, scope), precision), width, left, false);
  const x = intOf(code, `the argument of %${c.type}`);
  const { longBytes } = scope;
  const put = precision
    ? () => putNumber(c, x(), longBytes, precision())
    : () => putNumber(c, x(), longBytes);
  return padded(put, width, left, zeroFilled(c));
}
