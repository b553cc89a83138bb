import fc from 'fast-check';
import { expect, test } from 'vitest';
import { segmentsOf } from '../../src/analyses/segments.js';
import { add, newAgenda, take } from '../../src/engines/clock.js';
import { profiles, seeds } from '../../src/engines/cost.js';
import { fitProfile, quantilesOf } from '../../src/engines/cost-fit.js';
import { draw, stream, tabled } from '../../src/engines/draw.js';
import { lockScaling } from '../../src/engines/lock-scaling.js';
import { openTrace } from '../../src/importers/open.js';
import { sample } from '../traces.js';

test('the agenda gives everything back by time, then in order of arrival', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const a = newAgenda();
      for (const [i, t] of times.entries()) add(a, t, 0, i, 0);
      const got = times.map(() => a.who[take(a)]!);
      const want = times
        .map((t, i) => ({ t, i }))
        .sort((x, y) => x.t - y.t || x.i - y.i)
        .map((x) => x.i);
      expect(got).toEqual(want);
    }),
  );
});

test('a log-normal has its median and its spread; quantiles come back as they were', () => {
  const table = tabled({ median_ns: 1000, sigma: 0.5 });
  const sorted = [...table].sort((a, b) => a - b);
  expect(sorted[512]).toBeGreaterThan(995);
  expect(sorted[512]).toBeLessThan(1005);
  expect(sorted[861]! / 1000).toBeCloseTo(Math.exp(0.5), 1); // one sigma above
  const s = stream('x');
  const drawn = Array.from({ length: 4000 }, () => draw(s, tabled({ quantiles_ns: [1, 2, 3, 4] })));
  for (const v of [1, 2, 3, 4]) {
    const n = drawn.filter((d) => d === v).length;
    expect(n).toBeGreaterThan(850);
    expect(n).toBeLessThan(1150);
  }
  expect(quantilesOf([5, 6])).toEqual([5, 6]);
  const long = quantilesOf(Array.from({ length: 5120 }, (_, i) => i));
  expect([long.length, long[256], long[511]]).toEqual([512, 2565, 5119]);
});

test('every cost has a source', () => {
  for (const [name, c] of Object.entries(seeds)) expect(c.source, name).not.toBe('');
  for (const p of Object.values(profiles)) expect(p.about).not.toBe('');
});

test('a real run gives a profile; what it cannot give is named', async () => {
  const m = segmentsOf(await openTrace(sample('D-x2b-1reader')));
  expect(m.readers).toBe(1);
  expect(m.walks_per_read).toBe(3);
  const hold = m.segments['mmap_lock_acquire_returned.write>mmap_lock_released.write']!;
  expect(hold[Math.floor(hold.length / 2)]! / 1000).toBeGreaterThan(1400);
  expect(hold[Math.floor(hold.length / 2)]! / 1000).toBeLessThan(1560); // truth, whole trace: 1487
  expect(m.missing.join()).toMatch(/wake-up/);
  const { profile, unfit } = fitProfile('d', 'D', 250, m);
  expect(profile.own['rwsem lock']!.source).toBe('D');
  expect(unfit).toContain('key flip');
  expect(Object.keys(profile.segments)).not.toContain(
    'mmap_lock_start_locking.write>mmap_lock_acquire_returned.write',
  );
});

test('a shared lock word does not scale, one of its own does', () => {
  const rows = lockScaling(profiles['mesh-server'], 1000, [1, 16, 128]);
  const at = (word: string, cpus: number) => rows.find((r) => r.word === word && r.cpus === cpus)!;
  expect(at('shared rwsem', 1).share_of_unlocked).toBeGreaterThan(0.9);
  expect(at('shared rwsem', 128).share_of_unlocked).toBeLessThan(0.2);
  expect(at('percpu rwsem', 128).share_of_unlocked).toBeGreaterThan(0.95);
  expect(at('static key off', 128).calls_per_s).toBeGreaterThan(100 * at('static key off', 1).calls_per_s); // biome-ignore format: one line
});
