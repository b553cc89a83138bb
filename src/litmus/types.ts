// C types in an init block or behind 'locations'.
import type { Type } from './model.js';
import { accept, type Cursor, fail, nameToken, peek } from './source.js';

const bytes: Readonly<Record<string, number>> = {
  char: 1, int8_t: 1, uint8_t: 1, int16_t: 2, uint16_t: 2, short: 2,
  int: 4, int32_t: 4, uint32_t: 4, unsigned: 4, signed: 4, atomic_int: 4,
  long: 8, int64_t: 8, uint64_t: 8, intptr_t: 8, uintptr_t: 8, atomic_long: 8,
}; // biome-ignore format: a table

const qualifiers = new Set(['unsigned', 'signed', 'volatile', 'const', '_Atomic']);

/** Is a type in front of a name, a register or the '[' of an array's size? */
function atType(c: Cursor): boolean {
  if (peek(c).kind !== 'name') return false;
  let next = 1;
  while (peek(c, next).text === '*') next++;
  const { kind, text } = peek(c, next);
  return kind === 'name' || kind === 'number' || (text === '[' && next > 1);
}

/** The type at the cursor: 'uint64_t', 'unsigned long', 'int *'. Pointers have 8 bytes. */
export function typeName(c: Cursor): Type {
  const first = nameToken(c, 'a type');
  let { text } = first;
  while (qualifiers.has(text) && bytes[peek(c).text] !== undefined) {
    const inner = nameToken(c, 'a type').text;
    text = text === 'unsigned' ? `u${inner}` : inner;
  }
  if (accept(c, '*')) {
    while (accept(c, '*'));
    return { bytes: 8, signed: false };
  }
  const size = bytes[text] ?? bytes[text.replace(/^u/, '')];
  if (size === undefined) fail(c.source, first.at, `type '${text}' is not supported`);
  return { bytes: size as number, signed: !text.startsWith('u') };
}

/** The type in front of a name, if there is one; a lone '*' is a pointer. */
export function type(c: Cursor): Type | undefined {
  if (atType(c)) return typeName(c);
  return accept(c, '*') ? { bytes: 8, signed: false } : undefined;
}
