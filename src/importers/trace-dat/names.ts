import { type Call, ZERO_X } from './arrays.js';
import { type IntType, U64, unsignedLong } from './ctype.js';
import { compile, converted, isTrue, keyOf, type Scope } from './eval.js';
import { type Int, ops } from './int.js';
import { putBytes, putHexInt } from './out.js';
import { type Expr, isNull, Unsupported } from './print-fmt.js';

const encoder = new TextEncoder();

/**
 * '{ value, "name" }' pairs, whose values are brought to the type `t`. A name whose value only the
 * kernel knows is left out: such a value stands as a number.
 */
function names(scope: Scope, pairs: readonly Expr[], t: IntType): [Int, Uint8Array][] {
  const list: [Int, Uint8Array][] = [];
  for (const p of pairs) {
    if (p.kind === 'pair' && p.items.length === 0) break; // '{ }' has no name
    if (p.kind !== 'pair' || p.items.length !== 2) throw new Unsupported('no value and name');
    const name = p.items[1]!;
    if (isNull(name)) break;
    if (name.kind !== 'text') throw new Unsupported('a name that is no text');
    try {
      const value = converted(compile(scope, p.items[0]!), t, 'a value')();
      list.push([value, encoder.encode(name.value)]);
    } catch (e) {
      if (!(e instanceof Unsupported)) throw e;
      scope.left?.add(e.message);
    }
  }
  return list;
}

function putHexed(v: Int): void {
  putBytes(ZERO_X);
  putHexInt(v);
}

/** The name of a value. C: kernel/trace/trace_output.c trace_print_symbols_seq(). */
export const symbolic =
  (wide: boolean): Call =>
  (scope, [value, ...pairs]) => {
    const code = compile(scope, value!);
    const t = wide ? U64 : unsignedLong(scope.longBytes);
    const x = converted(code, t, 'the value');
    const list = names(scope, pairs, t);
    const text = (): void => {
      const v = x();
      const hit = list.find(([n]) => n === v);
      if (hit && hit[1].length > 0) putBytes(hit[1]);
      else putHexed(v);
    };
    return { text, ...keyOf(code) };
  };

/** The names of the bits set, and what is left. C: trace_print_flags_seq(). */
export const flags =
  (wide: boolean): Call =>
  (scope, [value, delimiter, ...pairs]) => {
    const code = compile(scope, value!);
    const t = wide ? U64 : unsignedLong(scope.longBytes);
    const x = converted(code, t, 'the value');
    if (delimiter?.kind !== 'text') throw new Unsupported('no delimiter');
    const between = encoder.encode(delimiter.value);
    const list = names(scope, pairs, t);
    const [and, xor] = [ops['&']!, ops['^']!];
    const text = (): void => {
      let rest = x();
      let first = true;
      const next = (): void => {
        if (!first) putBytes(between);
        first = false;
      };
      for (const [mask, name] of list) {
        if (!isTrue(rest)) return;
        if (and(rest, mask) !== mask) continue;
        next();
        putBytes(name);
        rest = xor(rest, mask);
      }
      if (!isTrue(rest)) return;
      next();
      putHexed(rest);
    };
    return { text, ...keyOf(code) };
  };
