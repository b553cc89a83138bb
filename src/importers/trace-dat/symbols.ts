/** Functions by address. */
export interface Symbols {
  /** 'name+0x10/0x48 [module]' of an address, or null. */
  full(hi: number, lo: number): string | null;
  /** 'name [module]' of an address, or null. */
  name(hi: number, lo: number): string | null;
  /** 'name' alone, as the function tracer, stacks and prints show it, or null. */
  plain(hi: number, lo: number): string | null;
}

interface Table {
  readonly addresses: BigUint64Array;
  /** Where the name of each lies in the text. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly count: number;
}

const NEWLINE = 10;
const SPACE = 0x20;

/** Index the lines 'ffff800080000000 T _text' of /proc/kallsyms, sorted by address. */
function index(text: Uint8Array): Table {
  const lines: { address: bigint; start: number; end: number }[] = [];
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf(NEWLINE, at);
    if (end < 0) end = text.length;
    const space = text.indexOf(SPACE, at);
    if (space > at && space - at <= 16 && space + 3 < end) {
      const hex = Buffer.from(text.subarray(at, space)).toString('latin1');
      if (/^[0-9a-f]+$/.test(hex)) {
        lines.push({ address: BigInt(`0x${hex}`), start: space + 3, end });
      }
    }
    at = end + 1;
  }
  // Of several names for one address the first is the kernel's choice: the sort is stable.
  lines.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return {
    addresses: BigUint64Array.from(lines, (l) => l.address),
    starts: Uint32Array.from(lines, (l) => l.start),
    ends: Uint32Array.from(lines, (l) => l.end),
    count: lines.length,
  };
}

/** First of the entries with the greatest address not above `a`; -1 below all. */
function lookup(t: Table, a: bigint): number {
  let low = 0;
  let high = t.count;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (t.addresses[mid]! <= a) low = mid + 1;
    else high = mid;
  }
  let at = low - 1;
  while (at > 0 && t.addresses[at - 1] === t.addresses[at]) at--;
  return at;
}

/** Where the symbol at `i` ends: at the next greater address. */
function endOf(t: Table, i: number): bigint | null {
  let at = i;
  while (at < t.count && t.addresses[at] === t.addresses[i]) at++;
  return at < t.count ? t.addresses[at]! : null;
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

  const resolve = (address: bigint): Found | null => {
    table ??= index(text);
    const i = lookup(table, address);
    if (i < 0 || table.addresses[i] === 0n) return null;
    const start = table.addresses[i]!;
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
      found = resolve(address);
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
