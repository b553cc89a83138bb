import { type Location, registerNumber } from './model.js';
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

/** Everything a test's names stand for. */
export interface Names {
  readonly locations: Map<string, Location>;
  /** First values of registers, thread by thread, with the place that says so. */
  readonly registers: Map<number, Map<number, { value: bigint; at: number }>>;
  /** Registers declared unsigned. */
  readonly unsigned: Set<string>;
}

const sizes: Readonly<Record<string, number>> = {
  char: 1, int8_t: 1, uint8_t: 1, int16_t: 2, uint16_t: 2, short: 2,
  int: 4, int32_t: 4, uint32_t: 4, unsigned: 4, signed: 4, atomic_int: 4,
  long: 8, int64_t: 8, uint64_t: 8, intptr_t: 8, uintptr_t: 8, atomic_long: 8,
}; // biome-ignore format: a table

const base = 0x5054_0000_0000n;

/** The location called `name`, made on first mention with size unknown and value 0. */
export function location(names: Names, name: string, made?: Partial<Location>): Location {
  const known = names.locations.get(name);
  if (known) return known;
  const address = base + BigInt(names.locations.size) * 0x10000n;
  const l: Location = {
    name, address, size: 0, signed: true, init: [0n], array: false, ...made,
  }; // biome-ignore format: one line of fields
  names.locations.set(name, l);
  return l;
}

/** A value: a number, a location (its address), &location, location[i], location+bytes. */
export function value(c: Cursor, names: Names): bigint {
  const amp = accept(c, '&');
  const t = peek(c);
  if (t.kind !== 'name' && !amp) return integer(c, 'a number or a location');
  nameToken(c, 'a location');
  if (peek(c).text === ':')
    fail(
      c.source,
      t.at,
      `'${t.text}:' values (labels, instructions, page tables) are not supported`,
    );
  if (peek(c).text === '(') fail(c.source, t.at, `'${t.text}(...)' values are not supported`);
  const l = location(names, t.text);
  if (accept(c, '[')) {
    const i = integer(c, 'an index');
    expect(c, ']', 'behind the index');
    return l.address + i * BigInt(l.size || 4);
  }
  if (accept(c, '+')) return l.address + integer(c, 'an offset in bytes');
  return l.address;
}

interface Type {
  readonly size: number;
  readonly signed: boolean;
}

/** A C type in front of a name, if there is one. */
function type(c: Cursor): Type | undefined {
  const first = peek(c);
  if (first.kind !== 'name') return undefined;
  let next = 1;
  while (peek(c, next).text === '*') next++;
  const named = peek(c, next).kind === 'name' || peek(c, next).kind === 'number';
  if (!named && peek(c, next).text !== '[') return undefined;
  if (peek(c, next).text === '[' && next === 1) return undefined;
  let { text } = nameToken(c, 'a type');
  while (text === 'unsigned' || text === 'signed' || text === 'volatile' || text === 'const') {
    if (peek(c).kind !== 'name' || sizes[peek(c).text] === undefined) break;
    const inner = nameToken(c, 'a type').text;
    text = text === 'unsigned' ? `u${inner}` : inner;
  }
  const pointer = peek(c).text === '*';
  while (accept(c, '*'));
  if (pointer) return { size: 8, signed: false };
  const plain = sizes[text] === undefined && text.startsWith('u') ? text.slice(1) : text;
  const size = sizes[plain];
  if (size === undefined) fail(c.source, first.at, `type '${text}' is not supported`);
  return { size: size as number, signed: !text.startsWith('u') };
}

/** The cells of a location: '= value', '[n]', '[n] = {a, b}'. */
function declare(c: Cursor, names: Names, of: Type | undefined): void {
  const bracket = accept(c, '[');
  accept(c, '*');
  const { text: name, at } = nameToken(c, 'a register or a location');
  if (bracket) expect(c, ']', 'behind the location');
  const made = of && { size: of.size, signed: of.signed };
  if (of && names.locations.has(name)) {
    const l = names.locations.get(name)!;
    if (l.size !== 0 && l.size !== of.size) fail(c.source, at, `'${name}' is declared twice`);
    names.locations.set(name, Object.assign(l, made));
  }
  let init: bigint[] | undefined;
  let array = false;
  if (accept(c, '[')) {
    init = new Array<bigint>(Number(integer(c, 'the number of elements'))).fill(0n);
    array = true;
    expect(c, ']', 'behind the number of elements');
    if (!of) fail(c.source, at, `array '${name}' needs a type, as in 'uint64_t ${name}[2]'`);
    if (init.length < 1 || init.length > 64) fail(c.source, at, `'${name}' needs 1 to 64 elements`);
  }
  const l = location(names, name, { ...made, ...(init ? { init, array } : {}) });
  if (init && l.init !== init) Object.assign(l, { init, array });
  if (!accept(c, '=')) return;
  if (!accept(c, '{')) {
    l.init[0] = value(c, names);
    return;
  }
  for (let i = 0; !accept(c, '}'); i++) {
    if (i >= l.init.length) fail(c.source, at, `too many values for '${name}'`);
    l.init[i] = value(c, names);
    accept(c, ',');
  }
}

function register(c: Cursor, names: Names, of: Type | undefined): void {
  const thread = Number(integer(c, 'a thread'));
  expect(c, ':', 'behind the thread');
  const t = nameToken(c, 'a register');
  const reg = registerNumber(t.text);
  if (reg === undefined) fail(c.source, t.at, `register '${t.text}' is not supported`);
  const mine = names.registers.get(thread) ?? new Map();
  names.registers.set(thread, mine);
  if (of && !of.signed) names.unsigned.add(`${thread}:${reg}`);
  mine.set(reg as number, { value: accept(c, '=') ? value(c, names) : 0n, at: t.at });
}

/** Read the init block text[from..to): what stands between { and }. */
export function readInit(source: SourceText, from: number, to: number): Names {
  const names: Names = { locations: new Map(), registers: new Map(), unsigned: new Set() };
  const c = cursor(source, from, to);
  while (peek(c).kind !== 'end') {
    if (accept(c, ';')) continue;
    const of = type(c);
    if (peek(c).kind === 'number') register(c, names, of);
    else declare(c, names, of);
    if (peek(c).kind !== 'end' && !accept(c, ';')) wanted(c, "';'");
  }
  return names;
}
