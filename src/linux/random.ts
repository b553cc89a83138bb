/** A stream of random numbers; the same seed gives the same stream. */
export interface Random {
  a: number;
  b: number;
  c: number;
  d: number;
}

/** FNV-1a hash of a text, as a seed. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A stream for `seed`: number or text. Small Fast Counter of 32 bits (Doty-Humphrey, PractRand, 2010). */
export function random(seed: number | string): Random {
  const r: Random = { a: 0, b: 0, c: 0, d: 1 };
  const s = hash(String(seed));
  r.a = s;
  r.b = (s * 0x9e3779b1) >>> 0;
  r.c = 0x5851f42d;
  for (let i = 0; i < 16; i++) next32(r);
  return r;
}

/** 32 random bits. */
export function next32(r: Random): number {
  const t = (r.a + r.b + r.d) >>> 0;
  r.d = (r.d + 1) >>> 0;
  r.a = (r.b ^ (r.b >>> 9)) >>> 0;
  r.b = (r.c + (r.c << 3)) >>> 0;
  r.c = (((r.c << 21) | (r.c >>> 11)) + t) >>> 0;
  return t;
}

/** A whole number from 0 to n - 1, n below 2^32. C: get_random_u32_below() */
export const below = (r: Random, n: number): number => Math.floor((next32(r) / 2 ** 32) * n);

/** A number from 0 up to, but not, 1. */
export const uniform = (r: Random): number => next32(r) / 2 ** 32;
