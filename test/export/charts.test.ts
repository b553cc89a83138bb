// Every chart of ptlab over every sample of data/: fit for a mail as text, and drawn whole.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { charts } from '../../src/charts/index.js';
import { chartSpec } from '../../src/commands/charts.js';
import { compareBodies, pastedBlocks } from '../../src/commands/pasted.js';
import { toSvg } from '../../src/export/image.js';
import { toText } from '../../src/export/text.js';
import { openTrace } from '../../src/importers/open.js';
import { root } from '../source.js';

const samples = readdirSync(join(root, 'data'), { withFileTypes: true })
  .filter((d) => d.isDirectory())
  .map((d) => d.name);

describe.each(samples)('the charts of data/%s', (name) => {
  test('as text and as pictures', async () => {
    const path = join('data', name, 'trace.txt.gz');
    const trace = await openTrace(join(root, path));
    for (const chart of Object.keys(charts)) {
      const spec = chartSpec(chart, trace, path);
      const text = toText(spec);
      const lines = text.split('\n');
      expect(
        lines.filter((l) => !/^[\x20-\x7e]{0,72}$/.test(l) || / $/.test(l)),
        chart,
      ).toEqual([]);
      expect(
        lines.filter((l) => /^(From |-- |---|>|diff )/.test(l)),
        chart,
      ).toEqual([]);
      expect(lines.length, chart).toBeLessThan(45);
      const [block] = pastedBlocks(text);
      expect(block?.command).toEqual(['ptlab', 'chart', chart, path]);
      expect(block?.sha256).toBe(trace.meta.sha256?.slice(0, 12));
      expect(compareBodies(block!.body, block!.body).changes).toEqual([]);
      expect(await toSvg(spec), chart).toMatch(/^<svg [\s\S]*<\/svg>$/);
    }
  });
});
