import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geometry } from '../../src/linux/arm64/geometry.js';
import { eraOf, eras } from '../../src/linux/eras.js';
import {
  defaultParameters,
  shuffle,
  summary,
  tests,
  worker,
} from '../../src/linux/lib/test-vmalloc.js';
import { mix, pattern, readPattern } from '../../src/linux/lib/vmix.js';
import { type Call, callFast, runFast, type Workload } from '../../src/linux/lib/workload.js';
import { bootMachine } from '../../src/linux/mm/machine.js';
import { random } from '../../src/linux/random.js';
import { machine } from './machines.js';

const on = { geometry: geometry(), onlineCpus: 2 };

/** The calls of a workload, each answered with a new page. */
function callsOf(work: Workload<unknown>): Call[] {
  const calls: Call[] = [];
  for (let next = work.next(0); !next.done; next = work.next(1000 + calls.length))
    calls.push(next.value);
  return calls;
}

const run = (version: '6.12' | '7.x', mask: number, over = {}) =>
  worker(
    version,
    { ...defaultParameters(version), run_test_mask: mask, test_loop_count: 3, ...over },
    on,
    1,
  );

test('the order is one cycle: nothing stays where it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 13 }), fc.nat(), (n, seed) => {
      const order = shuffle(n, random(seed));
      let at = 0;
      let steps = 0;
      do {
        at = order[at]!;
        steps++;
      } while (at !== 0);
      expect(steps).toBe(n);
    }),
  );
});

test('names and masks are those of the module', () => {
  expect(tests('6.12')).toHaveLength(11);
  expect(tests('7.x')).toHaveLength(13);
  expect(tests('7.x').map((t) => t.name)[11]).toBe('no_block_alloc_test');
  expect(defaultParameters('6.12').run_test_mask).toBe(0x7fffffff);
  expect(defaultParameters('7.x').run_test_mask).toBe(7);
});

test('each test asks for what the module asks for', () => {
  const calls = (mask: number, over = {}) => callsOf(run('6.12', mask, over));
  expect(calls(1, { nr_pages: 512, use_huge: true })[0]).toEqual({
    op: 'vmalloc_huge',
    size_bytes: 2 ** 21,
  });
  expect(calls(1)).toHaveLength(6);
  expect(calls(2)).toHaveLength(2 * 16384 * 2 + 2 * 3 + 4); // full_fit: 16384 on 2 CPUs
  expect(calls(4)).toHaveLength(2 * 15001 + 4 * 3);
  expect(calls(16)[0]).toEqual({
    op: '__vmalloc_node',
    size_bytes: 5 * 4096,
    align_bytes: 65536,
    node: 0,
  });
  expect(calls(64)).toHaveLength(128);
  for (const c of calls(8))
    if (c.op === 'vmalloc') expect(c.size_bytes / 4096).toBeLessThanOrEqual(100);
  for (const c of calls(32, { test_loop_count: 50 }))
    if (c.op === '__vmalloc_node') {
      const r = Array.from({ length: 256 }, (_, i) => i);
      expect(
        r.some((x) => c.align_bytes === 2 ** (x % 23) && c.size_bytes === ((x % 10) + 1) * 4096),
      ).toBe(true);
    }
});

test('align_shift fails at 1 << 47 on 48-bit kernels, after a full purge', () => {
  const v = bootMachine(machine());
  const [result] = runFast(v, run('6.12', 64));
  expect(result).toMatchObject({ name: 'align_shift_alloc_test', passed: 0, failed: 1 });
  expect(v.allocations).toBe(48);
  const seven = runFast(bootMachine(machine({ era: eras['7.0'] })), run('7.x', 64));
  expect(seven[0]).toMatchObject({ failed: 0, xfailed: 1 });
});

test('the lines are those of the module', () => {
  const p = { ...defaultParameters('7.x'), test_loop_count: 1000000 };
  const r = { name: 'fix_size_alloc_test', passed: 1, failed: 0, xfailed: 0 };
  expect(summary('7.x', p, r, 955334)).toBe(
    'Summary: fix_size_alloc_test passed: 1 failed: 0 xfailed: 0 repeat: 1 loops: 1000000 avg: 955334 usec',
  );
  expect(summary('6.12', p, r, 955334)).toBe(
    'Summary: fix_size_alloc_test passed: 1 failed: 0 repeat: 1 loops: 1000000 avg: 955334 usec',
  );
});

test('the same seed gives the same run, another seed another', () => {
  const calls = (seed: string) =>
    JSON.stringify(
      callsOf(
        worker(
          '6.12',
          { ...defaultParameters('6.12'), run_test_mask: 8 | 32, test_loop_count: 20 },
          on,
          seed,
        ),
      ),
    );
  expect(calls('a')).toBe(calls('a'));
  expect(calls('a')).not.toBe(calls('b'));
});

test('a pattern of small and huge overwrites a table a round', () => {
  const v = bootMachine(machine());
  // As at boot: an ioremap aligned to 16 MiB; below it there is no room for the small object.
  callFast(v, { op: 'ioremap', phys_bytes: 0x80a0000, size_bytes: 16121856 }, 0);
  callFast(v, { op: 'vmalloc', size_bytes: 1200 * 4096 }, 0);
  runFast(v, pattern(readPattern('h512.F.p.s600.F.p'), 50, 4096));
  expect(v.tables.counts.pte_tables_freed).toBe(49);
  expect(() => readPattern('h512.x')).toThrow(/'x' in 'h512.x'/);
});

test('nothing huge, nothing overwritten', () => {
  const m = { slots: 16, huge: 0, max_small: 700, huge_pages: 512, purge_every: 5, loops: 400 };
  const v = bootMachine(machine());
  runFast(v, mix(m, 4096, 3));
  expect(v.tables.counts.pte_tables_freed).toBe(0);
  expect(v.tables.counts.pte_tables_allocated).toBeGreaterThan(0);
});

test('an era is found by release', () => {
  const names = [
    '6.6.30',
    '6.12.74',
    '6.12.117',
    '6.17.1',
    '6.18.44',
    '6.19',
    '7.1',
    '7.2-rc5',
    '7.2-rc6',
    '7.2.1',
    '8.0',
  ];
  expect(names.map((n) => eraOf(n).name)).toEqual([
    '6.12', '6.12', '6.12.105', '6.16', '6.18', '6.19', '7.0', '7.0', '7.2', '7.2', '7.2',
  ]); // biome-ignore format: a row
  expect(() => eraOf('linux')).toThrow(/Known eras: 6.12,/);
});
