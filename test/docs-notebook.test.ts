// The examples of docs/notebook-helpers.md, run as cells in order: each shows what stands under it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Output, readNotebook } from '../src/notebook/nbformat.js';
import { root } from './source.js';

const doc = readFileSync(join(root, 'docs/notebook-helpers.md'), 'utf8');
const examples = [...doc.matchAll(/^```ts\n(.*?)^```\n```text\n(.*?)^```$/gms)].map(
  ([, source = '', output = '']) => ({ source, output }),
);

const shown = (o: Output): string =>
  o.output_type === 'stream'
    ? o.text
    : o.output_type === 'error'
      ? `${o.ename}: ${o.evalue}\n`
      : `${String(o.data['text/plain']).trimEnd()}\n`;

test('every example of docs/notebook-helpers.md gives what stands under it', () => {
  expect(examples.length).toBeGreaterThan(5);
  expect(doc.match(/^```ts$/gm)).toHaveLength(examples.length);
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-docs-'));
  symlinkSync(join(root, 'data'), join(folder, 'data'));
  const cells = examples.map(({ source }, i) => ({
    cell_type: 'code', id: `c${i}`, metadata: {}, source, outputs: [], execution_count: null,
  })); // biome-ignore format: one record
  const metadata = { kernelspec: { name: 'ptlab' } };
  const nb = join(folder, 'nb.ipynb');
  writeFileSync(nb, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
  const out = join(folder, 'out.ipynb');
  spawnSync(process.execPath, [join(root, 'dist/cli.js'), 'run', nb, '-o', out, '--allow-errors']);
  const notebook = readNotebook(out);
  rmSync(folder, { recursive: true });
  const got = notebook.cells.map((c, i) => ({
    source: examples[i]?.source,
    output: (c.outputs ?? []).map(shown).join(''),
  }));
  expect(got).toEqual(examples);
});
