import { type Names, registerName, threadOf, value, valueList } from './init.js';
import { type Condition, INT, type Location, type Place } from './model.js';
import { accept, type Cursor, expect, fail, integer, nameToken, peek } from './source.js';

/** What a condition may name. */
export interface Scope {
  readonly names: Names;
  /** Number of threads. */
  readonly threads: number;
}

function register(c: Cursor, { names, threads }: Scope, thread: number, at: number): Place {
  if (thread >= threads) fail(c.source, at, `there is no thread P${thread}`);
  const reg = registerName(c);
  const type = names.registers.get(thread)?.get(reg)?.type ?? INT;
  return { kind: 'reg', thread, reg, type };
}

/** A register `1:X0` or `P1:X0`, or a location `x`, `[x]`, `*x`, `x[1]`. */
export function place(c: Cursor, scope: Scope): Place {
  const { at } = peek(c);
  accept(c, '*');
  const thread = threadOf(c);
  if (thread !== undefined) return register(c, scope, thread, at);
  const bracket = accept(c, '[');
  const t = nameToken(c, 'a register (0:X1) or a location');
  if (peek(c).text === '(')
    fail(c.source, t.at, `'${t.text}(...)' is not supported in a condition`);
  const location = scope.names.locations.get(t.text) as Location;
  if (!location) fail(c.source, t.at, `location '${t.text}' is not in the init block`);
  if (bracket) expect(c, ']', 'behind the location');
  if (bracket || !accept(c, '[')) return { kind: 'location', location };
  const index = Number(integer(c, 'an index'));
  expect(c, ']', 'behind the index');
  if (!location.array) fail(c.source, t.at, `'${t.text}' is not an array`);
  if (index >= location.init.length) fail(c.source, t.at, `'${t.text}' has no element ${index}`);
  return { kind: 'element', location, index };
}

/** A place as text: equal for places that are the same. */
export const placeKey = (p: Place): string => {
  if (p.kind === 'reg') return `${p.thread}:X${p.reg}`;
  return p.kind === 'element' ? `${p.location.name}[${p.index}]` : p.location.name;
};

const cells = (p: Place): number => (p.kind === 'location' ? p.location.init.length : 1);

function comparison(c: Cursor, scope: Scope): Condition {
  const { at } = peek(c);
  const left = place(c, scope);
  const unequal = accept(c, '!=') || accept(c, '<>');
  if (!unequal && !accept(c, '=')) expect(c, '==', 'in the condition');
  const next = peek(c).text;
  const other = next === '[' || next === '*' || peek(c, 1).text === ':';
  let equal: Condition;
  if (other && /^(P?\d+|\[|\*)$/.test(next)) {
    equal = { op: 'same', place: left, other: place(c, scope) };
    if (cells(left) !== cells(equal.other)) fail(c.source, at, 'an array is compared to one value');
  } else {
    const list = next === '{';
    const values = list ? valueList(c, scope.names) : [value(c, scope.names)];
    if (values.length !== cells(left) || list !== (left.kind === 'location' && left.location.array))
      fail(c.source, at, `'${placeKey(left)}' has ${cells(left)} elements, not ${values.length}`);
    equal = { op: 'equal', place: left, values };
  }
  return unequal ? { op: 'not', a: equal } : equal;
}

function atom(c: Cursor, scope: Scope): Condition {
  if (accept(c, '~') || accept(c, 'not')) return { op: 'not', a: atom(c, scope) };
  if (accept(c, '(')) {
    const inner = condition(c, scope);
    expect(c, ')', 'in the condition');
    return inner;
  }
  if (accept(c, 'true')) return { op: 'true' };
  if (accept(c, 'false')) return { op: 'false' };
  return comparison(c, scope);
}

function implication(c: Cursor, scope: Scope): Condition {
  const a = atom(c, scope);
  return accept(c, '=>') ? { op: 'implies', a, b: implication(c, scope) } : a;
}

function conjunction(c: Cursor, scope: Scope): Condition {
  let a = implication(c, scope);
  while (accept(c, '/\\')) a = { op: 'and', a, b: implication(c, scope) };
  return a;
}

/** A condition. As for herd7 ~ binds tightest, then =>, then /\, then \/. */
export function condition(c: Cursor, scope: Scope): Condition {
  let a = conjunction(c, scope);
  while (accept(c, '\\/')) a = { op: 'or', a, b: conjunction(c, scope) };
  return a;
}

/** Every place a condition mentions, in its order. */
export function places(k: Condition | undefined): Place[] {
  if (!k) return [];
  switch (k.op) {
    case 'not':
      return places(k.a);
    case 'and':
    case 'or':
    case 'implies':
      return [...places(k.a), ...places(k.b)];
    case 'equal':
      return [k.place];
    case 'same':
      return [k.place, k.other];
    default:
      return [];
  }
}

/** Truth of a condition; `read` gives the values of a place (several for an array), `equal` compares one at a place. */
export function holds(
  k: Condition,
  read: (p: Place) => readonly bigint[],
  equal: (p: Place, a: bigint, b: bigint) => boolean,
): boolean {
  switch (k.op) {
    case 'true':
    case 'false':
      return k.op === 'true';
    case 'not':
      return !holds(k.a, read, equal);
    case 'and':
      return holds(k.a, read, equal) && holds(k.b, read, equal);
    case 'or':
      return holds(k.a, read, equal) || holds(k.b, read, equal);
    case 'implies':
      return !holds(k.a, read, equal) || holds(k.b, read, equal);
    case 'same': {
      const b = read(k.other);
      return read(k.place).every((v, i) => v === b[i]);
    }
    default:
      return read(k.place).every((v, i) => equal(k.place, v, k.values[i]!));
  }
}
