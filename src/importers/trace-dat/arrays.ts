import { type Code, compile, Damaged, fieldOf, find, intOf, type Scope } from './eval.js';
import type { Field } from './format.js';
import type { Int } from './int.js';
import { putByte, putBytes, putHex, putHexInt } from './out.js';
import { type Expr, Unsupported } from './print-fmt.js';
import { found, intReader, words } from './record.js';

/** Compiles a call of one of the kernel's print helpers. */
export type Call = (scope: Scope, args: readonly Expr[]) => Code;

/** What stands before each element. */
export const ZERO_X = new TextEncoder().encode('0x');

/** The field that an argument names, bare or as REC->name. */
export function argField(scope: Scope, e: Expr | undefined): Field {
  if (e?.kind === 'text') return fieldOf(scope, e.value);
  if (e?.kind === 'unknown' && e.name !== undefined) return fieldOf(scope, e.name);
  if (e?.kind === 'cast') return argField(scope, e.of);
  const f = e && compile(scope, e).field;
  if (!f) throw new Unsupported('no field where one is needed');
  return f;
}

/** Elements of an array field, each put by `put`, with `between` in between. */
function elements(
  scope: Scope,
  of: Expr,
  count: Expr | undefined,
  size: (f: Field) => number,
  put: (v: Int, i: number) => void,
): Code {
  const f = argField(scope, of.kind === 'call' ? of.args[0] : of);
  const n = count ? intOf(compile(scope, count), 'a count') : null;
  const bytes = size(f);
  const read = intReader(scope.little, bytes, false);
  if (!read) throw new Unsupported(`elements of ${bytes} bytes`);
  const text = (): void => {
    find(f, scope.little);
    const { start, end } = found;
    const held = Math.floor((end - start) / bytes);
    const wanted = n ? Number(n()) : held;
    if (wanted > held) throw new Damaged(`${f.name} has ${held} elements, not ${wanted}`);
    for (let i = 0; i < wanted; i++) put(read(start + i * bytes), i);
  };
  return { text };
}

/** Bytes in hexadecimal, with blanks or without. */
export const hexBytes =
  (space: boolean): Call =>
  (scope, [of, count]) =>
    elements(
      scope,
      of!,
      count,
      () => 1,
      (v, i) => {
        if (space && i > 0) putByte(0x20);
        putHex(v as number, 2);
      },
    );

/** '{0x1,0x2}': the array, how many of it, bytes of each. */
export const array: Call = (scope, [of, count, size]) => {
  const bytes = Number(size ? intOf(compile(scope, size), 'a size')() : 4);
  const inner = elements(
    scope,
    of!,
    count,
    () => bytes,
    (v, i) => {
      if (i > 0) putByte(0x2c);
      putBytes(ZERO_X);
      putHexInt(v);
    },
  );
  const text = (): void => {
    putByte(0x7b);
    inner.text!();
    putByte(0x7d);
  };
  return { text };
};

/** The same of all of a dynamic array: its name, bytes of each. */
export const dynamicElements: Call = (scope, [name, size]) => {
  const f = argField(scope, name);
  const bytes = Number(size ? intOf(compile(scope, size), 'a size')() : 4);
  const read = intReader(scope.little, bytes, false);
  if (!read) throw new Unsupported(`elements of ${bytes} bytes`);
  const text = (): void => {
    find(f, scope.little);
    const { start, end } = found;
    putByte(0x7b);
    for (let o = start; o + bytes <= end; o += bytes) {
      if (o > start) putByte(0x2c);
      putBytes(ZERO_X);
      putHexInt(read(o));
    }
    putByte(0x7d);
  };
  return { text };
};

/** A bitmap as the kernel's %*pb prints it: 32 bits a group, the highest first. */
export const bitmask: Call = (scope, [name]) => {
  const f = argField(scope, name);
  const text = (): void => {
    find(f, scope.little);
    const { start, end } = found;
    const w = words(scope.little)[4];
    const groups = Math.floor((end - start) / 4);
    const big64 = !scope.little && scope.longBytes === 8;
    for (let g = groups - 1; g >= 0; g--) {
      putHex(w(start + 4 * (big64 ? g ^ 1 : g)), 8);
      if (g > 0) putByte(0x2c);
    }
  };
  return { text };
};
