import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { importCommand } from '../../src/commands/import.js';
import { needs } from '../../src/commands/recipes.js';
import { record } from '../../src/commands/record.js';
import { memoryWriter } from '../../src/events/file.js';
import { ftracePieces } from '../../src/events/format.js';
import {
  addRow,
  setBool,
  setDict,
  setF64,
  setInt,
  setText,
  setU64,
  setVa,
} from '../../src/events/log.js';
import { newMeta } from '../../src/events/meta.js';
import { shapes } from '../../src/events/shapes.js';
import type { Trace } from '../../src/events/trace.js';
import { openTrace, openTraces } from '../../src/importers/open.js';
import { chromeBreaches } from '../events/chrome-rules.js';
import { readFtrace, rowsOf, sample } from '../traces.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-convert-'));
const source = sample('A-x2b');
const context = { note() {}, progress: () => ({ update() {}, stop() {} }) };

async function convert(to: string, files = [source]): Promise<string> {
  const out = join(folder, `x.${to}`);
  await importCommand.run!(files, { to, output: out }, context);
  return out;
}

const figures = ({ meta }: Trace) => [meta.seen, meta.stated, meta.lost, meta.cpus];

test('arrow, parquet, csv and ftrace text give the same table again', async () => {
  const want = await openTrace(source);
  for (const to of ['arrow', 'parquet', 'csv', 'ftrace']) {
    const got = await openTrace(await convert(to));
    expect(rowsOf(got), to).toEqual(rowsOf(want));
    expect(figures(got), to).toEqual(figures(want));
  }
});

test('Parquet as another reader sees it: exact 64-bit numbers, and what is known of the trace', async () => {
  const bytes = readFileSync(await convert('parquet'));
  const file = { byteLength: bytes.length, slice: async (a: number, b?: number) => new Uint8Array(bytes.subarray(a, b)).buffer };
  const rows = await parquetReadObjects({ file });
  const want = rowsOf(await openTrace(source));
  expect(rows.length).toBe(want.length);
  for (const i of [0, 1000, want.length - 1]) {
    const got = Object.fromEntries(Object.entries(rows[i]!).filter(([, v]) => v !== null));
    expect({ ...got, ts_ns: BigInt(got['ts_ns']) }).toEqual(want[i]);
  }
}); // biome-ignore format: long lines

test("Chrome's JSON is JSON, has every event, and names its threads", async () => {
  const text = readFileSync(await convert('perfetto'), 'utf8');
  expect(chromeBreaches(text)).toEqual([]);
  const trace = JSON.parse(text);
  const want = await openTrace(source);
  const events = trace.traceEvents.filter((e: { ph: string }) => e.ph !== 'M');
  expect(events.length).toBe(want.meta.seen);
  expect(trace.traceEvents).toContainEqual(
    expect.objectContaining({ ph: 'M', name: 'thread_name', args: { name: 'vmix/0' } }),
  );
  expect(trace.otherData.sha256).toBe(want.meta.sha256);
});

test('an Arrow file of another tool is read by its columns; one without them says what it lacks', async () => {
  const table = tableFromIPC(readFileSync(await convert('arrow')));
  const plain = join(folder, 'plain.arrow');
  table.schema.metadata.clear();
  writeFileSync(plain, tableToIPC(table, 'file'));
  expect(rowsOf(await openTrace(plain))).toEqual(rowsOf(await openTrace(source)));
  const bare = join(folder, 'bare.arrow');
  writeFileSync(bare, tableToIPC(table.select(['cpu', 'pid']), 'stream'));
  await expect(openTrace(bare)).rejects.toThrow(
    /bare\.arrow: a table without a column 'ts_ns'; it has cpu, pid/,
  );
});

const has = (tool: string): boolean => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

