// How records lie in a trace.dat: sub-buffers, stamps, losses, clocks, instances. Written by our own
// writer; trace-cmd, where it is installed, reads the same files as a second judge.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { readBytes, rowsOf } from '../traces.js';
import { Bytes, type DatSpec, type RecordSpec, writeDat } from './dat-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-dat-'));
afterAll(() => rmSync(folder, { recursive: true }));

const installed = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;
const judge = installed('trace-cmd');

const plain = {
  system: 's',
  name: 'ev',
  id: 300,
  fields: [{ type: 'u32', name: 'a', size: 4, signed: false }],
  printFmt: '"a=%u", REC->a',
};
const base = { version: 7, little: true, longBytes: 8, formats: [plain] } as const;
const read = (d: DatSpec) => readBytes('trace-dat', writeDat(d));
const body = (d: { little: boolean }, a: number) => new Bytes(d.little).u32(a).done();
const at = (ts: bigint, a = 1, d: { little: boolean } = base): RecordSpec => ({
  ts,
  id: 300,
  pid: 1,
  body: body(d, a),
});
const text0 = (t: string) => new TextEncoder().encode(`${t}\0`);

/** [CPU, stamp, text] of each event, as trace-cmd report prints them. */
function judged(d: DatSpec, ...args: string[]): [number, bigint, string][] {
  const file = join(folder, 'x.dat');
  writeFileSync(file, writeDat(d));
  const out = execFileSync('trace-cmd', ['report', '-t', ...args, '-i', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return [...out.matchAll(/\[(\d+)\].*?\s(-?\d+)(?:\.(\d{9}))?: +\S+ +(a=\d+)/g)].map((m) => [
    Number(m[1]),
    BigInt(`${m[2]}${m[3] ?? ''}`),
    m[4]!,
  ]);
}

const ours = (rows: Record<string, unknown>[]) =>
  rows.map((r) => [r['cpu'], r['ts_ns'], `${r['detail']}`] as [number, bigint, string]);

const layouts = fc.record({
  version: fc.constantFrom(6 as const, 7 as const),
  little: fc.boolean(),
  longBytes: fc.constantFrom(4 as const, 8 as const),
  compression: fc.constantFrom('none' as const, 'zlib' as const, 'zstd' as const),
  subBuffer: fc.constantFrom(4096, 8192, 65536),
});

const step = fc.record({
  delta: fc.oneof(fc.bigInt(0n, 5000n), fc.bigInt(0n, 1n << 40n)),
  cpu: fc.integer({ min: 0, max: 2 }),
  absolute: fc.constantFrom(false, false, true),
  missed: fc.option(
    fc.integer({ min: -1, max: 99 }).filter((n) => n !== 0),
    { freq: 8, nil: undefined },
  ),
  discarded: fc.option(fc.constantFrom(8, 24, 120), { freq: 4, nil: undefined }),
  size: fc.constantFrom(4, 4, 60, 300, 3000),
});

test('pages of any size, with losses, extended, absolute and discarded records', async () => {
  await fc.assert(
    fc.asyncProperty(
      layouts,
      fc.bigInt(0n, (1n << 63n) - (1n << 50n)),
      fc.array(step, { minLength: 1, maxLength: 80 }),
      async (how, begin, steps) => {
        let ts = begin;
        const all = steps.map((s, i) => {
          ts += s.delta + 1n;
          const { cpu, absolute, missed, discarded, size } = s;
          const bytes = new Uint8Array(size);
          bytes.set(body(how, i));
          return {
            cpu,
            record: {
              ts,
              id: 300,
              pid: 1,
              body: bytes,
              absolute,
              ...(missed === undefined ? {} : { missed }),
              ...(discarded === undefined ? {} : { discarded }),
            },
          };
        });
        const cpus = [0, 1, 2].map((cpu) => ({
          cpu,
          records: all.filter((x) => x.cpu === cpu).map((x) => x.record),
        }));
        const trace = await read({ ...how, formats: [plain], cpus });
        expect(ours(rowsOf(trace))).toEqual(all.map((x, i) => [x.cpu, x.record.ts, `a=${i}`]));
        expect(trace.meta.unparsed.lines).toBe(0);
        const losses = steps.flatMap((s, seq) =>
          s.missed === undefined ? [] : [{ cpu: s.cpu, seq, lost: s.missed < 0 ? null : s.missed }],
        );
        // a full page has no room for the count
        expect(trace.meta.gaps.map(({ cpu, seq }) => ({ cpu, seq }))).toEqual(
          losses.map(({ cpu, seq }) => ({ cpu, seq })),
        );
        for (const [i, g] of trace.meta.gaps.entries())
          expect([losses[i]!.lost, null]).toContain(g.lost);
      },
    ),
    { numRuns: 120 },
  );
});

test.skipIf(!judge)('trace-cmd reads the same stamps (skipped without it)', async () => {
  const records = (d: { little: boolean }): RecordSpec[] => [
    at(1000n, 0, d),
    at(1000n, 1, d),
    { ...at(5_000_000_000n, 2, d), discarded: 16 },
    { ...at(9_000_000_000n, 3, d), absolute: true },
    { ...at(1n << 50n, 4, d), missed: 7 },
    at((1n << 50n) + 5n, 5, d),
  ];
  for (const version of [6, 7] as const)
    for (const [little, longBytes] of [
      [true, 8],
      [true, 4],
      [false, 8],
      [false, 4],
    ] as const)
      for (const compression of version === 7 ? (['none', 'zstd'] as const) : (['none'] as const)) {
        const d: DatSpec = {
          ...base,
          version,
          little,
          longBytes,
          compression,
          cpus: [
            { cpu: 0, records: records({ little }) },
            { cpu: 1, records: [at(77n, 9, { little })] },
          ],
        };
        const seen = ours(rowsOf(await read(d)));
        expect(judged(d), `v${version} ${little} ${longBytes} ${compression}`).toEqual(seen);
        expect(seen).toHaveLength(7);
      }
});

test('sub-buffers larger than a page: as the buffer or only header_page states', async () => {
  for (const statedPage of [16384, 4096])
    for (const version of [6, 7] as const) {
      const records = Array.from({ length: 3000 }, (_, i) => at(BigInt(i), i));
      const d: DatSpec = {
        ...base,
        version,
        subBuffer: 16384,
        statedPage,
        cpus: [{ cpu: 0, records }],
      };
      const trace = await read(d);
      expect(trace.meta).toMatchObject({ seen: 3000, unparsed: { lines: 0 } });
    }
});

const shift = (
  flags: number,
  cpus: readonly (readonly bigint[][])[],
  fractions: readonly bigint[][] = [],
) => {
  const b = new Bytes(true).u64(0xabcdn).u32(flags).u32(cpus.length);
  for (const samples of cpus) {
    b.u32(samples.length);
    for (const k of [0, 1, 2]) for (const s of samples) b.u64(s[k]!);
  }
  for (const f of fractions) for (const v of f) b.u64(v);
  return { id: 12, data: b.done() };
};

test("a guest's stamps move to its host's clock, CPU by CPU", async () => {
  const stamps = [1000n, 2000n, 2500n, 4000n, 9000n];
  const cpus = [0, 1, 2].map((cpu) => ({ cpu, records: stamps.map((ts) => at(ts, cpu)) }));
  const one = [[500n, 100n, 1n]];
  const three = [[2000n, 1000n, 1n], [1000n, -50n, 1n], [4000n, 3001n, 1n]]; // biome-ignore format: a table
  const cases = [
    { options: [shift(0, [one, three])], want: [[1100n, 2100n, 2600n, 4100n, 9100n], [950n, 3000n, 3500n, 5000n, 10000n], stamps] },
    // between samples: offset = a + (t - ta) (b - a) / (tb - ta), rounded
    { options: [shift(1, [one, three])], want: [[1100n, 2100n, 2600n, 4100n, 9100n], [950n, 3000n, 4000n, 7001n, 17004n], stamps] },
    { options: [shift(1, [three, one], [[1n, 1n, 1n], [0n]])], want: [[450n, 2000n, 2750n, 5001n, 12504n], [1100n, 2100n, 2600n, 4100n, 9100n], stamps] },
  ]; // biome-ignore format: a table
  for (const { options, want } of cases) {
    const d: DatSpec = { ...base, cpus, options };
    const trace = await read(d);
    const rows = ours(rowsOf(trace));
    expect([0, 1, 2].map((cpu) => rows.filter((r) => r[0] === cpu).map((r) => r[1]))).toEqual(want);
    const stampsOf = rows.map((r) => r[1]);
    expect(stampsOf).toEqual([...stampsOf].sort((a, b) => (a < b ? -1 : 1)));
    expect(trace.meta.notes.join()).toMatch(/clock of the host's trace 43981/);
    if (judge && options[0] !== cases[2]!.options[0])
      expect(judged(d).sort()).toEqual([...rows].sort());
  }
  const cut = shift(1, [three]).data.subarray(0, 40);
  const bad = await read({ ...base, cpus, options: [{ id: 12, data: cut }] });
  expect(ours(rowsOf(bad))[0]![1]).toBe(1000n);
  expect(bad.meta.notes.join()).toMatch(/time shift .* damaged/);
});

test('a host names its guests; process ids, counts of CPUs and clocks come from options', async () => {
  const cpus = [{ cpu: 0, records: [at(5n)] }];
  const guest = new Bytes(true)
    .text('fed"ora\0')
    .u64(77n)
    .u32(2)
    .u32(0)
    .u32(1234)
    .u32(1)
    .u32(1235)
    .done();
  const options = [
    { id: 11, data: new Bytes(true).u64(99n).done() }, { id: 13, data: guest },
    { id: 13, data: guest.subarray(0, 20) }, { id: 8, data: new Bytes(true).u32(300).done() },
    { id: 32, data: text0('1 42\n7 8\n') }, { id: 4, data: text0('local global [mono] x86-tsc') },
  ]; // biome-ignore format: a table
  for (const version of [6, 7] as const) {
    const trace = await read({
      ...base,
      version,
      cpus,
      options: version === 6 ? options.filter((o) => o.id !== 8) : options,
    });
    expect(rowsOf(trace)[0]).toMatchObject({ pid: 1, tgid: 42 });
    expect(trace.meta.notes[0]).toBe('its trace id is 99');
    expect(trace.meta.notes[1]).toBe(
      'guest "fed\\"ora", trace id 77; host task of each of its CPUs: 0: 1234, 1: 1235',
    );
    expect(trace.meta.notes[2]).toMatch(/guest is damaged/);
    expect(trace.meta.cpus).toBe(version === 6 ? 1 : 300);
    expect(trace.meta.clock).toBe(version === 6 ? 'mono' : 'local');
  }
});

test('a file that names no kernel (trace-cmd split): flags by the events that its kernel knows', async () => {
  const cpus = [{ cpu: 0, records: [{ ...at(1n), flags: 1, preempt: 0x12 }] }];
  const young = { ...plain, system: 'ftrace', name: 'osnoise', id: 9 };
  const flags = async (d: DatSpec) => rowsOf(await read(d))[0]!['flags'];
  expect(await flags({ ...base, cpus, formats: [plain, young] })).toBe('d..21');
  expect(await flags({ ...base, cpus, formats: [plain] })).toBe('d..12');
  const uname = { id: 5, data: text0('Linux host 5.10.3 x86_64') };
  expect(await flags({ ...base, cpus, formats: [plain, young], options: [uname] })).toBe('d..12');
});

test('an instance with a number of CPUs of its own (v6)', async () => {
  const cpus = [{ cpu: 0, records: [at(5n, 0)] }];
  const instances = [
    {
      name: 'more',
      cpus: [0, 1, 2].map((cpu) => ({ cpu, records: [at(10n + BigInt(cpu), cpu)] })),
    },
  ];
  const instanceOptions = [{ id: 8, data: new Bytes(true).u32(3).done() }];
  const trace = await read({ ...base, version: 6, cpus, instances, instanceOptions });
  expect(rowsOf(trace).map((r) => [r['source'], r['cpu'], r['detail']])).toEqual([
    [undefined, 0, 'a=0'], ['more', 0, 'a=0'], ['more', 1, 'a=1'], ['more', 2, 'a=2'],
  ]); // biome-ignore format: a table
});

test('a trace saved as text, also packed', async () => {
  const lines = Array.from(
    { length: 3000 },
    (_, i) => `              sh-1       [000] .....     ${1 + i}.000000: e${i}: x`,
  );
  for (const version of [6, 7] as const)
    for (const compression of ['none', 'zlib', 'zstd'] as const) {
      const trace = await read({
        ...base,
        version,
        compression,
        cpus: [],
        latency: `# tracer: nop\n${lines.join('\n')}\n`,
      });
      expect(
        rowsOf(trace).map((r) => r['event']),
        `${version} ${compression}`,
      ).toEqual(lines.map((_, i) => `e${i}`));
    }
});
