// Lines that a mail or a page holds, longer or in more pieces than most.
import { expect, test } from 'vitest';
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
