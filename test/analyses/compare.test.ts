import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bootstrap, compareTraces } from '../../src/analyses/compare.js';
import { comparison } from '../../src/charts/comparison.js';
import { toText } from '../../src/export/text.js';
import { openTrace } from '../../src/importers/open.js';
import { root } from '../source.js';

const mean = (l: readonly number[]) => l.reduce((s, v) => s + v, 0) / l.length;
const variance = (l: readonly number[]) => l.reduce((s, v) => s + (v - mean(l)) ** 2, 0) / l.length;
const samples = fc.noBias(
  fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 40, maxLength: 200 }),
);

test('the interval is near that of the normal approximation', () => {
  fc.assert(
    fc.property(samples, samples, (a, b) => {
      const { low, high } = bootstrap(a, b)!;
      const d = mean(b) - mean(a);
      const error = Math.sqrt(variance(a) / a.length + variance(b) / b.length);
      expect(Math.abs(low - (d - 1.96 * error))).toBeLessThanOrEqual(0.5 * error + 1e-9);
      expect(Math.abs(high - (d + 1.96 * error))).toBeLessThanOrEqual(0.5 * error + 1e-9);
    }),
    { numRuns: 30 },
  );
});

test('moves with its samples, turns with its sides, and repeats with its seed', () => {
  const [a, b] = [
    [1, 2, 3, 4, 9, 11, 13, 14, 19, 30],
    [2, 3, 5, 8, 9, 12, 12, 17, 21, 40, 41],
  ];
  const one = bootstrap(a, b)!;
  expect(bootstrap(a, b)).toEqual(one);
  expect(bootstrap(a, b, 2)).not.toEqual(one);
  const moved = bootstrap(
    a,
    b.map((v) => v + 100),
  )!;
  expect(moved.low - one.low).toBeCloseTo(100, 9);
  expect(moved.high - one.high).toBeCloseTo(100, 9);
  expect(bootstrap(a.slice(1), b)).toBeNull();
  expect(bootstrap(b, a.slice(1))).toBeNull();
});

test('a trace does not differ from itself; another scheme does', async () => {
  const open = (name: string) => openTrace(join(root, 'data', name, 'trace.txt.gz'));
  const [v3, trylock] = [await open('B2-x2b-2readers'), await open('D-x2b-1reader')];
  const same = compareTraces(v3, v3);
  expect(same.changes.length).toBeGreaterThan(5);
  expect(same.changes.filter((c) => c.differs)).toEqual([]);
  expect(same.changes.every((c) => c.change === 0)).toBe(true);
  const other = compareTraces(v3, trylock);
  const wait = other.changes.find((c) => c.figure === 'wait for the read lock');
  expect(wait).toMatchObject({ n_before: 697, n_after: 903, differs: true });
  expect(wait!.high!).toBeLessThan(0);
  const text = toText(comparison(other.changes, { command: ['ptlab'] }));
  expect(text.split('\n').every((l) => l.length <= 72)).toBe(true);
  expect(text).toContain('wait for the read lock (us)');
});

test('what a trace lacks is said', async () => {
  const boot = await openTrace(join(root, 'data/A-boot-smp1/trace.txt.gz'));
  const { missing } = compareTraces(boot, boot);
  expect(missing).toContain('wait for the read lock: no samples before and after');
});

test('a trace without vmalloc events has no rate of 0', async () => {
  const text = '# tracer: nop\n#\n      a-1  [000] d..2. 1.000000: sched_waking: comm=b pid=2\n';
  const file = join(mkdtempSync(join(tmpdir(), 'ptlab-compare-')), 't.txt');
  writeFileSync(file, text);
  const other = await openTrace(file);
  rmSync(dirname(file), { recursive: true });
  const boot = await openTrace(join(root, 'data/A-boot-smp1/trace.txt.gz'));
  expect(compareTraces(boot, other).missing).toContain('overwrites: no samples after');
  expect(compareTraces(other, boot).changes).toEqual([]);
});
