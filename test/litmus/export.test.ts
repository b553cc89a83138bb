import { expect, test } from 'vitest';
import { exploreWeak } from '../../src/engines/memory/weak.js';
import { type Scenario, sizesOf } from '../../src/linux/scenario.js';
import { exportAArch64 } from '../../src/litmus/export.js';
import { exportLkmm } from '../../src/litmus/export-lkmm.js';
import { parseLitmus } from '../../src/litmus/parse.js';
import { runLitmus } from '../../src/litmus/run.js';
import { scenarios } from '../../src/scenarios/index.js';
import { schemes } from '../../src/schemes/index.js';

const pmdFree = scenarios['pmd-free'];
const written = (scheme: keyof typeof schemes, variant: string[] = [], sizes = {}) =>
  exportAArch64(pmdFree.build(schemes[scheme], sizesOf(pmdFree, sizes), variant), `x+${scheme}`);

test('the plain race: a test whose condition is the use after free', () => {
  const text = written('none');
  expect(text).toMatch(/^AArch64 x\+none\n\(\* A table holds 57005 [^{]*\*\)\n\{\n/);
  expect(text).toMatch(/EOR X(\d+),X(\d+),X\2/); // the address dependency of walk and free
  expect(text).toMatch(/exists \(1:X\d+=0 \/\\ \(1:X\d+=57005\)\)\n$/);
});

test('start values are those before any run', () => {
  const [, value] = /uint64_t pmd=(\d+);/.exec(written('v6'))!;
  expect(Number(value) % 4).toBe(3); // a table entry
  expect(written('v6')).toContain('uint32_t ptdump_lock_key=0;');
  expect(written('v6')).toBe(written('v6'));
});

test('barriers of the flush are there, and gone without it', () => {
  expect(written('v6')).toMatch(/DSB ISHST[\s\S]*?DSB ISH /);
  expect(written('v6', ['no-flush'])).not.toMatch(/DSB ISHST/);
});

test('every jump has its label', () => {
  for (const scheme of [
    'none',
    'v1',
    'lock-clear-free',
    'sample-first',
    'v3',
    'v6',
    'trylock',
  ] as const)
    for (const sizes of [{}, { readers: 2 }]) {
      const columns = written(scheme, [], sizes).split('\n').filter((l) => l.endsWith(';') && l.startsWith(' ')).map((l) => l.slice(0, -1).split('|').map((c) => c.trim())); // biome-ignore format: one line
      for (const k of columns[0]!.keys()) {
        const lines = columns.map((c) => c[k]!);
        const labels = lines.filter((l) => l.endsWith(':')).map((l) => l.slice(0, -1));
        const jumps = lines.flatMap(
          (l) => /^(?:B|B\.NE|CBN?Z [XW]\d+,) ?(\w+)$/.exec(l)?.[1] ?? [],
        );
        expect(labels).toEqual([...new Set(labels)]);
        expect(jumps.length).toBeGreaterThan(0);
        for (const j of jumps) expect(labels).toContain(j);
      }
    }
});

const weak = (
  scenario: Scenario,
  scheme: keyof typeof schemes,
  variant: string[] = [],
  sizes = {},
) => {
  const sys = scenario.build(schemes[scheme], sizesOf(scenario, sizes), variant);
  const text = exportAArch64(sys, 't');
  const { observation, cutOff } = runLitmus(parseLitmus('t', text), 'arm64');
  expect(cutOff).toBeUndefined();
  return observation === 'Never' ? 'safe' : 'use after free';
};

// Written out and read back, a scheme has the verdict of the explorer, which takes another way from the same steps.
test.each([
  ['none', []], ['v1', []], ['lock-clear-free', []], ['sample-first', []], ['v3', []], ['v6', []],
  ['trylock', []], ['other-mm', []],
] as const)('%s %j: the test that is written has the explorer\'s verdict', (scheme, variant) => {
  const v = exploreWeak(pmdFree, schemes[scheme], 'arm64', { variant: [...variant] });
  expect(v.verdict).not.toBe('cut off');
  expect(weak(pmdFree, scheme, [...variant])).toBe(v.kind ?? 'safe');
}); // biome-ignore format: a table

test.each([
  ['none', []], ['v1', []], ['v6', []], ['v6', ['not-isolated']], ['v6', ['not-isolated', 'no-walk-lock']],
] as const)("pud-free %s %j: the test that is written has the explorer's verdict", (scheme, variant) => {
  const sizes = { entries: 1 };
  const v = exploreWeak(scenarios['pud-free'], schemes[scheme], 'arm64', { variant: [...variant], sizes });
  expect(v.verdict).not.toBe('cut off');
  expect(weak(scenarios['pud-free'], scheme, [...variant], sizes)).toBe(v.kind ?? 'safe');
}); // biome-ignore format: a table

test('without the flush nothing orders a plain flag behind the clear: as herd7 says of row S7', () => {
  expect(weak(pmdFree, 'v3', ['no-flush'])).toBe('use after free');
  expect(weak(pmdFree, 'v6', ['no-flush'])).toBe('use after free');
});

test.each([
  [], ['no-flush'], ['dmb-flush'], ['no-enable-barrier'], ['bare-disable'], ['release-disable'], ['dmb-disable'],
])('a flag for a key, %s: as the explorer says', (...left) => {
  const variant = ['flag', ...left];
  const v = exploreWeak(pmdFree, schemes.v3, 'arm64', { variant });
  expect(weak(pmdFree, 'v3', variant)).toBe(v.kind ?? 'safe');
}); // biome-ignore format: a table

test('what two tasks do fits the width of a mail', () => {
  for (const text of [written('v6'), lkmm('v6'), lkmm('rcu-walker')])
    for (const line of text.split('\n')) expect(line).toMatch(/^[\x20-\x7e]{0,72}$/);
});

test('a lock that must not be slept on is still a lock, and the run goes on behind it', () => {
  expect(weak(scenarios.nowait, 'other-mm')).toBe('use after free');
  expect(weak(scenarios.nowait, 'v6')).toBe('safe');
});

test.each([
  ['rcu-walker', [], /no 'gp'/],
  ['percpu-clear', [], /no 'rcu'|no 'wait'|no 'rmw'|no 'gp'/],
  ['v6', ['jump-label'], /no '(text|ipi|rmw)'/],
] as const)('%s %j is refused by name', (scheme, variant, message) => {
  expect(() => written(scheme, [...variant])).toThrow(message);
});

const lkmm = (scheme: keyof typeof schemes, variant: string[] = []) =>
  exportLkmm(pmdFree.build(schemes[scheme], sizesOf(pmdFree, {}), variant), `x+${scheme}`);

test('LKMM: the walker in RCU, whole', () => {
  expect(lkmm('rcu-walker')).toBe(`C x+rcu-walker

(* A table holds 57005 once it is freed. The rwsem is a spinlock, a
static key an atomic counter, the DSBs of the flush are full barriers.
*)
{
pmd=pte_table_0;
}

P0(int **pmd, int *none, int *pte_table_0)
{
  int *r0;
  int *r1;

  r0 = READ_ONCE(*pmd);
  r1 = READ_ONCE(*pmd);
  WRITE_ONCE(*pmd, none);
  smp_wmb();
  smp_mb();
  synchronize_rcu();
  WRITE_ONCE(*r1, 57005);
}

P1(spinlock_t *init_mm, int **pmd, int *pte_table_0)
{
  int *r0;
  int r1;

  spin_lock(init_mm);
  rcu_read_lock();
  r0 = READ_ONCE(*pmd);
  if (r0 == pte_table_0) {
    r1 = READ_ONCE(*r0);
    rcu_read_unlock();
    spin_unlock(init_mm);
  } else {
    rcu_read_unlock();
    spin_unlock(init_mm);
  }
}

exists (1:r1=57005)
`);
});

test('LKMM: braces close, and what has no word is refused by name', () => {
  for (const scheme of [
    'none',
    'v1',
    'v3',
    'v6',
    'sample-first',
    'rcu-sample',
    'trylock',
  ] as const) {
    const text = lkmm(scheme);
    expect(text.split('{').length).toBe(text.split('}').length);
    expect(text.slice(text.indexOf('P0'))).not.toMatch(/\{\s*\}/); // herd7 knows no empty block
    expect(text).toMatch(/exists \(1:r\d+=57005\)/);
  }
  expect(() => lkmm('percpu-clear')).toThrow(/no '(wait|rmw)'/);
  const pud = scenarios['pud-free'];
  expect(() => exportLkmm(pud.build(schemes.v6, sizesOf(pud, {}), []), 'p')).toThrow(/table of 4/);
});
