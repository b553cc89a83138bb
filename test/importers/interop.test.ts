// A table with everything that breaks tables, out and in again in every form; Chrome's JSON by its format.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { chromePieces } from '../../src/events/chrome.js';
import { csvPieces } from '../../src/events/csv.js';
import { memoryWriter, writeTrace } from '../../src/events/file.js';
import {
  addRow,
  type Log,
  setBool,
  setDict,
  setF64,
  setInt,
  setText,
  setU64,
  setVa,
} from '../../src/events/log.js';
import { newMeta } from '../../src/events/meta.js';
import { writeParquet } from '../../src/events/parquet.js';
import { type ColumnName, columnNames, columns } from '../../src/events/schema.js';
import type { Trace } from '../../src/events/trace.js';
import { openTrace } from '../../src/importers/open.js';
import { chromeBreaches } from '../events/chrome-rules.js';
import { readFtrace, rowsOf } from '../traces.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-interop-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a,b',
    'q"uo"te',
    'new\nline',
    '\r\nBcc: x',
    '</script><img onerror=1>',
    '\u001b[31m',
    '=1+1',
    '\u0000',
    'null',
    'true',
    '12',
    '\\x41',
    'é漢😀',
    '"',
    '\r',
    ' lead ',
    "it's",
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const word = fc.oneof(
  fc.bigInt(0n, (1n << 64n) - 1n),
  fc.constantFrom(
    0n,
    1n,
    1n << 53n,
    (1n << 53n) + 1n,
    (1n << 63n) - 1n,
    1n << 63n,
    (1n << 64n) - 1n,
  ),
);

const limits = {
  u8: [0, 255],
  u16: [0, 65535],
  u32: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
} as const;
const anyOf = (name: ColumnName): fc.Arbitrary<unknown> => {
  const { kind } = columns[name];
  if (kind === 'dict' || kind === 'text') return text;
  if (kind === 'bool') return fc.boolean();
  if (kind === 'u64' || kind === 'i64') return word;
  if (kind === 'f64')
    return fc.oneof(fc.constantFrom(0, 2 ** 53, 1e300, 0.1), fc.integer({ min: 0, max: 1 << 30 }));
  const [min, max] = limits[kind];
  return fc.integer({ min, max });
};

const free = columnNames.filter((n) => !['seq', 'ts_ns', 'event', 'va_page'].includes(n));
const row = fc.record({
  ts: fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
  event: text.filter((t) => t !== ''),
  cells: fc.record(
    Object.fromEntries(free.map((n) => [n, fc.option(anyOf(n), { freq: 2 })])) as Record<
      ColumnName,
      fc.Arbitrary<unknown>
    >,
  ),
});

function put(log: Log, name: ColumnName, value: unknown): void {
  const { kind } = columns[name];
  const [hi, lo] =
    typeof value === 'bigint' ? [Number(value >> 32n), Number(value & 0xffffffffn)] : [0, 0];
  if (name === 'va') setVa(log, hi, lo);
  else if (kind === 'dict') setDict(log, name as 'task', value as string);
  else if (kind === 'text') setText(log, name as 'detail', value as string);
  else if (kind === 'bool') setBool(log, name as 'ok', value as boolean);
  else if (kind === 'u64' || kind === 'i64') setU64(log, name as 'entry', hi, lo);
  else if (kind === 'f64') setF64(log, name as 'count', value as number);
  else setInt(log, name as 'pid', value as number);
}

function traceOf(
  rows: readonly { ts: bigint; event: string; cells: Record<string, unknown> }[],
): Trace {
  const meta = newMeta('x', 'test');
  const w = memoryWriter(meta);
  for (const { ts, event, cells } of rows) {
    const t = BigInt.asUintN(64, ts);
    addRow(w.log, Number(t >> 32n), Number(t & 0xffffffffn), w.log.dicts.event.intern(event));
    for (const n of free) if (cells[n] !== null && cells[n] !== undefined) put(w.log, n, cells[n]);
  }
  return w.finish(meta);
}

