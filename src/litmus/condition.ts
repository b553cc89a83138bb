import { type Names, value } from './init.js';
import { type Condition, type Location, type Place, registerNumber } from './model.js';
import { accept, type Cursor, expect, fail, integer, nameToken, peek, wanted } from './source.js';

/** A register `1:X0`, or a location `x`, `[x]`, `*x`, `x[1]`. */
export function place(c: Cursor, names: Names, threads: number): Place {
  if (peek(c).kind === 'number') {
    const at = peek(c).at;
    const thread = Number(integer(c, 'a thread'));
    if (thread >= threads) fail(c.source, at, `there is no thread P${thread}`);
    expect(c, ':', 'behind the thread');
    const t = nameToken(c, 'a register');
    const reg = registerNumber(t.text);
    if (reg === undefined) fail(c.source, t.at, `register '${t.text}' is not supported here`);
    return { kind: 'reg', thread, reg: reg as number };
  }
  const bracket = accept(c, '[');
  accept(c, '*');
  const t = nameToken(c, 'a register (0:X1) or a location');
  if (peek(c).text === '(')
    fail(c.source, t.at, `'${t.text}(...)' is not supported in a condition`);
  const location = names.locations.get(t.text);
  if (!location) fail(c.source, t.at, `location '${t.text}' is not in the init block`);
  let index = 0;
  if (accept(c, '[')) {
    index = Number(integer(c, 'an index'));
    expect(c, ']', 'behind the index');
  }
  if (bracket) expect(c, ']', 'behind the location');
  const l = location as Location;
  if (index >= l.init.length) fail(c.source, t.at, `'${l.name}' has no element ${index}`);
  return { kind: 'cell', location: l, index };
}

function atom(c: Cursor, names: Names, threads: number): Condition {
  if (accept(c, '~')) return { op: 'not', a: atom(c, names, threads) };
  if (accept(c, 'not')) return { op: 'not', a: atom(c, names, threads) };
  if (accept(c, '(')) {
    const inner = condition(c, names, threads);
    expect(c, ')', 'in the condition');
    return inner;
  }
  if (accept(c, 'true')) return { op: 'true' };
  if (accept(c, 'false')) return { op: 'false' };
  const left = place(c, names, threads);
  const unequal = accept(c, '!=') || accept(c, '<>');
  if (!unequal && !accept(c, '=')) expect(c, '==', 'in the condition');
  const register = peek(c).kind === 'number' && peek(c, 1).text === ':';
  const bracket = peek(c).text === '[';
  const equal: Condition =
    register || bracket
      ? { op: 'same', place: left, other: place(c, names, threads) }
      : { op: 'equal', place: left, value: value(c, names) };
  return unequal ? { op: 'not', a: equal } : equal;
}

function conjunction(c: Cursor, names: Names, threads: number): Condition {
  let a = atom(c, names, threads);
  while (accept(c, '/\\') || accept(c, '&&')) a = { op: 'and', a, b: atom(c, names, threads) };
  return a;
}

function disjunction(c: Cursor, names: Names, threads: number): Condition {
  let a = conjunction(c, names, threads);
  while (accept(c, '\\/') || accept(c, '||'))
    a = { op: 'or', a, b: conjunction(c, names, threads) };
  return a;
}

/** A condition: ~, /\, \/, => in the order of how tightly they bind, and parentheses. */
export function condition(c: Cursor, names: Names, threads: number): Condition {
  const a = disjunction(c, names, threads);
  if (accept(c, '=>')) return { op: 'implies', a, b: condition(c, names, threads) };
  if (c.at > c.list.length) wanted(c, 'a condition');
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

/** Truth of a condition; `read` gives the 64-bit value of a place. */
export function holds(k: Condition, read: (p: Place) => bigint): boolean {
  switch (k.op) {
    case 'true':
    case 'false':
      return k.op === 'true';
    case 'not':
      return !holds(k.a, read);
    case 'and':
      return holds(k.a, read) && holds(k.b, read);
    case 'or':
      return holds(k.a, read) || holds(k.b, read);
    case 'implies':
      return !holds(k.a, read) || holds(k.b, read);
    case 'same':
      return read(k.place) === read(k.other);
    default: {
      const bytes = k.place.kind === 'cell' ? k.place.location.size : 0;
      return read(k.place) === (bytes > 0 ? BigInt.asUintN(8 * bytes, k.value) : k.value);
    }
  }
}
