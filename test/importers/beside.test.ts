// What a CSV cannot hold lies in a file beside it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { importCommand } from '../../src/commands/import.js';
import { writeTrace } from '../../src/events/file.js';
import { addGap, type Gap } from '../../src/events/meta.js';
import { openTrace } from '../../src/importers/open.js';
import { readFtrace, rowsOf } from '../traces.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-beside-'));
afterAll(() => rmSync(folder, { recursive: true }));
const context = { note() {}, progress: () => ({ update() {}, stop() {} }) };

const events = 6;
const lines = Array.from(
  { length: events },
  (_, i) => `            cat-${i}       [00${i % 2}] ..... ${i}.000001: e: "a, ${i}`,
);
const gap = fc.record<Gap>({
  cpu: fc.option(fc.nat(1)),
  seq: fc.nat(events),
  lost: fc.option(fc.nat(1000)),
});

async function toCsv(name: string, gaps: readonly Gap[] = []): Promise<string> {
  const trace = await readFtrace(lines.join('\n'));
  Object.assign(trace.meta, { kernel: '6.12.0 "x"', stated: 2 ** 40, cpus: 3 });
  for (const g of gaps) addGap(trace.meta, g);
  const source = join(folder, `${name}.arrow`);
  writeTrace(source, trace);
  const output = join(folder, `${name}.csv`);
  await importCommand.run!([source], { to: 'csv', output }, context);
  return output;
}

test('a trace with gaps comes back from CSV with its gaps and lost counts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(gap, { maxLength: 5 }), async (gaps) => {
      const path = await toCsv('any', gaps);
      const want = await openTrace(join(folder, 'any.arrow'));
      const got = await openTrace(path);
      expect(rowsOf(got)).toEqual(rowsOf(want));
      const { clock, kernel, cpus, seen, stated, lost, lost_per_cpu, notes } = want.meta;
      expect(got.meta.gaps).toEqual(gaps);
      expect(got.meta).toMatchObject({ clock, kernel, cpus, seen, stated, lost, lost_per_cpu, notes });
    }),
    { numRuns: 30 },
  );
}); // biome-ignore format: short

test('a CSV without the file, and with one that is not its own, is read and says so', async () => {
  const path = await toCsv('own', [{ cpu: 0, seq: 2, lost: 3 }]);
  const beside = `${path}.meta.json`;
  const own = readFileSync(beside, 'utf8');
  const read = async (text: string | null) => {
    if (text === null) rmSync(beside);
    else writeFileSync(beside, text);
    const { meta } = await openTrace(path);
    return [meta.lost, meta.gaps.length, meta.notes.join('; ')];
  };
  const note = (why: string) => [0, 0, `own.csv.meta.json beside it was not used: ${why}`];
  expect(await read(own)).toEqual([3, 1, '']);
  for (const foreign of ['{"name": "x"}', 'a table', '', '[1]', 'null'])
    expect(await read(foreign), foreign).toEqual(note('ptlab did not write it'));
  expect(await read(own.replace('"ptlab": 1', '"ptlab": 99'))).toEqual(note('a newer ptlab wrote it'));
  expect(await read(own.replace('"seq": 2', '"seq": 7'))).toEqual(note('it has gaps behind the last event'));
  expect(await read(own.replace('"seq": 2', '"seq": "2"'))).toEqual([3, 0, "its metadata 'gaps' is damaged"]);
  expect(await read(null)).toEqual([0, 0, '']);
  writeFileSync(beside, own);
  writeFileSync(path, readFileSync(path, 'utf8').replace('e,', 'f,'));
  expect(await read(own)).toEqual(note('the CSV is not the one that it was written with'));
}); // biome-ignore format: short

test("a user's file of that name is never overwritten, an older one of ptlab's is", async () => {
  const path = await toCsv('mine', [{ cpu: 0, seq: 2, lost: 3 }]);
  const beside = `${path}.meta.json`;
  await toCsv('mine');
  expect(JSON.parse(readFileSync(beside, 'utf8')).gaps).toEqual([]);
  writeFileSync(beside, '{"mine": true}');
  rmSync(path);
  await expect(toCsv('mine')).rejects.toThrow(/mine\.csv\.meta\.json lies where ptlab keeps/);
  expect(readFileSync(beside, 'utf8')).toBe('{"mine": true}');
  expect(existsSync(path)).toBe(false);
});