const writers: Record<string, (trace: Trace, path: string) => void> = {
  arrow: (trace, path) => writeTrace(path, trace),
  csv: (trace, path) => writeFileSync(path, [...csvPieces(trace)].join('')),
  parquet(trace, path) {
    const parts: Uint8Array[] = [];
    writeParquet(trace, (bytes) => void parts.push(bytes));
    writeFileSync(path, Buffer.concat(parts));
  },
};

for (const [format, write] of Object.entries(writers)) {
  test(`any table written as ${format} and read again is the same`, async () => {
    const path = join(folder, `x.${format}`);
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), async (rows) => {
        const trace = traceOf(rows);
        write(trace, path);
        for (const forced of [undefined, format])
          expect(rowsOf(await openTrace(path, { format: forced }))).toEqual(rowsOf(trace));
      }),
      { numRuns: 30 },
    );
  });
}

test("a table of pandas: numbers as 3.0 where others lack, 'quote all'", async () => {
  const path = join(folder, 'pandas.csv');
  writeFileSync(
    path,
    '"","ts_ns","event","cpu","detail","va"\n"0","5","e","3.0","","18446744073709551615"\n"1","6","f","","x",""\n',
  );
  const trace = await openTrace(path);
  expect(rowsOf(trace)).toEqual([
    {
      seq: 0,
      ts_ns: 5n,
      event: 'e',
      cpu: 3,
      detail: '',
      va: 18446744073709551615n,
      va_page: expect.any(Number),
    },
    { seq: 1, ts_ns: 6n, event: 'f', detail: 'x' },
  ]);
});

interface ChromeEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly args: Record<string, unknown>;
}
const textOf = (trace: Trace): string => [...chromePieces(trace)].join('');
const chrome = (trace: Trace): { traceEvents: ChromeEvent[]; otherData: Record<string, unknown> } =>
  JSON.parse(textOf(trace));

const traced = fc.record({
  ts: fc.nat(3000),
  event: fc.oneof(
    text.filter((t) => t !== ''),
    fc.constantFrom(
      'funcgraph_entry',
      'funcgraph_exit',
      'funcgraph_leaf',
      'walk',
      'walk_ret',
      'contention_begin',
      'contention_end',
    ),
  ),
  cells: fc.record({
    pid: fc.option(fc.constantFrom(0, 7, 8, 4194303, -5, 2 ** 31 - 1), { freq: 6 }),
    tgid: fc.option(fc.constantFrom(0, 7, 99)),
    cpu: fc.option(fc.constantFrom(0, 1, 65535), { freq: 4 }),
    task: fc.option(text),
    at: fc.option(fc.constantFrom('f', 'g', '')),
    duration_ns: fc.option(fc.nat(900)),
    lock: fc.option(word),
    ret: fc.option(word),
    detail: fc.option(text),
    source: fc.option(fc.constantFrom('host', 'guest')),
  }),
});
const lost = fc.record({
  cpu: fc.option(fc.constantFrom(0, 1, 2 ** 40)),
  seq: fc.nat(60),
  lost: fc.option(fc.nat(9)),
  source: fc.constantFrom('host', 'guest'),
});

test("Chrome's JSON keeps to the format, whatever the names, stamps and losses, and has every row", () => {
  const start = fc.constantFrom(0n, 123_000_000_456n, 1_700_000_000_000_000_001n, -5_000_000_000n);
  fc.assert(
    fc.property(fc.array(traced, { maxLength: 60 }), fc.array(lost, { maxLength: 4 }), start, fc.boolean(), (rows, gaps, base, sorted) => {
      const inOrder = sorted ? [...rows].sort((a, b) => a.ts - b.ts) : rows;
      const trace = traceOf(inOrder.map((r) => ({ ...r, ts: base + BigInt(r.ts) })));
      trace.meta.gaps = gaps;
      expect(chromeBreaches(textOf(trace))).toEqual([]);
      const own = chrome(trace).traceEvents.filter((e) => !('end' in e.args) && e.ph !== 'M' && e.cat !== 'gap');
      expect(own.length).toBe(rows.length);
    }),
    { numRuns: 300 },
  );
  expect(chrome(traceOf([]))).toMatchObject({ traceEvents: [] });
}); // biome-ignore format: long lines

