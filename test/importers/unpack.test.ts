// Packed sources: what `atrace -z` prints, also after adb shell's newlines.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { wrapperOf } from '../../src/importers/choose.js';
import { openTrace } from '../../src/importers/open.js';
import { packedAtrace, unatrace } from '../../src/importers/unpack.js';
import { pieces, totals } from '../traces.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-'));
afterAll(() => rmSync(folder, { recursive: true }));

const header = '# tracer: nop\n#\n';
const lines = (n: number) =>
  Array.from({ length: n }, (_, i) =>
    `           <...>-2861  (-----) [00${i % 3}] ...1 683201.${String(i * 977).padStart(6, '0')}: tracing_mark_write: B|2861|${(i * i * 7919).toString(36)}`,
  ); // biome-ignore format: a line
const text = `${header}${lines(500).join('\n')}\n`;

const packed = (newline: string, words = 'capturing trace... done\nTRACE:\n'): Uint8Array =>
  Buffer.from((words + deflateSync(text).toString('latin1')).replaceAll('\n', newline), 'latin1');

test.each(['\n', '\r\n', '\r\r\n'])('atrace -z, where a newline came as %j', async (newline) => {
  const bytes = packed(newline);
  expect(wrapperOf(bytes)).toBe('atrace');
  const path = join(folder, 'x.atrace');
  writeFileSync(path, bytes);
  expect(totals(await openTrace(path))).toEqual({
    events: 500,
    first: 683201_000000_000,
    last: 683201_000000_000 + 499 * 977_000,
    per_event: { tracing_mark_write: 500 },
    per_cpu: { 0: 167, 1: 167, 2: 166 },
    lost: 0,
    unparsed: 0,
  });
});

test('however its pieces are cut, the same comes out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('\n', '\r\n', '\r\r\n'), fc.integer({ min: 1, max: 9000 }), async (newline, size) => {
      const parts: Uint8Array[] = [];
      for await (const p of unatrace(pieces(packed(newline, 'TRACE:\n'), size))) parts.push(p);
      expect(Buffer.concat(parts).toString()).toBe(`TRACE:${newline}${text}`);
    }),
    { numRuns: 30 },
  ); // biome-ignore format: a long line
});

test('a cut stream gives the events before, and says where it was cut', async () => {
  const path = join(folder, 'cut.atrace');
  const bytes = packed('\n');
  writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  const trace = await openTrace(path);
  expect(trace.meta.seen).toBeGreaterThan(100);
  expect(trace.meta.notes.join()).toMatch(/unpacking \(atrace\) stopped near byte \d+/);
});

test('text behind TRACE: is no packed trace', () => {
  for (const words of [`TRACE:\n${text}`, 'TRACE:\nxyz', 'TRACE:\n', 'TRACE:\nx'])
    expect(packedAtrace(Buffer.from(words))).toBe(null);
});
