// `ptlab simulate` as people call it.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, ptlab } from './cli.js';

const vmix = (...more: string[]): string[] => ['simulate', 'vmix', '--ops', 's300.s300.F.p.h512.F.p', ...more]; // biome-ignore format: one line

test.each([
  ['in time, by events', ['--scheme', 'v6', '--readers', '2', '--max-events', '500'], 'events'],
  ['in time, by seconds', ['--scheme', 'v6', '--max-seconds', '0.01'], 'time'],
  ['in order, by events', ['--max-events', '500'], 'events'],
] as const)('a run that hits its bound says so and keeps what it has: %s', (_, options, by) => {
  const out = join(folder(), 'x.arrow');
  const said = ptlab([...vmix('--loops', '100000', '-o', out), ...options]);
  expect(said.status).toBe(2);
  expect(said.stdout).toMatch(/^cut off at \d+ events, [\d.e-]+ s simulated$/m);
  const { status, json } = ptlab([...vmix('--loops', '100000', '-o', out, '--json'), ...options]);
  expect(status).toBe(2);
  const { events, cut_off } = json();
  expect(cut_off).toMatchObject({ by, events });
  if (by === 'events') expect([events >= 500, events < 530]).toEqual([true, true]);
  else expect(cut_off.time_s).toBeLessThanOrEqual(0.01);
  const kept = ptlab(['info', out, '--json']);
  expect(kept.json().events).toBe(events);
  expect(kept.stderr).toMatch(/cut off at/);
});

test('sixteen readers do not starve a caller', () => {
  const out = join(folder(), 'x.arrow');
  const crowd = vmix('--loops', '5', '--scheme', 'v6', '--readers', '16', '--cpus', '20');
  const { status, json } = ptlab([...crowd, '-o', out, '--json']);
  expect(status).toBe(0);
  expect(json()).toMatchObject({ cut_off: null, stuck: [] });
  const { by_scheme } = ptlab(['analyze', 'sleep-costs', out, '--json']).json();
  const vmalloc = by_scheme.find((c: { role: string }) => c.role === 'vmalloc');
  expect(vmalloc.slept).toBe(5);
  // The handoff comes after 4 ms; then the walk that goes on, of about 1 ms.
  expect(vmalloc.asleep_us.max).toBeLessThan(10_000);
});

test('a scheme that deadlocks: who waits for ever is said', () => {
  const out = join(folder(), 'x.arrow');
  const nested = vmix('--loops', '50', '--scheme', 'lock-v6-nested', '--readers', '2', '--cpus', '4'); // biome-ignore format: one line
  const { stuck, cut_off } = ptlab([...nested, '-o', out, '--json']).json();
  expect(stuck).toEqual(['vmix/0', 'cat', 'cat']);
  expect(cut_off).toBe(null);
  expect(ptlab([...nested, '-o', out]).stdout).toMatch(/^stuck, waiting for ever: vmix\/0, 2 x cat$/m); // biome-ignore format: one line
});
