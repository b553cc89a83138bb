import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explore } from '../../src/engines/explore.js';
import { replay } from '../../src/engines/replay.js';
import { decodeToken, encodeToken } from '../../src/engines/token.js';
import { sizesOf } from '../../src/linux/scenario.js';
import { scenarios } from '../../src/scenarios/index.js';
import { rows } from '../../src/scenarios/rows.js';
import { schemes } from '../../src/schemes/index.js';

const choice = fc.record({ task: fc.nat(9), outcome: fc.nat(3), queues: fc.boolean() });
const run = fc.record({
  scenario: fc.constantFrom('pmd-free', 'pud-free'),
  scheme: fc.stringMatching(/^[\w.-]{1,20}$/),
  memory: fc.constantFrom('sc' as const, 'arm64' as const),
  sizes: fc.dictionary(fc.constantFrom('readers', 'freers', 'entries'), fc.nat(512), { noNullPrototype: true }),
  variant: fc.subarray(['jump-label', 'no-ipi', 'no-isb']),
  schedule: fc.array(choice, { maxLength: 60 }),
}); // biome-ignore format: a record

test('a token gives back the run it was made of, and is safe in a URL', () => {
  fc.assert(
    fc.property(run, (r) => {
      const token = encodeToken(r);
      expect(token).toMatch(/^[\w.~-]+$/);
      expect(decodeToken(token)).toEqual(r);
    }),
  );
});

test('a damaged token is an error, never another run', () => {
  const token = encodeToken({ scenario: 'pmd-free', scheme: 'v3', memory: 'sc', sizes: {}, variant: [], schedule: [{ task: 1, outcome: 0, queues: false }] }); // biome-ignore format: one line
  for (let i = 0; i < token.length; i++) {
    const bad = `${token.slice(0, i)}${token[i] === 'x' ? 'y' : 'x'}${token.slice(i + 1)}`;
    expect(() => decodeToken(bad)).toThrow(RangeError);
  }
  expect(() => decodeToken('')).toThrow(/begins with 'p1~'/);
  expect(() => decodeToken(token.slice(0, -1))).toThrow(/damaged/);
});

/** The checksum a token ends with (FNV-1a, 24 bits), so that nonsense can be made to fit. */
function signed(body: string): string {
  let h = 0x811c9dc5;
  for (const c of body) h = Math.imul(h ^ c.codePointAt(0)!, 0x01000193) >>> 0;
  return `${body}~${(h >>> 8).toString(16).padStart(6, '0')}`;
}

test.each([
  ['p1~pmd-free~%E0%A4~sc~~~ab', /scheme, '%E0%A4', is no encoded name/],
  ['p1~pmd-free~v3~sc~~~a4!b', /has a "!", which is no part of one/],
  ['p1~pmd-free~v3~sc~~~a9999999', /over a million steps/],
])('nonsense with a fitting checksum is an error: %s', (body, message) => {
  expect(decodeToken(signed('p1~pmd-free~v3~sc~~~ab')).schedule.length).toBe(2);
  expect(() => decodeToken(signed(body))).toThrow(RangeError);
  expect(() => decodeToken(signed(body))).toThrow(message);
});

const fresh = (token: string) => {
  const { scenario, scheme, sizes, variant, schedule } = decodeToken(token);
  const s = scenarios[scenario as keyof typeof scenarios];
  const sys = s.build(schemes[scheme as keyof typeof schemes], sizesOf(s, sizes), variant);
  return { sys, schedule };
};

test.each(rows.filter((r) => r.sc?.verdict === 'bug').map((r) => [r.id, r] as const))(
  '%s: replayed, it goes wrong the same way, twice alike',
  (_, r) => {
    const { sizes, variant } = r;
    const v = explore(scenarios[r.scenario], schemes[r.scheme], { sizes, variant });
    const [a, b] = [fresh(v.token!), fresh(v.token!)].map((f) => replay(f.sys, f.schedule));
    expect(a!.kind).toBe(v.kind);
    expect(b).toEqual(a);
    const told = a!.steps.map((s) => `${s.task}: ${s.text}`);
    let at = 0;
    for (const m of v.counterexample)
      at = told.indexOf(`${m.task}: ${m.text}`, at) + 1 || Number.NaN;
    expect(at).toBeGreaterThan(0); // every row of the counterexample is there, in order
  },
);

test('a schedule of another system is an error that names the step', () => {
  const v = explore(scenarios['pmd-free'], schemes.v3, { sizes: { readers: 2 } });
  const { schedule } = fresh(v.token!);
  const sys = scenarios['pmd-free'].build(schemes.trylock, { readers: 2, freers: 1, tables: 1, walks: 1 }, []); // biome-ignore format: one line
  expect(() => replay(sys, schedule)).toThrow(/step \d+ of the schedule cannot be done/);
});
