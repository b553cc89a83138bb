// Where events are missing: worked out from a trace, kept on every way through a file, and shown by
// every chart.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { charts } from '../../src/charts/index.js';
import { analyze } from '../../src/commands/analyze.js';
import { chartSpec } from '../../src/commands/charts.js';
import type { Context } from '../../src/commands/command.js';
import { importCommand } from '../../src/commands/import.js';
import { writeTrace } from '../../src/events/file.js';
import { ftracePieces } from '../../src/events/format.js';
import { gapSpans } from '../../src/events/gaps.js';
import { metaValue, newMeta, putGaps } from '../../src/events/meta.js';
import type { Trace } from '../../src/events/trace.js';
import { toSvg } from '../../src/export/image.js';
import { toText } from '../../src/export/text.js';
import { openTrace, openTraces } from '../../src/importers/open.js';
import { readBytes, readFtrace, rowsOf, sample } from '../traces.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-gaps-'));
afterAll(() => rmSync(folder, { recursive: true }));
const context: Context = {
  progress: () => ({ update() {}, stop() {} }),
  note() {},
};

const at = (us: number, cpu: number): string =>
  `              sh-1       [${String(cpu).padStart(3, '0')}] .....     0.${String(us).padStart(6, '0')}: e: x`;

const times = (trace: Trace) =>
  gapSpans(trace).map(({ cpu, lost, from_ns, to_ns, source }) => [
    cpu,
    lost,
    from_ns,
    to_ns,
    source,
  ]);

const text = [
  'CPU:0 [LOST 2 EVENTS]', at(10, 0), at(20, 1), 'CPU:1 [LOST 5 EVENTS]', at(30, 0), at(40, 1),
  'CPU:1 [LOST EVENTS]', at(50, 1), 'CPU:7 [LOST 1 EVENTS]', at(60, 0), 'CPU:0 [LOST 9 EVENTS]',
].join('\n'); // biome-ignore format: a trace

const spans = [
  [0, 2, null, 10_000, undefined],
  [1, 5, 20_000, 40_000, undefined],
  [1, null, 40_000, 50_000, undefined],
  [7, 1, null, null, undefined],
  [0, 9, 60_000, null, undefined],
];

test('a gap lasts from its CPU before to its CPU after, and no longer', async () => {
  const trace = await readFtrace(text);
  expect(times(trace)).toEqual(spans);
  expect(trace.meta).toMatchObject({ lost: 17, lost_per_cpu: { 0: 11, 1: 5, 7: 1 } });
});

test('Arrow, Parquet and text keep gaps where they are', async () => {
  const trace = await readFtrace(text);
  const file = join(folder, 'x.arrow');
  writeTrace(file, trace);
  expect(times(await openTrace(file))).toEqual(spans);
  expect(times(await readFtrace([...ftracePieces(trace)].join('')))).toEqual(spans);
  for (const to of ['parquet', 'ftrace', 'arrow']) {
    const output = join(folder, `y.${to}`);
    await importCommand.run([file], { to, output }, context);
    const again = await openTrace(output);
    expect(times(again), to).toEqual(spans);
    expect(again.meta, to).toMatchObject({ lost: 17, lost_per_cpu: { 0: 11, 1: 5, 7: 1 } });
  }
  const foreign = await readBytes('arrow', readFileSync(file));
  expect(times(foreign)).toEqual(spans);
});

test('merged files keep the gaps of each, though their CPUs have the same numbers', async () => {
  const one = join(folder, 'one.txt');
  const two = join(folder, 'two.txt');
  writeFileSync(
    one,
    [at(10, 1), 'CPU:1 [LOST 3 EVENTS]', at(40, 0), at(30, 1), at(25, 1)].join('\n'),
  );
  writeFileSync(two, [at(5, 1), at(20, 1), at(22, 1), 'CPU:1 [LOST 4 EVENTS]'].join('\n'));
  const merged = await openTraces([one, two]);
  expect(times(merged)).toEqual([
    [1, 3, 25_000, 30_000, 'one.txt'], // the line after the gap came late, and was put in its place
    [1, 4, 22_000, null, 'two.txt'],
  ]);
  expect(merged.meta).toMatchObject({ lost: 7, lost_per_cpu: { 1: 7 } });
  const output = join(folder, 'merged.arrow');
  await importCommand.run([one, two], { to: 'arrow', output }, context);
  expect(times(await openTrace(output))).toEqual(times(merged));
  const deep = await openTraces([output, two]);
  expect(times(deep)).toEqual([
    [1, 3, 25_000, 30_000, 'one.txt + two.txt:one.txt'],
    [1, 4, 22_000, null, 'one.txt + two.txt:two.txt'],
    [1, 4, 22_000, null, 'two.txt'],
  ]);
  expect(new Set(rowsOf(deep).map((r) => r['source'])).size).toBe(3);
});

