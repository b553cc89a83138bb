import { INT, type Location, registerNumber, SPAN, type Type } from './model.js';
import {
  accept,
  type Cursor,
  cursor,
  expect,
  fail,
  integer,
  nameToken,
  peek,
  type SourceText,
  wanted,
} from './source.js';
import { type } from './types.js';

/** What an init block says of a register. */
export interface RegisterInit {
  readonly value: bigint;
  readonly type: Type;
  /** Where it says so. */
  readonly at: number;
}

/** Everything a test's names stand for. */
export interface Names {
  readonly locations: Map<string, Location>;
  /** Registers by thread and number. */
  readonly registers: Map<number, Map<number, RegisterInit>>;
}

const base = 0x5054_0000_0000n;

/** The location called `name`, made on first mention with size unknown and value 0. */
export function location(names: Names, name: string, made?: Partial<Location>): Location {
  const known = names.locations.get(name);
  if (known) return known;
  const address = base + BigInt(names.locations.size) * SPAN;
  const l: Location = { name, address, size: 0, type: INT, init: [0n], array: false, ...made };
  names.locations.set(name, l);
  return l;
}

/** A value: a number, a location (its address), &location, location[i] and location+i (i bytes behind it). */
export function value(c: Cursor, names: Names): bigint {
  const amp = accept(c, '&');
  const t = peek(c);
  if (t.text === '(') fail(c.source, t.at, 'page table values are not supported');
  if (t.kind !== 'name' && !amp) return integer(c, 'a number or a location');
  nameToken(c, 'a location');
  const no = (what: string): never => fail(c.source, t.at, `${what} are not supported`);
  if (peek(c).text === ':') no(`'${t.text}:' values (labels, instructions, tags, page tables)`);
  if (peek(c).text === '(') no(`'${t.text}(...)' values`);
  if (t.text.toUpperCase() === 'NOP') no('instructions as values (NOP)');
  const l = location(names, t.text);
  if (accept(c, '[')) {
    const i = integer(c, 'an index');
    expect(c, ']', 'behind the index');
    return l.address + i;
  }
  if (accept(c, '+')) return l.address + integer(c, 'an offset in bytes');
  return l.address;
}

/** '{a, b, ...}'. */
export function valueList(c: Cursor, names: Names): bigint[] {
  expect(c, '{', 'in front of the values');
  const list: bigint[] = [];
  while (!accept(c, '}')) {
    list.push(value(c, names));
    if (peek(c).text !== '}') expect(c, ',', 'between values');
  }
  return list;
}

/** The thread of '1:X0' or 'P1:X0'; undefined, and nothing read, where no register stands. */
export function threadOf(c: Cursor): number | undefined {
  const t = peek(c);
  const m = /^P?(\d+)$/.exec(t.text);
  if (!m || peek(c, 1).text !== ':') return undefined;
  c.at += 2;
  return Number(m[1]);
}

/** The number of the register behind a thread. */
export function registerName(c: Cursor): number {
  if (peek(c).text === '%') fail(c.source, peek(c).at, 'symbolic registers are not supported');
  const t = nameToken(c, 'a register');
  const reg = registerNumber(t.text);
  if (reg === undefined) fail(c.source, t.at, `register '${t.text}' is not supported`);
  return reg as number;
}

/** A location: 'x', '[x]', '= value', '[n]', '[n] = {a, b}'. */
function declare(c: Cursor, names: Names, of: Type | undefined): void {
  const bracket = accept(c, '[');
  const { text: name, at } = nameToken(c, 'a register or a location');
  if (peek(c).text === '(') fail(c.source, at, `'${name}(...)' is not supported`);
  if (bracket) expect(c, ']', 'behind the location');
  if (peek(c).text === ':') fail(c.source, at, `tagged locations ('${name}:') are not supported`);
  const made = of && { size: of.bytes, type: of };
  const l = location(names, name, made);
  if (of && l.size !== 0 && l.size !== of.bytes) fail(c.source, at, `'${name}' is declared twice`);
  Object.assign(l, made);
  if (accept(c, '[')) declareArray(c, names, l, of, at);
  else if (accept(c, '=')) l.init[0] = value(c, names);
}

function declareArray(
  c: Cursor,
  names: Names,
  l: Location,
  of: Type | undefined,
  at: number,
): void {
  const n = Number(integer(c, 'the number of elements'));
  expect(c, ']', 'behind the number of elements');
  if (!of) fail(c.source, at, `array '${l.name}' needs a type, as in 'uint64_t ${l.name}[2]'`);
  if (n < 1 || n > 64) fail(c.source, at, `'${l.name}' needs 1 to 64 elements`);
  const init = accept(c, '=') ? valueList(c, names) : new Array<bigint>(n).fill(0n);
  if (init.length !== n) fail(c.source, at, `'${l.name}' has ${n} elements, not ${init.length}`);
  Object.assign(l, { init, array: true });
}

function register(c: Cursor, names: Names, of: Type | undefined, thread: number): void {
  const { at } = peek(c);
  const reg = registerName(c);
  const mine = names.registers.get(thread) ?? new Map<number, RegisterInit>();
  names.registers.set(thread, mine);
  if (mine.has(reg)) fail(c.source, at, `register ${thread}:X${reg} stands twice`);
  mine.set(reg, { value: accept(c, '=') ? value(c, names) : 0n, type: of ?? INT, at });
}

/** Read the init block text[from..to): what stands between { and }. */
export function readInit(source: SourceText, from: number, to: number): Names {
  const names: Names = { locations: new Map(), registers: new Map() };
  const c = cursor(source, from, to);
  while (peek(c).kind !== 'end') {
    if (accept(c, ';')) continue;
    const of = type(c);
    const thread = threadOf(c);
    if (thread === undefined) declare(c, names, of);
    else register(c, names, of, thread);
    if (peek(c).kind !== 'end' && !accept(c, ';')) wanted(c, "';'");
  }
  return names;
}
