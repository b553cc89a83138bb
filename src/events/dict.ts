const escapeByte = (b: number): string => `\\x${b.toString(16).padStart(2, '0')}`;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Text of bytes that claim to be UTF-8; bytes that are not become \xNN, so nothing is lost. */
export function decodeText(bytes: Uint8Array): string {
  let ascii = true;
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! >= 0x80) ascii = false;
  if (ascii) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  try {
    return utf8.decode(bytes);
  } catch {
    return Array.from(bytes, (b) => (b < 0x80 ? String.fromCharCode(b) : escapeByte(b))).join('');
  }
}

/** Text <-> small integer, growing; looked up by the bytes of the source without making strings. */
export interface Dict {
  /** Text by id. */
  readonly values: string[];
  /** Id of a text. */
  intern(text: string): number;
  /** Id of the text in `buf[start, end)`. */
  internBytes(buf: Uint8Array, start: number, end: number): number;
}

interface Slots {
  ids: Int32Array;
  hashes: Int32Array;
  mask: number;
  used: number;
}

const newSlots = (size: number): Slots => ({
  ids: new Int32Array(size).fill(-1),
  hashes: new Int32Array(size),
  mask: size - 1,
  used: 0,
});

function place(slots: Slots, hash: number, id: number): void {
  let at = hash & slots.mask;
  while (slots.ids[at] !== -1) at = (at + 1) & slots.mask;
  slots.ids[at] = id;
  slots.hashes[at] = hash;
  slots.used++;
}

function grow(slots: Slots): Slots {
  const bigger = newSlots((slots.mask + 1) * 2);
  for (let i = 0; i <= slots.mask; i++) {
    if (slots.ids[i] !== -1) place(bigger, slots.hashes[i]!, slots.ids[i]!);
  }
  return bigger;
}

function sameBytes(a: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  if (a.length !== end - start) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== buf[start + i]) return false;
  return true;
}

/** FNV-1a. */
function hashBytes(buf: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) h = Math.imul(h ^ buf[i]!, 0x01000193);
  return h ^ (h >>> 15);
}

const nearSlots = 256;

/** An empty dictionary. */
export function newDict(): Dict {
  const values: string[] = [];
  const byText = new Map<string, number>();
  const raw: Uint8Array[] = []; // bytes first seen for the slot's key
  const textOf: number[] = []; // key -> id of its text (two spellings may decode alike)
  let slots = newSlots(64);

  const intern = (text: string): number => {
    let id = byText.get(text);
    if (id === undefined) {
      id = values.length;
      values.push(text);
      byText.set(text, id);
    }
    return id;
  };

  // What was looked up lately, by length and four of its bytes: most texts come again soon.
  const near: (Uint8Array | undefined)[] = new Array(nearSlots).fill(undefined);
  const nearIds = new Int32Array(nearSlots);

  const internBytes = (buf: Uint8Array, start: number, end: number): number => {
    const length = end - start;
    if (length < 4) return lookUp(buf, start, end);
    const middle = start + (length >> 1);
    const mix =
      (buf[start]! ^ (buf[middle]! << 3) ^ (buf[end - 2]! << 5) ^ (buf[end - 1]! << 7)) + length;
    const slot = (mix ^ (mix >> 6)) & (nearSlots - 1);
    const known = near[slot];
    if (known !== undefined && sameBytes(known, buf, start, end)) return nearIds[slot]!;
    const id = lookUp(buf, start, end);
    near[slot] = buf.slice(start, end);
    nearIds[slot] = id;
    return id;
  };

  const lookUp = (buf: Uint8Array, start: number, end: number): number => {
    const hash = hashBytes(buf, start, end);
    let at = hash & slots.mask;
    for (let key = slots.ids[at]!; key !== -1; key = slots.ids[at]!) {
      if (slots.hashes[at] === hash && sameBytes(raw[key]!, buf, start, end)) return textOf[key]!;
      at = (at + 1) & slots.mask;
    }
    const bytes = buf.slice(start, end);
    const key = raw.push(bytes) - 1;
    const id = intern(decodeText(bytes));
    textOf.push(id);
    if (slots.used * 2 > slots.mask) slots = grow(slots);
    place(slots, hash, key);
    return id;
  };

  return { values, intern, internBytes };
}
