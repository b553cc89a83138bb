import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFtrace, rowsOf } from '../traces.js';
import { lineOf, rowsFor, styles } from './ftrace-writer.js';

test('text written from a table, in any set of columns, and read again is the same table', async () => {
  const drawn = styles.chain((style) => fc.tuple(fc.constant(style), rowsFor(style)));
  await fc.assert(
    fc.asyncProperty(drawn, fc.integer({ min: 1, max: 4096 }), async ([style, rows], size) => {
      const twice = [...rows, ...rows].map((r, seq) => ({ ...r, seq })); // heads seen before are read faster
      const text = twice.map((r) => lineOf(r, style) + style.newline).join('');
      const trace = await readFtrace(text, size);
      expect(trace.meta.unparsed.lines).toBe(0);
      expect(rowsOf(trace)).toEqual(twice);
    }),
    { numRuns: 300 },
  );
});
