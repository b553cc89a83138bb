import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { infoOf } from '../../src/analyses/info.js';
import { FormatError } from '../../src/importers/importer.js';
import { openTrace } from '../../src/importers/open.js';
import { PageTablesError, readPageTables } from '../../src/importers/page-tables.js';
import { readVmallocInfo, VmallocInfoError } from '../../src/importers/vmallocinfo.js';
import { readBytes } from '../traces.js';
import { mutate, numbers, packedSeeds, seeds, stateSeeds } from './fuzz.js';

/** PTLAB_FUZZ=10000 in the nightly run. */
const rounds = Number(process.env['PTLAB_FUZZ'] ?? 500);
/** PTLAB_FUZZ_SEED=n makes other mutations than those of every test run; an error tells which. */
const seedOf = Number(process.env['PTLAB_FUZZ_SEED'] ?? 20_261_123);
const where = (i: number): string => `seed ${seedOf}, round ${i}`;

/** Events that a source can hold at most: packed data may grow, all else takes bytes of the source. */
const most = (name: string, bytes: number): number =>
  name.startsWith('trace-dat') && name !== 'trace-dat 2' ? bytes * 1024 : bytes;

for (const [name, seed] of Object.entries(seeds())) {
  const format = name.split(' ')[0]!;
  test(`${rounds} mutations of ${name} end in events or in a clear error`, async () => {
    const next = numbers(seedOf);
    let read = 0;
    for (let i = 0; i < rounds; i++) {
      const bytes = mutate(seed, next);
      const got = await readBytes(format, bytes).catch((e: unknown) => e);
      if (got instanceof Error) {
        expect(got, `${where(i)}: ${got.stack}`).toBeInstanceOf(FormatError);
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

test(`${rounds} mutations of ptlab's own file, opened as such`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-'));
  const path = join(folder, 'x.arrow');
  const seed = seeds()['arrow']!;
  const next = numbers(seedOf + 7);
  let whole = 0;
  let noted = 0;
  for (let i = 0; i < rounds; i++) {
    const bytes = i === 0 ? seed : i % 2 ? mutate(seed, next) : Uint8Array.from(seed);
    for (let n = 0; i > 0 && i % 2 === 0 && n < 2; n++) bytes[next(bytes.length)] = next(256);
    writeFileSync(path, bytes);
    const got = await openTrace(path).catch((e: unknown) => e);
    if (got instanceof Error) {
      expect(got, `${where(i)}: ${got.stack}`).toBeInstanceOf(FormatError);
      continue;
    }
    const { meta, table } = got as Awaited<ReturnType<typeof openTrace>>;
    expect(table.numRows).toBeLessThanOrEqual(40);
    if (table.numRows < 40)
      expect(meta.notes.length + meta.unparsed.lines, where(i)).toBeGreaterThan(0);
    expect(meta.seen).toBe(table.numRows);
    if (meta.complete) whole++;
    else noted++;
    table.toArray().map((r) => r.toJSON());
    infoOf(got as Awaited<ReturnType<typeof openTrace>>);
  }
  rmSync(folder, { recursive: true });
  expect(whole).toBeGreaterThan(0);
  expect(noted).toBeGreaterThan(0);
}, 600_000);

test.each(Object.entries(packedSeeds()))(`${rounds} mutations of a source packed as %s`, async (ending, seed) => {
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-'));
  const path = join(folder, `x.${ending}`);
  const next = numbers(seedOf + 11);
  let read = 0;
  for (let i = 0; i < rounds; i++) {
    const bytes = i === 0 ? seed : mutate(seed, next);
    writeFileSync(path, bytes);
    const got = await openTrace(path).catch((e: unknown) => e);
    if (got instanceof Error) {
      expect(got, `${where(i)}: ${got.stack}`).toBeInstanceOf(FormatError);
      continue;
    }
    expect((got as Awaited<ReturnType<typeof openTrace>>).meta.seen).toBeLessThanOrEqual(seed.length * 1024);
    read++;
  }
  rmSync(folder, { recursive: true });
  expect(read).toBeGreaterThan(0);
}, 600_000); // biome-ignore format: long lines

const states = {
  vmallocinfo: [readVmallocInfo, VmallocInfoError],
  kernel_page_tables: [readPageTables, PageTablesError],
} as const;

test.each(Object.entries(states))(`${rounds} mutations of %s`, (name, [read, error]) => {
  const seed = new TextEncoder().encode(stateSeeds[name]);
  const next = numbers(seedOf + 13);
  let whole = 0;
  for (let i = 0; i < rounds; i++) {
    const bytes = i === 0 ? seed : mutate(seed, next);
    try {
      expect(read(Buffer.from(bytes).toString('utf8')).length).toBeLessThanOrEqual(bytes.length / 8);
      whole++;
    } catch (e) {
      expect(e, where(i)).toBeInstanceOf(error);
    }
  }
  expect(whole).toBeGreaterThan(0);
}, 600_000); // biome-ignore format: long lines

test('none of this took memory without bound', () => {
  expect(process.resourceUsage().maxRSS / 1024).toBeLessThan(3072);
});
