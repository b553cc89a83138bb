// Jupyter's own Python programs against the kernel: they are skipped where they are not installed.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../source.js';
import { lacking, python } from './needs.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-jupyter-'));
const env = { ...process.env, JUPYTER_PATH: join(folder, 'share/jupyter') };
const notebooks = readdirSync(join(root, 'notebooks')).filter((f) => f.endsWith('.ipynb'));

beforeAll(() => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'dist/cli.js'), 'kernel', 'install', '--prefix', folder],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const tslab = join(env.JUPYTER_PATH, 'kernels/tslab');
  mkdirSync(tslab);
  const bin = join(root, 'node_modules/tslab/bin/tslab');
  const argv = [process.execPath, bin, 'kernel', '--config-path={connection_file}'];
  writeFileSync(
    join(tslab, 'kernel.json'),
    JSON.stringify({ argv, display_name: 'tslab', language: 'typescript' }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  spawnSync(python, args, { env, encoding: 'utf8', maxBuffer: 1e8 });

const noClient = lacking('jupyter_client');
for (const [script, about] of [
  ['conformance.py', 'the messaging specification, asked through jupyter_client'],
  ['suite.py', 'the steps of the conformance suite, and two clients at once'],
] as const)
  test.skipIf(noClient)(`${about}${noClient}`, () => {
    const { stdout, stderr } = run(join(root, 'test/notebook', script), env.JUPYTER_PATH);
    const bad = stdout.split('\n').filter((l) => l.startsWith('FAIL'));
    expect(bad).toEqual([]);
    expect(stdout, stderr).toMatch(/\n0 failed\n/);
  });

const execute = `
import sys, os, nbformat
from nbclient import NotebookClient
nb = nbformat.read(sys.argv[1], 4)
NotebookClient(nb, timeout=240, kernel_name=sys.argv[2], resources={'metadata': {'path': os.path.dirname(sys.argv[1])}}).execute()
nbformat.validate(nb)
charts = sum(1 for c in nb.cells if c.cell_type == 'code' for o in c.outputs if 'image/png' in o.get('data', {}))
print('charts', charts)
`;

const noNbclient = lacking('nbclient');
for (const kernel of ['ptlab', 'tslab'])
  for (const name of notebooks)
    test.skipIf(noNbclient)(`nbclient runs ${name} with ${kernel}${noNbclient}`, () => {
      const file = join(root, 'notebooks', name);
      const { status, stdout, stderr } = run('-c', execute, file, kernel);
      expect(status, stderr).toBe(0);
      // every call of plot() has made a chart
      const cells = JSON.parse(readFileSync(file, 'utf8')).cells as { source: string[] }[];
      const calls = cells.flatMap((c) => [...c.source].join('').match(/await plot\(/g) ?? []);
      expect(Number(/charts (\d+)/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(calls.length);
    });

const noNbconvert = lacking('nbconvert');
test.skipIf(noNbconvert)(`nbconvert runs a notebook from another folder${noNbconvert}`, () => {
  mkdirSync(join(folder, 'notebooks'));
  symlinkSync(join(root, 'data'), join(folder, 'data'));
  const name = '03-table-overwrites.ipynb';
  cpSync(join(root, 'notebooks', name), join(folder, 'notebooks', name));
  const { status, stderr } = run(
      '-m', 'nbconvert', '--to', 'html', '--execute', join(folder, 'notebooks', name),
      '--ExecutePreprocessor.kernel_name=ptlab', '--output-dir', folder,
    ); // biome-ignore format: a command line
  expect(status, stderr).toBe(0);
  const html = readFileSync(join(folder, name.replace('.ipynb', '.html')), 'utf8');
  expect(html.match(/<svg/g)?.length).toBeGreaterThanOrEqual(3);
  expect(html).toContain('page tables overwritten in');
});

const evil = '</script><img src=x onerror=alert(1)>\x1b[31mred\x1b]0;t\x07\r\nBcc: evil@x';

/** A notebook whose every output holds `evil`, as a comm out of a trace may do. */
function hostile(file: string): void {
  const sources = [
    "let trace: string = '';",
    `const evil = ${JSON.stringify(evil)};\nconsole.log(evil); console.error(evil);`,
    "import { display, plot } from 'ptlab';\nimport { table } from 'arquero';\nawait display(table({ [evil]: [evil] }));",
    "const head = { what: evil, unit: 'n', n: 1 };\nawait plot({ $schema: 'https://vega.github.io/schema/vega-lite/v6.json', title: evil, data: { values: [{ comm: evil, n: 2 }] }, mark: 'bar', encoding: { x: { field: 'comm', type: 'nominal' }, y: { field: 'n', type: 'quantitative' } }, usermeta: { ptlab: { shape: 'bars', head, command: ['ptlab'] } } });",
    'evil',
    'throw new Error(evil);',
  ];
  const cells = sources.map((source, i) => ({
    cell_type: 'code', metadata: i === 0 ? { tags: ['parameters'] } : {}, source, outputs: [], execution_count: null,
  })); // biome-ignore format: one record
  const metadata = { kernelspec: { name: 'ptlab' } };
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 2, metadata, cells }));
}

const noNbformat = lacking('nbclient');
test.skipIf(noNbformat)(
  `hostile names: executed copies are valid, and text all over${noNbformat}`,
  () => {
    const place = join(folder, 'hostile');
    mkdirSync(place);
    hostile(join(place, 'evil.ipynb'));
    for (const name of ['a<script>.txt', 'b\x1b[31m.txt']) writeFileSync(join(place, name), 'x');
    const words = [
      'run',
      'evil.ipynb',
      '-p',
      'trace=*.txt',
      '-o',
      'out',
      '--html',
      '--charts',
      'charts',
    ];
    const { stdout, status } = spawnSync(
    process.execPath, [join(root, 'dist/cli.js'), ...words], { cwd: place, encoding: 'utf8' },
  ); // biome-ignore format: a command line
    expect(status).toBe(1);
    expect(stdout).toMatch(/^[\x20-\x7e\n]*$/);
    const names = readdirSync(join(place, 'out'));
    expect(names.join('')).toMatch(/^[\x20-\x7e]*$/);
    const copies = names.filter((n) => n.endsWith('.ipynb')).map((n) => join(place, 'out', n));
    expect(copies).toHaveLength(2);
    const check =
      'import nbformat, sys\nfor f in sys.argv[1:]: nbformat.validate(nbformat.read(f, 4))';
    expect(run('-c', check, ...copies).stderr).toBe('');
    const texts = [
    ...names.filter((n) => n.endsWith('.html')).map((n) => join('out', n)),
    ...readdirSync(join(place, 'charts')).filter((n) => n.endsWith('.svg')).map((n) => join('charts', n)),
  ].map((n) => readFileSync(join(place, n), 'utf8')); // biome-ignore format: a list
    expect(texts).toHaveLength(5);
    for (const bad of ['<script', '<img src=x', '\x1b', '\x07', '\r'])
      expect(texts.filter((t) => t.includes(bad)).map((t) => t.slice(0, 200))).toEqual([]);
  },
);
