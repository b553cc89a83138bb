import { common, type IntType, promoted } from './ctype.js';
import {
  type Code,
  compile,
  converted,
  element,
  intOf,
  isTrue,
  type Scope,
  typeOf,
} from './eval.js';
import { type Int, ops, truncate } from './int.js';
import { type Expr, Unsupported } from './print-fmt.js';

/** A pointer moves by what it points to; C allows it no other arithmetic. */
function scaled(op: string, by: Code, pointer: IntType): () => Int {
  const bytes = pointer.to?.size;
  if ((op !== '+' && op !== '-') || by.type?.to !== undefined || bytes === undefined)
    throw new Unsupported('arithmetic with a pointer');
  const y = intOf(by, 'an operand');
  return bytes === 1 ? y : () => ops['*']!(y(), bytes);
}

const isComparison = (op: string): boolean => /^([<>]=?|[!=]=)$/.test(op);
const isShift = (op: string): boolean => op === '<<' || op === '>>';

/** Compile 'a op b' with C's conversions. */
export function compileBinary(scope: Scope, op: string, a: Expr, b: Expr): Code {
  const [left, right] = [compile(scope, a), compile(scope, b)];
  const [x, y] = [intOf(left, 'an operand'), intOf(right, 'an operand')];
  if (op === '&&') return { int: () => (isTrue(x()) && isTrue(y()) ? 1 : 0) };
  if (op === '||') return { int: () => (isTrue(x()) || isTrue(y()) ? 1 : 0) };
  const f = ops[op]!;
  const both = common(typeOf(left), typeOf(right));
  if (isComparison(op)) {
    const [p, q] = [converted(left, both, ''), converted(right, both, '')];
    return { int: () => f(p(), q()) };
  }
  const type = isShift(op) ? promoted(typeOf(left)) : both;
  if (both.to !== undefined) {
    const onLeft = left.type?.to !== undefined;
    const [p, q] = onLeft ? [x, scaled(op, right, both)] : [scaled(op, left, both), y];
    return { int: () => truncate(f(p(), q()), type.size, false), type };
  }
  const p = converted(left, type, '');
  const q = isShift(op) ? y : converted(right, type, '');
  return { int: () => truncate(f(p(), q()), type.size, type.signed), type };
}

/** Compile one of '+ - ! ~ * &' before an expression. */
export function compileUnary(scope: Scope, op: string, of: Expr): Code {
  const code = compile(scope, of);
  if (op === '*') return element(scope, code, () => 0);
  if (op === '&') {
    if (of.kind !== 'field' || !code.field) throw new Unsupported('an address');
    const { size, signed } = code.field;
    return { field: code.field, ...(code.int ? { elements: { size, signed } } : {}) };
  }
  if (op === '!') {
    const x = intOf(code, 'an operand');
    return { int: () => (isTrue(x()) ? 0 : 1) };
  }
  const type = promoted(typeOf(code));
  if (type.to !== undefined) throw new Unsupported('arithmetic with a pointer');
  const x = converted(code, type, 'an operand');
  if (op === '+') return { int: x, type };
  const [first, f] = op === '~' ? [-1, ops['^']!] : [0, ops['-']!];
  return { int: () => truncate(f(first, x()), type.size, type.signed), type };
}
