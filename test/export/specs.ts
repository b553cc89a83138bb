// Random charts of every text shape, with names as bad as a trace can hold.
import fc from 'fast-check';
import type { Meta, Row, Shape, Spec } from '../../src/export/text.js';

/** Names out of traces: comms, symbols, kernel strings, file names. */
export const hostile = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 200, maxLength: 300 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'From ', 'From nobody', '>', '> quoted', '-- ', '---', '--', 'diff --git a b', 'Index: x',
      '\u001b[31mred', 'a\tb', 'a\nFrom b', '\f', ' ', '', '  lead', 'trail ', 'x\r\nBcc: y',
      'kworker/u8:2-ev', "it's", '`id`', '$(id)', ';reboot', 'a'.repeat(300), '\u202eabc', '\ud800',
      '--- a/x', 'ＷＩＤＥ', 'é', '\\', '"', 'W W W', '[0]', '|', '-', '123',
    ),
  },
); // biome-ignore format: a list

export const whole = fc.oneof(
  fc.nat(1000),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(0, 1),
);
export const number = fc.oneof(
  whole,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -1000, max: 1e6, noNaN: true }),
  fc.integer(),
);

const head = fc.record(
  {
    what: hostile,
    unit: hostile,
    n: fc.nat(),
    kernel: hostile,
    config: hostile,
    trace: hostile,
    sha256: fc.string({
      unit: fc.constantFrom(...'0123456789abcdef'),
      minLength: 64,
      maxLength: 64,
    }),
    lost: fc.nat(),
  },
  { requiredKeys: ['what', 'unit', 'n'] },
);

/** A chart of `shape` over `rows`. */
export const chart = (
  shape: Shape,
  rows: readonly Row[],
  more: Partial<Meta> = {},
  view: Spec = {},
): Spec => ({
  mark: 'point',
  ...view,
  data: { values: rows },
  usermeta: {
    ptlab: {
      shape,
      head: { what: 'things', unit: 'count', n: rows.length },
      command: ['ptlab', 'chart', 'things', 'x.arrow'],
      ...more,
    },
  },
});

export const xy = (x: string, y: string, kind = 'quantitative', group?: string): Spec => ({
  mark: kind === 'nominal' ? 'bar' : 'line',
  encoding: {
    x: { field: x, type: 'quantitative', title: `${x} (s)` },
    y: { field: y, type: kind, title: y },
    ...(group ? { color: { field: group, type: 'nominal' } } : {}),
  },
});

const name = hostile;
const rows = <T>(row: fc.Arbitrary<T>) => fc.array(row, { maxLength: 30 });
const runs = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 8 });

/** Distinct power-of-two buckets. */
export const buckets = fc
  .uniqueArray(fc.nat(40), { minLength: 1, maxLength: 15 })
  .chain((powers) =>
    fc.tuple(
      ...powers.map((p) =>
        whole.map((count) => ({ lo: p === 0 ? 0 : 2 ** (p - 1), hi: 2 ** p, count })),
      ),
    ),
  );

const bodies: Record<Shape, fc.Arbitrary<Spec>> = {
  'log2-histogram': buckets.map((r) => chart('log2-histogram', r)),
  bars: rows(fc.record({ a: number, b: name })).map((r) => chart('bars', r, {}, xy('a', 'b', 'nominal'))),
  series: rows(fc.record({ a: number, b: number, c: name })).map((r) =>
    chart('series', r, {}, xy('a', 'b', 'quantitative', 'c')),
  ),
  cdf: rows(fc.record({ a: number, b: fc.double({ min: 0, max: 1, noNaN: true }), c: name })).map((r) =>
    chart('cdf', r, {}, xy('a', 'b', 'quantitative', 'c')),
  ),
  table: rows(fc.dictionary(name.filter((n) => n !== '__proto__'), fc.oneof(name, number, fc.bigInt(), fc.constant(null)), { maxKeys: 9 })).map(
    (r) => chart('table', r),
  ),
  percentiles: rows(fc.record({ p: fc.constantFrom(0, 50, 99.9, 100), value: number, series: name })).map((r) =>
    chart('percentiles', r),
  ),
  compare: rows(fc.record({ name, before: runs, after: runs })).map((r) =>
    chart('compare', r.slice(0, 6), { better: 'lower', columns: ['From a', '---'] }),
  ),
  race: rows(fc.record({ lane: fc.constantFrom('---', 'From vmalloc', '> x'), text: name, note: fc.option(name) })).map(
    (r) => chart('race', r),
  ),
  excerpt: rows(
    fc.record({
      ts_ns: fc.oneof(fc.bigInt(), fc.nat()),
      cpu: fc.option(fc.nat(4096)),
      task: name,
      text: name,
      note: fc.option(name),
      left_out: fc.nat(3),
    }),
  ).map((r) => chart('excerpt', r)),
}; // biome-ignore format: a table

/** Any chart: its shape, rows, head, command and notes at random. */
export const anyChart: fc.Arbitrary<Spec> = fc
  .constantFrom(...(Object.keys(bodies) as Shape[]))
  .chain((shape) =>
    fc.tuple(
      bodies[shape],
      head,
      fc.array(name, { maxLength: 6 }),
      fc.array(name, { maxLength: 2 }),
    ),
  )
  .map(([spec, h, words, notes]) => {
    const { ptlab } = spec['usermeta'] as { ptlab: Meta };
    return {
      ...spec,
      usermeta: { ptlab: { ...ptlab, head: h, command: ['ptlab', ...words], notes } },
    };
  });