test('gaps anywhere are where a plain search finds them', async () => {
  const event = fc.record({ us: fc.integer({ min: 0, max: 999_999 }), cpu: fc.integer({ min: 0, max: 2 }), lost: fc.option(fc.nat({ max: 9 }), { freq: 3 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 30 }), fc.nat({ max: 2 }), async (list, lossCpu) => {
      const sorted = list.sort((a, b) => a.us - b.us);
      const lines = sorted.flatMap((e) => [...(e.lost === null ? [] : [`CPU:${lossCpu} [LOST ${e.lost} EVENTS]`]), at(e.us, e.cpu)]);
      const trace = await readFtrace(lines.join('\n'));
      const wanted = sorted.flatMap((e, i) => {
        if (e.lost === null) return [];
        const from = sorted.slice(0, i).findLast((x) => x.cpu === lossCpu);
        const to = sorted.slice(i).find((x) => x.cpu === lossCpu);
        return [[lossCpu, e.lost, from ? from.us * 1000 : null, to ? to.us * 1000 : null]];
      });
      expect(times(trace).map((t) => t.slice(0, 4))).toEqual(wanted);
    }),
    { numRuns: 100 },
  );
}); // biome-ignore format: long lines

test('more places than are kept are said to be more; damaged places are refused', () => {
  const meta = newMeta('x', 'y');
  putGaps(meta, Array.from({ length: 1200 }, (_, seq) => ({ cpu: 0, seq, lost: 1 })));
  expect(meta.gaps.length).toBe(1000);
  expect(meta.notes).toEqual(['events are missing at more than 1000 places; only the first 1000 are kept']);
  for (const bad of ['[null]', '[{"cpu":0}]', '[{"cpu":-1,"seq":0,"lost":0}]', '[{"cpu":0,"seq":0,"lost":0,"source":1}]'])
    expect(() => metaValue('gaps', bad)).toThrow(/'gaps' is damaged/);
  expect(() => metaValue('lost_per_cpu', '{"0":"x"}')).toThrow(/damaged/);
  expect(metaValue('gaps', '[{"cpu":null,"seq":0,"lost":null}]')).toHaveLength(1);
}); // biome-ignore format: long lines

/** A sample out of which all that CPU 2 did from 3.1 to 3.4 s is cut, with a line that says so. */
async function gapped(mark: string): Promise<Trace> {
  const lines = gunzipSync(readFileSync(sample('B2-x2b-2readers'))).toString().split('\n');
  const inside = (l: string): boolean => / \[002\] .{5} +3\.[123]\d{5}: /.test(l);
  const first = lines.findIndex(inside);
  return readFtrace([...lines.slice(0, first), mark, ...lines.slice(first).filter((l) => !inside(l))].join('\n'));
} // biome-ignore format: long lines

describe('a trace with a gap', async () => {
  const trace = await gapped('CPU:2 [LOST 412 EVENTS]');
  const line = /events missing on CPU 2 from 3\.(0|1)\d\d to 3\.4\d\d s \(412 lost\)/;
  for (const name of Object.keys(charts)) {
    const spec = chartSpec(name, trace, 'x.txt');
    test(`${name} shows it in picture and text`, async () => {
      expect(toText(spec).replace(/\s+/g, ' ')).toMatch(new RegExp(line.source, 'i'));
      const svg = await toSvg(spec);
      expect(svg).toMatch(line);
      if (!/time since the trace began/.test(JSON.stringify(spec))) return;
      const band = /<path[^>]*d="M([\d.]+),0[hL]([\d.]+)[^"]*"[^>]*fill="#e6e6e6"/.exec(svg);
      expect(Number(band?.[2]) / 560).toBeGreaterThan(0.02);
      expect(svg).toMatch(/CPU 2: 412 lost/);
    });
  }

  test('several traces side by side name the one', async () => {
    const [file, whole] = [join(folder, 'gap.arrow'), sample('D-x2b-1reader')];
    writeTrace(file, trace);
    const { text: shown } = await analyze.run(['race-windows', whole, file], {}, context);
    expect(shown.replace(/\s+/g, ' ')).toMatch(/Events missing on CPU 2 of \S*gap.arrow from 3/);
  });
});

test('a loss without a number is a gap of unknown count, and without a place it is said so', async () => {
  const unknown = await gapped('CPU:2 [LOST EVENTS]');
  expect(toText(chartSpec('overwrites', unknown, 'x')).replace(/\s+/g, ' ')).toMatch(
    /Events missing on CPU 2 from 3.\d+ to 3.\d+ s \(unknown how many\)\./,
  );
  const none = await gapped('# entries-in-buffer/entries-written: 5/12   #P:4');
  expect(toText(chartSpec('overwrites', none, 'x')).replace(/\s+/g, ' ')).toMatch(
    / 7 events lost, the trace does not say where\./,
  );
});
