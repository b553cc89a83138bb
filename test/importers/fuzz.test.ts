import { expect, test } from 'vitest';
import { FormatError } from '../../src/importers/importer.js';
import { readBytes } from '../traces.js';
import { mutate, numbers, seeds } from './fuzz.js';

/** PTLAB_FUZZ=10000 in the nightly run. */
const rounds = Number(process.env['PTLAB_FUZZ'] ?? 500);

/** Events that a source can hold at most: packed data may grow, all else takes bytes of the source. */
const most = (name: string, bytes: number): number =>
  name === 'trace-dat' || name === 'trace-dat 3' ? bytes * 1024 : bytes;

for (const [name, seed] of Object.entries(seeds())) {
  const format = name.split(' ')[0]!;
  test(`${rounds} mutations of ${name} end in events or in a clear error`, async () => {
    const next = numbers(20_261_123);
    let read = 0;
    for (let i = 0; i < rounds; i++) {
      const bytes = mutate(seed, next);
      const got = await readBytes(format, bytes).catch((e: unknown) => e);
      if (got instanceof Error) {
        expect(got, `round ${i}: ${got.stack}`).toBeInstanceOf(FormatError);
        continue;
      }
      const { meta } = got as { meta: { seen: number; lost: number } };
      expect(meta.seen).toBeLessThanOrEqual(most(name, bytes.length));
      read++;
    }
    expect(read).toBeGreaterThan(0);
    expect((await readBytes(format, seed)).meta.seen).toBeGreaterThan(0);
  }, 600_000);
}
