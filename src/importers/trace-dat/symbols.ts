import { num, readHex } from '../bytes.js';

/** Functions by address. */
export interface Symbols {
  /** 'name+0x10/0x48 [module]' of an address, or null. */
  full(hi: number, lo: number): string | null;
  /** 'name [module]' of an address, or null. */
  name(hi: number, lo: number): string | null;
  /** 'name' alone, as the function tracer, stacks and prints show it, or null. */
  plain(hi: number, lo: number): string | null;
}

/** Addresses as two words, in order, and where the name of each lies in the text. */
interface Table {
  his: Uint32Array;
  los: Uint32Array;
  starts: Uint32Array;
  ends: Uint32Array;
  count: number;
}

const NEWLINE = 10;
const SPACE = 0x20;

function countLines(text: Uint8Array): number {
  let n = 1;
  for (let at = text.indexOf(NEWLINE); at >= 0; at = text.indexOf(NEWLINE, at + 1)) n++;
  return n;
}

const newTable = (size: number): Table => ({
  his: new Uint32Array(size),
  los: new Uint32Array(size),
  starts: new Uint32Array(size),
  ends: new Uint32Array(size),
  count: 0,
});

/** Take the lines 'ffff800080000000 T _text' of /proc/kallsyms apart. */
function readLines(text: Uint8Array): Table {
  const t = newTable(countLines(text));
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf(NEWLINE, at);
    if (end < 0) end = text.length;
    const ok = readHex(text, at, end) && text[num.end] === SPACE && num.end + 3 < end;
    if (ok) {
      t.his[t.count] = num.hi;
      t.los[t.count] = num.lo;
      t.starts[t.count] = num.end + 3;
      t.ends[t.count++] = end;
    }
    at = end + 1;
  }
  return t;
}

const above = (t: Table, i: number, hi: number, lo: number): boolean =>
  t.his[i]! > hi || (t.his[i] === hi && t.los[i]! > lo);

const inOrder = (t: Table, i: number): boolean => !above(t, i, t.his[i + 1]!, t.los[i + 1]!);

/** The table by address. Of several names for one address the first is the kernel's choice. */
function index(text: Uint8Array): Table {
  const t = readLines(text);
  let sorted = 1;
  while (sorted < t.count && inOrder(t, sorted - 1)) sorted++;
  if (sorted >= t.count) return t;
  // Modules stand behind the kernel: a few long runs in order, which this sort makes use of.
  const order = Array.from({ length: t.count }, (_, i) => i);
  order.sort((a, b) => t.his[a]! - t.his[b]! || t.los[a]! - t.los[b]!);
  const by = newTable(t.count);
  by.count = t.count;
  for (const [to, from] of order.entries()) {
    by.his[to] = t.his[from]!;
    by.los[to] = t.los[from]!;
    by.starts[to] = t.starts[from]!;
    by.ends[to] = t.ends[from]!;
  }
  return by;
}

const same = (t: Table, i: number, j: number): boolean =>
  t.his[i] === t.his[j] && t.los[i] === t.los[j];

/** First of the entries with the greatest address not above the one asked for; -1 below all. */
function lookup(t: Table, hi: number, lo: number): number {
  let low = 0;
  let high = t.count;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (above(t, mid, hi, lo)) high = mid;
    else low = mid + 1;
  }
  let at = low - 1;
  while (at > 0 && same(t, at - 1, at)) at--;
  return at;
}

const addressAt = (t: Table, i: number): bigint => (BigInt(t.his[i]!) << 32n) | BigInt(t.los[i]!);

/** Where the symbol at `i` ends: at the next greater address. */
function endOf(t: Table, i: number): bigint | null {
  let at = i;
  while (at < t.count && same(t, at, i)) at++;
  return at < t.count ? addressAt(t, at) : null;
}

const maxCached = 1 << 16;
/** No function is longer; what lies further behind the last symbol is none of it. */
const maxFunction = 1n << 24n;

interface Found {
  readonly plain: string;
  readonly name: string;
  readonly full: string;
}

/** Symbols of /proc/kallsyms as trace-cmd saved it; addresses hidden as zeros name nothing. */
export function parseSymbols(text: Uint8Array): Symbols {
  let table: Table | null = null; // made when first needed
  const cache = new Map<bigint, Found | null>();

  const resolve = (hi: number, lo: number): Found | null => {
    table ??= index(text);
    const i = lookup(table, hi, lo);
    const start = i < 0 ? 0n : addressAt(table, i);
    if (start === 0n) return null;
    const address = (BigInt(hi) << 32n) | BigInt(lo);
    const end = endOf(table, i) ?? start + 1n;
    if (address >= end || address - start > maxFunction) return null;
    const line = Buffer.from(text.subarray(table.starts[i]!, table.ends[i]!)).toString('utf8');
    const [, name, module] = /^(\S+)(?:\s+(\[.*\]))?/.exec(line) ?? [];
    if (name === undefined) return null;
    const tail = module ? ` ${module}` : '';
    const place = `+0x${(address - start).toString(16)}/0x${(end - start).toString(16)}`;
    return { plain: name, name: name + tail, full: name + place + tail };
  };

  let [lastHi, lastLo]: (number | null)[] = [null, null];
  let last: Found | null = null;

  const get = (hi: number, lo: number): Found | null => {
    if (hi === lastHi && lo === lastLo) return last;
    const address = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    let found = cache.get(address);
    if (found === undefined) {
      if (cache.size >= maxCached) cache.clear();
      found = resolve(hi >>> 0, lo >>> 0);
      cache.set(address, found);
    }
    [lastHi, lastLo, last] = [hi, lo, found];
    return found;
  };

  return {
    full: (hi, lo) => get(hi, lo)?.full ?? null,
    name: (hi, lo) => get(hi, lo)?.name ?? null,
    plain: (hi, lo) => get(hi, lo)?.plain ?? null,
  };
}