for (const [tool, ending] of [
  ['xz', 'xz'],
  ['zstd', 'zst'],
] as const) {
  test.skipIf(!has(tool))(`.${ending} is unpacked (skipped without ${tool})`, async () => {
    const text = join(folder, `t-${ending}.txt`);
    writeFileSync(text, gunzipSync(readFileSync(source)));
    execFileSync(tool, ['-q', '-f', '-k', text]);
    const packed = `${text}.${ending}`;
    expect(rowsOf(await openTrace(packed))).toEqual(rowsOf(await openTrace(source)));
    const half = join(folder, `half.${ending}`);
    const bytes = readFileSync(packed);
    writeFileSync(half, bytes.subarray(0, bytes.length - 40));
    const cut = await openTrace(half).catch((e: Error) => e);
    if (cut instanceof Error) expect(cut.message).toMatch(new RegExp(`half.${ending}: `));
    else expect(cut.meta.notes.join()).toMatch(/unpacking .* stopped near byte/);
  });
}

test('a pipe is read like any file; a directory is said to be one', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writer = spawn('sh', ['-c', 'cat "$1" > "$2"', '-', source, pipe]);
  const trace = await openTrace(pipe);
  expect(rowsOf(trace)).toEqual(rowsOf(await openTrace(source)));
  writer.kill();
  await expect(openTrace(folder)).rejects.toThrow(/a directory, not a file/);
});

test('several files are merged by time, with their names', async () => {
  const at = (seconds: string, event: string) =>
    `              sh-1       [000] .....     ${seconds}: ${event}: x\n`;
  const files = ['one', 'two'].map((n) => join(folder, `${n}.txt.gz`));
  writeFileSync(
    files[0]!,
    gzipSync(at('1.000000', 'a') + at('3.000000', 'c') + at('2.500000', 'late')),
  );
  writeFileSync(files[1]!, gzipSync(at('2.000000', 'b') + at('3.000000', 'd')));
  const trace = await openTraces(files);
  expect(rowsOf(trace).map((r) => [r['event'], r['source'], r['seq']])).toEqual([
    ['a', 'one.txt.gz', 0],
    ['b', 'two.txt.gz', 1],
    ['late', 'one.txt.gz', 2],
    ['c', 'one.txt.gz', 3],
    ['d', 'two.txt.gz', 4],
  ]);
  const again = await openTrace(await convert('arrow', files));
  expect(rowsOf(again)).toEqual(rowsOf(trace));
});

const names = Object.keys(shapes);
const u64 = fc.oneof(fc.bigInt(0n, (1n << 64n) - 1n), fc.bigInt(0n, 100n));
const word = fc.stringMatching(/^[a-z][a-z0-9_+/|]{0,12}$/);

/** A row of a known event with random values in its columns, as the importers would set them. */
const knownRow = fc.record({
  name: fc.constantFrom(...names),
  values: fc.array(u64, { minLength: 8, maxLength: 8 }),
  text: word,
  ns: fc.bigInt(0n, (1n << 62n) - 1n),
  task: fc.stringMatching(/^[a-zA-Z][\w:/ -]{0,13}[a-z]$/),
  pid: fc.integer({ min: 0, max: 0x7fffffff }),
  cpu: fc.integer({ min: 0, max: 65535 }),
  tgid: fc.option(fc.integer({ min: 0, max: 1 << 22 }), { nil: undefined }),
});

test('known events written as text and read again are the same table', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(knownRow, { minLength: 1, maxLength: 20 }), async (list) => {
      const meta = newMeta('test', 'ftrace');
      const w = memoryWriter(meta);
      for (const r of list) {
        addRow(w.log, Number(r.ns >> 32n), Number(r.ns & 0xffffffffn), w.log.dicts.event.intern(r.name));
        setInt(w.log, 'cpu', r.cpu);
        setInt(w.log, 'pid', r.pid);
        setDict(w.log, 'task', r.task);
        setDict(w.log, 'flags', 'd.h2.');
        if (r.tgid !== undefined) setInt(w.log, 'tgid', r.tgid);
        for (const [i, f] of shapes[r.name]!.fields.entries()) {
          const v = r.values[i]!;
          const [hi, lo] = [Number(v >> 32n), Number(v & 0xffffffffn)];
          if (f.kind === 's') setDict(w.log, f.column as 'at', f.column === 'at' ? `${r.text}+0x0/0x48` : r.text);
          else if (f.kind === 'w') setDict(w.log, 'lock_mode', v & 1n ? 'write' : 'read');
          else if (f.kind === '!' || f.kind === 'f' || f.kind === 't') setBool(w.log, f.column as 'ok', (v & 1n) === 1n);
          else if (f.column === 'va') setVa(w.log, hi, lo);
          else if (f.column === 'vm_flags') setInt(w.log, 'vm_flags', lo);
          else if (['size_bytes', 'align_bytes', 'count', 'limit'].includes(f.column)) setF64(w.log, f.column as 'count', Number(v >> 11n));
          else setU64(w.log, f.column as 'entry', hi, lo);
        }
      }
      const trace = w.finish(meta);
      expect(rowsOf(await readFtrace([...ftracePieces(trace)].join('')))).toEqual(rowsOf(trace));
    }),
    { numRuns: 200 },
  );
}); // biome-ignore format: long lines

