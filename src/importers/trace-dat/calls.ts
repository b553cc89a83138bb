import {
  type Code,
  compile,
  compileField,
  Damaged,
  fieldOf,
  find,
  integerType,
  intOf,
  isTrue,
  keyOf,
  type Scope,
} from './eval.js';
import type { Field } from './format.js';
import { type Int, ops } from './int.js';
import { putByte, putBytes, putHex, putHexInt } from './out.js';
import { type Expr, Unsupported } from './print-fmt.js';
import { found, intReader, words } from './record.js';

const encoder = new TextEncoder();

type Call = (scope: Scope, args: readonly Expr[]) => Code;

/** The field that an argument names, bare or as REC->name. */
function argField(scope: Scope, e: Expr | undefined): Field {
  if (e?.kind === 'text') return fieldOf(scope, e.value);
  if (e?.kind === 'cast') return argField(scope, e.of);
  const f = e && compile(scope, e).field;
  if (!f) throw new Unsupported('no field where one is needed');
  return f;
}

/**
 * '{ value, "name" }' pairs; a list may end in one without a name. A name whose value only the kernel
 * knows is left out: such a value stands as a number.
 */
function names(scope: Scope, pairs: readonly Expr[]): [Int, Uint8Array][] {
  const list: [Int, Uint8Array][] = [];
  for (const p of pairs) {
    if (p.kind !== 'pair' || p.items.length !== 2) throw new Unsupported('no value and name');
    const name = p.items[1]!;
    if (name.kind !== 'text') continue;
    try {
      const value = intOf(compile(scope, p.items[0]!), 'a value')();
      list.push([value, encoder.encode(name.value)]);
    } catch (e) {
      if (!(e instanceof Unsupported)) throw e;
      scope.left?.add(e.message);
    }
  }
  return list;
}

const ZERO_X = encoder.encode('0x');

const symbolic: Call = (scope, [value, ...pairs]) => {
  const code = compile(scope, value!);
  const x = intOf(code, 'the value');
  const list = names(scope, pairs);
  const text = (): void => {
    const v = x();
    const hit = list.find(([n]) => n === v);
    if (hit) putBytes(hit[1]);
    else {
      putBytes(ZERO_X);
      putHexInt(v);
    }
  };
  return { text, ...keyOf(code) };
};

const flags: Call = (scope, [value, delimiter, ...pairs]) => {
  const code = compile(scope, value!);
  const x = intOf(code, 'the value');
  if (delimiter?.kind !== 'text') throw new Unsupported('no delimiter');
  const between = encoder.encode(delimiter.value);
  const list = names(scope, pairs);
  const and = ops['&']!;
  const text = (): void => {
    let rest = x();
    let first = true;
    const next = (): void => {
      if (!first) putBytes(between);
      first = false;
    };
    for (const [mask, name] of list) {
      if (!isTrue(mask) || and(rest, mask) !== mask) continue;
      next();
      putBytes(name);
      rest = and(rest, ops['^']!(mask, -1));
    }
    if (!isTrue(rest)) return;
    next();
    putBytes(ZERO_X);
    putHexInt(rest);
  };
  return { text, ...keyOf(code) };
};

const str: Call = (scope, [name]) => compileField(scope, { ...argField(scope, name), text: true });

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

const hexBytes =
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

const array: Call = (scope, [of, count, size]) => {
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

/** A bitmap as the kernel's %*pb prints it: 32 bits a group, the highest first. */
const bitmask: Call = (scope, [name]) => {
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

const dynamicLength: Call = (scope, [name]) => {
  const f = argField(scope, name);
  const int = (): Int => {
    find(f, scope.little);
    return found.end - found.start;
  };
  return { int, size: 4 };
};

const dynamicArray: Call = (scope, [name]) => ({ field: argField(scope, name) });

const sizeOf: Call = (scope, [of]) => {
  if (of?.kind === 'text') {
    const type = integerType(of.value, scope.longBytes);
    if (!type) throw new Unsupported(`sizeof(${of.value})`);
    return { int: () => type.size, size: scope.longBytes };
  }
  const { field, size } = compile(scope, of!);
  const bytes = field?.size ?? size;
  if (bytes === undefined) throw new Unsupported('sizeof');
  return { int: () => bytes, size: scope.longBytes };
};

const expect: Call = (scope, [value]) => compile(scope, value!);

const calls: Readonly<Record<string, Call>> = {
  __print_symbolic: symbolic,
  __print_symbolic_u64: symbolic,
  __print_flags: flags,
  __print_flags_u64: flags,
  __print_hex: hexBytes(true),
  __print_hex_str: hexBytes(false),
  __print_array: array,
  __get_str: str,
  __get_rel_str: str,
  __get_dynamic_array: dynamicArray,
  __get_rel_dynamic_array: dynamicArray,
  __get_dynamic_array_len: dynamicLength,
  __get_rel_dynamic_array_len: dynamicLength,
  __get_bitmask: bitmask,
  __get_rel_bitmask: bitmask,
  __get_cpumask: bitmask,
  __get_rel_cpumask: bitmask,
  __builtin_expect: expect,
  sizeof: sizeOf,
};

/** Compile a call of one of the kernel's print helpers. @throws Unsupported for others. */
export function compileCall(scope: Scope, name: string, args: readonly Expr[]): Code {
  const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (!call || args.length === 0) throw new Unsupported(`the function ${name}()`);
  return call(scope, args);
}
