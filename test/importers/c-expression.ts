// Random C expressions over fields of a record, and what C makes of them. It shares nothing with the
// importer; held against gcc -fwrapv once.
import fc from 'fast-check';

/** A value of a C integer type of so many bits. */
interface Value {
  readonly v: bigint;
  readonly bits: number;
  readonly signed: boolean;
}

export interface CField {
  readonly type: string;
  readonly name: string;
  readonly bits: number;
  readonly signed: boolean;
}

/** A C expression, and its value where the fields have these values and a long so many bits. */
export interface CExpression {
  readonly text: string;
  readonly value: (fields: ReadonlyMap<string, bigint>, long: number) => Value;
}

export const cFields: readonly CField[] = [8, 16, 32, 64].flatMap((bits) =>
  [true, false].map((signed) => {
    const type = `${signed ? 's' : 'u'}${bits}`;
    return { type, name: `f_${type}`, bits, signed };
  }),
);

const as = (v: bigint, bits: number, signed: boolean): Value => ({
  v: signed ? BigInt.asIntN(bits, v) : BigInt.asUintN(bits, v),
  bits,
  signed,
});

const promote = (x: Value): Value => (x.bits < 32 ? as(x.v, 32, true) : x);

/** The usual arithmetic conversions. */
function usual(a: Value, b: Value): [Value, Value] {
  const [x, y] = [promote(a), promote(b)];
  const bits = Math.max(x.bits, y.bits);
  const signed = [x, y].every((z) => z.bits < bits || z.signed);
  return [as(x.v, bits, signed), as(y.v, bits, signed)];
}

const truth = (b: boolean): Value => ({ v: b ? 1n : 0n, bits: 32, signed: true });

const arithmetic: Record<string, (a: bigint, b: bigint) => bigint> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
};
const comparison: Record<string, (a: bigint, b: bigint) => boolean> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

const field = fc.constantFrom(...cFields).map(
  ({ name, bits, signed }): CExpression => ({
    text: `REC->${name}`,
    value: (fields) => as(fields.get(name)!, bits, signed),
  }),
);

/** Literals whose type is the same for both sizes of a long, and one of each that is not. */
const literal = fc.constantFrom<CExpression>(
  ...([
    ['7', 7n, 32, true], ['255', 255n, 32, true], ['010', 8n, 32, true], ["'a'", 97n, 32, true],
    ['2147483648', 2147483648n, 64, true], ['0xffffffff', 0xffffffffn, 32, false], ['1U', 1n, 32, false],
    ['9ULL', 9n, 64, false], ['0x8000000000000000', 1n << 63n, 64, false],
  ] as const).map(([text, v, bits, signed]) => ({ text, value: () => ({ v, bits, signed }) })),
  { text: '5UL', value: (_, long) => ({ v: 5n, bits: long, signed: false }) },
  { text: '5L', value: (_, long) => ({ v: 5n, bits: long, signed: true }) },
); // biome-ignore format: a table

const casts = fc.constantFrom<[string, (long: number) => [number, boolean]]>(
  ['u8', () => [8, false]], ['short', () => [16, true]], ['unsigned int', () => [32, false]], ['int', () => [32, true]],
  ['unsigned long', (long) => [long, false]], ['long int', (long) => [long, true]], ['size_t', (long) => [long, false]],
  ['__u64', () => [64, false]], ['long long', () => [64, true]],
); // biome-ignore format: a table

/** Expressions without what C leaves undefined: divisors and shifts are constants that fit. */
export const cExpression: fc.Arbitrary<CExpression> = fc.letrec<{ e: CExpression }>((tie) => {
  const e = tie('e');
  const two = fc.tuple(e, e);
  const make = (text: string, value: CExpression['value']): CExpression => ({ text, value });
  return {
    e: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      field,
      literal,
      fc.tuple(two, fc.constantFrom(...Object.keys(arithmetic))).map(([[a, b], op]) =>
        make(`(${a.text} ${op} ${b.text})`, (f, long) => {
          const [x, y] = usual(a.value(f, long), b.value(f, long));
          return as(arithmetic[op]!(x.v, y.v), x.bits, x.signed);
        }),
      ),
      fc.tuple(two, fc.constantFrom(...Object.keys(comparison))).map(([[a, b], op]) =>
        make(`(${a.text} ${op} ${b.text})`, (f, long) => {
          const [x, y] = usual(a.value(f, long), b.value(f, long));
          return truth(comparison[op]!(x.v, y.v));
        }),
      ),
      fc.tuple(e, fc.constantFrom('<<', '>>'), fc.nat(30)).map(([a, op, by]) =>
        make(`(${a.text} ${op} ${by})`, (f, long) => {
          const x = promote(a.value(f, long));
          return as(op === '<<' ? x.v << BigInt(by) : x.v >> BigInt(by), x.bits, x.signed);
        }),
      ),
      fc.tuple(e, fc.constantFrom('/', '%'), fc.constantFrom('3', '1000ULL')).map(([a, op, by]) =>
        make(`(${a.text} ${op} ${by})`, (f, long) => {
          const wide = by.endsWith('ULL');
          const divisor = {
            v: BigInt(Number.parseInt(by, 10)),
            bits: wide ? 64 : 32,
            signed: !wide,
          };
          const [x, y] = usual(a.value(f, long), divisor);
          return as(op === '/' ? x.v / y.v : x.v % y.v, x.bits, x.signed);
        }),
      ),
      fc
        .tuple(e, casts)
        .map(([a, [name, to]]) =>
          make(`(${name})${a.text}`, (f, long) => as(a.value(f, long).v, ...to(long))),
        ),
      e.map((a) =>
        make(`(bool)${a.text}`, (f, long) => as(a.value(f, long).v === 0n ? 0n : 1n, 8, false)),
      ),
      fc.tuple(e, fc.constantFrom('-', '~')).map(([a, op]) =>
        make(`${op}(${a.text})`, (f, long) => {
          const x = promote(a.value(f, long));
          return as(op === '-' ? -x.v : ~x.v, x.bits, x.signed);
        }),
      ),
      e.map((a) => make(`!${a.text}`, (f, long) => truth(a.value(f, long).v === 0n))),
      fc.tuple(e, two).map(([test, [a, b]]) =>
        make(`(${test.text} ? ${a.text} : ${b.text})`, (f, long) => {
          const [x, y] = usual(a.value(f, long), b.value(f, long));
          return test.value(f, long).v === 0n ? y : x;
        }),
      ),
    ),
  };
}).e;
