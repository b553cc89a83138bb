// Lines that a mail or a page holds, longer or in more pieces than most.
import { expect, test } from 'vitest';
import { memoryWriter } from '../../src/events/file.js';
import { newMeta } from '../../src/events/meta.js';
import { inputOf } from '../../src/importers/importer.js';
import { importers } from '../../src/importers/index.js';
import { readFtrace, rowsOf } from '../traces.js';

const head = '            bash-12      [001] .....    12.000001: ';
const long = `tracing_mark_write: ${'x'.repeat(9000)}END`;

test.each([
  ['quoted', `> ${head}${long}\n`],
  ['on a console', `[   12.000000] ${head}${long}\n`],
  ['in a page', `<html>\n<script class="trace-data">\n${head}${long}\n</script>\n</html>\n`],
])('the text of a long line is kept to its end: %s', async (_, text) => {
  const trace = await readFtrace(text);
  const [row] = rowsOf(trace);
  expect(String(row!['detail']).endsWith('xEND')).toBe(true);
  expect(trace.meta.unparsed.lines).toBe(0);
});

test('a field that a mailer put into the next line belongs to an event that lacks it', async () => {
  const line = '> '.concat(head, 'vfree: (vfree+0x0/0x270)');
  const trace = await readFtrace(`${line}\n> addr=0xffff800080da8000\n${line}\n> that is all\n`);
  const rows = rowsOf(trace);
  expect(rows.map((r) => r['va'])).toEqual([0xffff800080da8000n, undefined]);
  expect(trace.meta.unparsed.lines).toBe(1);
});

test('of a line longer than a megabyte the rest is left out, and that is said', async () => {
  const endless = `${head}tracing_mark_write: ${'x'.repeat(3 << 20)}\n`;
  const trace = await readFtrace(
    `${head}tracing_mark_write: a\n${endless}${head}tracing_mark_write: b\n`,
  );
  expect(trace.meta.seen).toBe(3);
  expect(trace.meta.unparsed).toMatchObject({ lines: 1, samples: [{ line: 2 }] });
});

test.each([
  ['dmesg', (x: string) => `[    1.000000] ${x}\n`],
  ['perf-script', (x: string) => `bash 12 [001] 12.000001: probe:${x}: (0)\n`],
  ['bpftrace', (x: string) => `@[${x}]: 1\n`],
] as const)('a line too long for %s is counted', async (format, line) => {
  const meta = newMeta('x', format);
  const writer = memoryWriter(meta);
  const bytes = new TextEncoder().encode(line('short') + line('x'.repeat(40_000)) + line('next'));
  await importers[format].read(inputOf('x', bytes), writer.log, meta);
  expect(writer.log.total).toBeGreaterThanOrEqual(2);
  expect(meta.unparsed).toMatchObject({ lines: 1, samples: [{ line: 2 }] });
});

test('more names of events than are remembered', async () => {
  const names = Array.from({ length: 40_000 }, (_, i) => (i % 3 === 0 ? 'vfree' : `event_${i}`));
  const trace = await readFtrace(names.map((n) => `${head}${n}: x=1\n`).join(''));
  expect(rowsOf(trace).map((r) => r['event'])).toEqual(names);
});

test('a trace that is indented as a whole keeps what its header says', async () => {
  const lines = [
    '# tracer: nop',
    '#',
    '# entries-in-buffer/entries-written: 2/7   #P:4',
    '#',
    `${head}vfree: x`,
    `${head}vfree: y`,
  ];
  const { meta } = await readFtrace(
    `As I said:\n\n${lines.map((l) => `    ${l}\n`).join('')}\nwhich is it.\n`,
  );
  expect(meta).toMatchObject({ seen: 2, stated: 2, lost: 5, cpus: 4, unparsed: { lines: 2 } });
});
