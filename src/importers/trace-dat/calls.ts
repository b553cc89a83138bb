import {
  argField,
  array,
  bitmask,
  type Call,
  dynamicElements,
  hexBytes,
  ZERO_X,
} from './arrays.js';
import {
  type Code,
  compile,
  compileField,
  find,
  integerType,
  intOf,
  isTrue,
  keyOf,
  type Scope,
} from './eval.js';
import { type Int, ops, truncate } from './int.js';
import { putBytes, putHexInt } from './out.js';
import { type Expr, Unsupported } from './print-fmt.js';
import { found } from './record.js';

const encoder = new TextEncoder();

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

const dynamicLength: Call = (scope, [name]) => {
  const f = argField(scope, name);
  const int = (): Int => {
    find(f, scope.little);
    return found.end - found.start;
  };
  return { int, size: 4 };
};

/** Whole seconds of nanoseconds, and what is left. */
const seconds: Call = (scope, [value]) => {
  const x = intOf(compile(scope, value!), 'a time');
  return { int: () => ops['/']!(truncate(x(), 8, false), 1e9), size: 8 };
};
const secondsLeft: Call = (scope, [value]) => {
  const x = intOf(compile(scope, value!), 'a time');
  return { int: () => ops['%']!(truncate(x(), 8, false), 1e9), size: 4 };
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
  __print_dynamic_array: dynamicElements,
  __print_ns_to_secs: seconds,
  __print_ns_without_secs: secondsLeft,
  __get_str: str,
  __get_rel_str: str,
  __get_dynamic_array: dynamicArray,
  __get_rel_dynamic_array: dynamicArray,
  __get_sockaddr: dynamicArray,
  __get_rel_sockaddr: dynamicArray,
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