test('an end closes what was left open inside it; one without a begin is an instant; a leaf is cut', async () => {
  const graph = (ts: number, event: string, at: string, duration_ns?: number) => ({
    ts: BigInt(ts), event, cells: { pid: 7, at, duration_ns },
  }); // biome-ignore format: short
  const { traceEvents } = chrome(
    traceOf([
      graph(1, 'funcgraph_exit', 'before'),
      graph(10, 'funcgraph_entry', 'f'),
      graph(20, 'funcgraph_entry', 'lost'),
      graph(30, 'funcgraph_leaf', 'leaf', 500),
      graph(40, 'funcgraph_exit', 'f'),
    ]),
  );
  expect(traceEvents.filter((e) => e.ph !== 'M').map((e) => [e.ph, e.name, e.dur ?? e.ts])).toEqual([
    ['i', 'funcgraph_exit', 0.001], ['B', 'f', 0.01], ['B', 'lost', 0.02], ['X', 'leaf', 0.01], ['E', 'lost', 0.04],
    ['E', 'f', 0.04],
  ]); // biome-ignore format: a table
});

test('slices nest on their threads, idle CPUs apart; stamps keep their nanoseconds; gaps are slices', async () => {
  const at = (who: string, cpu: number, stamp: string, what: string) =>
    `${who.padStart(20)} [00${cpu}] ..... ${stamp}: ${what}`;
  const trace = await readFtrace(
    [
      at('cat-7', 0, '1700000000.000000001', 'walk: (ptdump_walk_pgd+0x0/0x8)'),
      at('cat-7', 0, '1700000000.000000502', 'contention_begin: ffff800080a00858 (flags=READ)'),
      at('<idle>-0', 1, '1700000000.000000600', 'e: x'),
      at('cat-7', 0, '1700000000.000000703', 'contention_end: ffff800080a00858 (ret=-4)'),
      'CPU:0 [LOST 3 EVENTS]',
      at('cat-7', 0, '1700000000.000001000', 'walk_ret: (a+0x0/0x8 <- ptdump_walk_pgd)'),
      at('<idle>-0', 0, '1700000000.000001001', 'e: y'),
    ].join('\n'),
  );
  const { traceEvents: all, otherData } = chrome(trace);
  expect(chromeBreaches(textOf(trace))).toEqual([]);
  expect(all.filter((e) => e.tid === 7 && e.ph !== 'M').map((e) => [e.ph, e.name])).toEqual([
    ['B', 'ptdump walk'], ['B', 'lock contention'], ['E', 'lock contention'], ['E', 'ptdump walk'],
  ]); // biome-ignore format: a table
  expect(textOf(trace)).toMatch(/"ts":0\.001,/);
  expect(otherData).toMatchObject({ ts_origin_ns: '1700000000000000000', lost: 3, seen: 6 });
  expect(new Set(all.filter((e) => e.name === 'e').map((e) => e.tid)).size).toBe(2);
  expect(all).toContainEqual(
    expect.objectContaining({ ph: 'M', name: 'thread_name', args: { name: 'swapper/1' } }),
  );
  expect(all.find((e) => e.name === 'lock contention' && e.ph === 'E')?.args['ret']).toBe(-4);
  const gap = all.find((e) => e.name === '3 events missing')!;
  expect(gap.ph).toBe('X');
  expect(gap.dur).toBeCloseTo(0.297, 0);
});

test('empty tables come back empty', async () => {
  for (const [format, write] of Object.entries(writers)) {
    const path = join(folder, `empty.${format}`);
    write(traceOf([]), path);
    expect((await openTrace(path)).meta.seen, format).toBe(0);
  }
});
