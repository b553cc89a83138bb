/** A C integer type, or a pointer: an unsigned number that counts in what it points to. */
export interface IntType {
  readonly size: number;
  readonly signed: boolean;
  /** What it points to; null for a structure, whose size a format does not say. */
  readonly to?: IntType | null;
}

export const INT: IntType = { size: 4, signed: true };
export const U64: IntType = { size: 8, signed: false };
/** `unsigned long` and `size_t`. */
export const unsignedLong = (longBytes: number): IntType => ({ size: longBytes, signed: false });

const sizes: Readonly<Record<string, number>> = {
  char: 1, u8: 1, s8: 1, __u8: 1, __s8: 1, uint8_t: 1, int8_t: 1, bool: 1, _Bool: 1,
  short: 2, u16: 2, s16: 2, __u16: 2, __s16: 2, uint16_t: 2, int16_t: 2, ushort: 2,
  __le16: 2, __be16: 2, __sum16: 2, umode_t: 2,
  int: 4, uint: 4, u32: 4, s32: 4, __u32: 4, __s32: 4, uint32_t: 4, int32_t: 4, pid_t: 4, uid_t: 4, gid_t: 4,
  gfp_t: 4, dev_t: 4, __le32: 4, __be32: 4, __wsum: 4,
  u64: 8, s64: 8, __u64: 8, __s64: 8, uint64_t: 8, int64_t: 8, __le64: 8, __be64: 8, loff_t: 8, sector_t: 8,
  blkcnt_t: 8, ktime_t: 8, time64_t: 8,
}; // biome-ignore format: a table

const longs = /^(u?long|s?size_t|u?intptr_t|ptrdiff_t|pgoff_t|ino_t|clock_t)$/;
const signedNames =
  /^(char|short|int|long|(__)?s(8|16|32|64)|int\w*_t|ssize_t|ptrdiff_t|pid_t|loff_t|ktime_t|time64_t|clock_t)$/;
const qualifiers = /^(const|volatile|signed|unsigned|enum)$/;

/** The type under a name of one or more words, without '*'. */
function base(words: readonly string[], longBytes: number): IntType | null {
  if (words.includes('struct') || words.includes('union')) return null;
  const unsigned = words.includes('unsigned');
  if (words.includes('enum')) return { size: 4, signed: false };
  const rest = words.filter((w) => !qualifiers.test(w));
  const isLong = rest.filter((w) => longs.test(w)).length;
  // 'long long int' and 'short int' are those of their first word.
  const known = rest.find((w) => w !== 'int' && Object.hasOwn(sizes, w)) ?? rest[0];
  const size = isLong === 2 ? 8 : isLong === 1 ? longBytes : known === undefined ? 4 : sizes[known];
  if (size === undefined || (known === undefined && !unsigned && !words.includes('signed')))
    return null;
  return { size, signed: !unsigned && rest.every((w) => signedNames.test(w)) };
}

/**
 * The type of a name in C: '__u64', 'unsigned long', 'const char *'. Null for what is no integer and
 * for typedefs whose size the kernel's configuration decides (dma_addr_t).
 */
export function namedType(name: string, longBytes: number): IntType | null {
  const stars = name.replace(/[^*]/g, '').length;
  const words = name.replace(/\*/g, ' ').trim().split(/\s+/);
  if (stars === 0) return base(words, longBytes);
  const pointer = unsignedLong(longBytes);
  if (stars > 1) return { ...pointer, to: pointer };
  return {
    ...pointer,
    to: words.includes('void') ? { size: 1, signed: false } : base(words, longBytes),
  };
}

/** What C computes with: nothing is smaller than an int. */
export const promoted = (t: IntType): IntType => (t.size < 4 ? INT : t);

/** The type that both operands are brought to. */
export function common(a: IntType, b: IntType): IntType {
  if (a.to !== undefined) return a;
  if (b.to !== undefined) return b;
  const [x, y] = [promoted(a), promoted(b)];
  if (x.size !== y.size) return x.size > y.size ? x : y;
  return x.signed ? y : x;
}

/** Do all values of `from` lie in `to`? */
export const fits = (from: IntType, to: IntType): boolean =>
  from.signed === to.signed ? from.size <= to.size : to.signed && from.size < to.size;

/** The type of an integer literal: the first that holds it, of those its suffix and base allow. */
export function literalType(literal: string, value: bigint, longBytes: number): IntType {
  const suffix = /[uUlL]*$/.exec(
    /^0[xX]/.test(literal) ? literal.replace(/^0[xX][0-9a-fA-F]+/, '') : literal,
  )![0];
  const unsigned = /u/i.test(suffix);
  const decimal = /^[1-9]/.test(literal);
  const smallest = /ll/i.test(suffix) ? 8 : /l/i.test(suffix) ? longBytes : 4;
  for (const size of [4, 8]) {
    if (size < smallest) continue;
    if (!unsigned && value < 1n << BigInt(8 * size - 1)) return { size, signed: true };
    if ((unsigned || !decimal) && value < 1n << BigInt(8 * size)) return { size, signed: false };
  }
  return U64;
}