test('other events, prints, marks, stacks and syscalls too', async () => {
  const head = '              sh-1       [000] .....     1.000000: ';
  const text = [
    'my_event: a=1 b="x"', 'tracing_mark_write: MARK x: y', '0xffff800078ae040c: v op=1', 'f+0x1/0x2: p',
    'kfree <-foo', 'my_probe: (kfree+0x0/0x10) x=1', 'bare_probe: (kfree+0x0/0x10)', 'empty:',
    'sys_read(fd: 3)', 'sys_read -> 0xfffffffffffffff2', '<stack trace>\n => a\n => b', 'after: x',
  ].map((t) => head + t).join('\n'); // biome-ignore format: a table
  const trace = await readFtrace(text);
  expect(rowsOf(await readFtrace([...ftracePieces(trace)].join('')))).toEqual(rowsOf(trace));
});

test('a text with newlines cannot forge a line', async () => {
  const meta = newMeta('test', 'ftrace');
  const w = memoryWriter(meta);
  addRow(w.log, 0, 5000, w.log.dicts.event.intern('tracing_mark_write'));
  setText(w.log, 'detail', 'x\n              sh-1       [000] .....     1.000000: forged: 1');
  const again = await readFtrace([...ftracePieces(w.finish(meta))].join(''));
  expect(rowsOf(again).map((r) => r['event'])).toEqual(['tracing_mark_write']);
});

test('record prints POSIX shell that parses, quotes names, and knows what a kernel has', async () => {
  const run = (options: object, recipe = 'sleep-costs') =>
    record.run(
      [recipe],
      { kernel: '6.12', by: 'tracefs', seconds: '5', bufferKb: '1024', ...options },
      context,
    );
  for (const by of ['tracefs', 'trace-cmd']) {
    const hostile = `x'; touch ${join(folder, 'owned')}; '`;
    const { text } = await run({ by, command: hostile, output: hostile });
    execFileSync('sh', ['-n'], { input: text });
    expect(text.match(/touch/g)!.length).toBeGreaterThan(1);
    expect(text).not.toMatch(/^touch|[^'\\]; touch/m);
    for (const kernel of ['5.10', '6.1', '6.6', '6.12', '6.19', '7.2'])
      for (const recipe of Object.keys(needs)) {
        const script = (await run({ by, kernel }, recipe)).text;
        execFileSync('sh', ['-n'], { input: script });
        expect(script.split('\n').filter((l) => !/^[\x20-\x7e]{0,72}$/.test(l))).toEqual([]);
        expect(script).toMatch(/\[ ! -e "\$out" \]/); // no file of the user is overwritten
        expect(script).not.toMatch(
          /> "\$t\/(trace|events|kprobe_events|tracing_on)\b[^"]*"$(?<!>> .*)/m,
        );
      }
  }
  const probes = async (kernel: string) =>
    ((await run({ kernel }, 'race-windows')).json as { probes: string[] }).probes.join('\n');
  expect(await probes('6.8')).toMatch(/__vmalloc_node_range size/);
  expect(await probes('6.12.117')).toMatch(/__vmalloc_node_range_noprof size/);
  expect(await probes('6.12.117')).toMatch(/static_key_enable/);
  expect(await probes('6.19')).toMatch(/key_en static_key_slow_inc/);
  expect(await probes('7.2')).not.toMatch(/key_/);
  expect((await run({ kernel: '5.4' })).text).toMatch(
    /# This kernel has no lock\/contention_begin/,
  );
  await expect(run({ kernel: 'x' })).rejects.toThrow(/'x' is no kernel release/);
});
