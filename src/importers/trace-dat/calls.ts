import { argField, array, bitmask, type Call, dynamicElements, hexBytes } from './arrays.js';
import { namedType, U64, unsignedLong } from './ctype.js';
import { type Code, compile, compileField, converted, find, type Scope, typeOf } from './eval.js';
import { type Int, norm, ops } from './int.js';
import { flags, symbolic } from './names.js';
import { type Expr, Unsupported } from './print-fmt.js';
import { found } from './record.js';

const str: Call = (scope, [name]) => compileField(scope, { ...argField(scope, name), text: true });

const dynamicLength: Call = (scope, [name]) => {
  const f = argField(scope, name);
  const int = (): Int => {
    find(f, scope.little);
    return found.end - found.start;
  };
  return { int };
};

const second = 1_000_000_000;

/** Whole seconds of nanoseconds, and what is left. */
const seconds: Call = (scope, [value]) => {
  const x = converted(compile(scope, value!), U64, 'a time');
  return { int: () => ops['/']!(x(), second), type: U64 };
};
const secondsLeft: Call = (scope, [value]) => {
  const x = converted(compile(scope, value!), U64, 'a time');
  return { int: () => ops['%']!(x(), second), type: { size: 4, signed: false } };
};

/** The bytes of a number in the other order: what ntohl() and its like become. */
const swapped =
  (bytes: number): Call =>
  (scope, [value]) => {
    const type = { size: bytes, signed: false };
    const x = converted(compile(scope, value!), type, 'a number');
    const int = (): Int => {
      let [v, turned] = [BigInt(x()), 0n];
      for (let i = 0; i < bytes; i++, v >>= 8n) turned = (turned << 8n) | (v & 0xffn);
      return norm(turned);
    };
    return { int, type };
  };

/** Nothing is known when the kernel is built: the branch for a variable is taken. */
const notConstant: Call = () => ({ int: () => 0 });

const dynamicArray: Call = (scope, [name]) => ({ field: argField(scope, name) });

const sizeOf: Call = (scope, [of]) => {
  const type = unsignedLong(scope.longBytes);
  if (of?.kind === 'text') {
    const named = namedType(of.value, scope.longBytes);
    if (!named) throw new Unsupported(`sizeof(${of.value})`);
    return { int: () => named.size, type };
  }
  const code = compile(scope, of!);
  const bytes = code.field?.dynamic === null ? code.field.size : code.int && typeOf(code).size;
  if (!bytes) throw new Unsupported('sizeof');
  return { int: () => bytes, type };
};

const expect: Call = (scope, [value]) => compile(scope, value!);

const calls: Readonly<Record<string, Call>> = {
  __print_symbolic: symbolic(false),
  __print_symbolic_u64: symbolic(true),
  __print_flags: flags(false),
  __print_flags_u64: flags(true),
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
  __builtin_constant_p: notConstant,
  __builtin_bswap16: swapped(2),
  __builtin_bswap32: swapped(4),
  __builtin_bswap64: swapped(8),
  __fswab16: swapped(2),
  __fswab32: swapped(4),
  __fswab64: swapped(8),
  sizeof: sizeOf,
};

/** Compile a call of one of the kernel's print helpers. @throws Unsupported for others. */
export function compileCall(scope: Scope, name: string, args: readonly Expr[]): Code {
  const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
  if (!call || args.length === 0) throw new Unsupported(`the function ${name}()`);
  return call(scope, args);
}
