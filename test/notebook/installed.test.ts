// ptlab as npm installs it, and notebooks anywhere: what cells import is found, with its types.
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

const folder = mkdtempSync(join(tmpdir(), 'ptlab-installed-'));
const modules = join(folder, 'project/node_modules');
const home = join(modules, 'ptlab');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `npm pack` would publish, unpacked; its dependencies are linked beside it. */
beforeAll(() => {
  mkdirSync(home, { recursive: true });
  const env = { ...process.env, npm_config_cache: join(folder, 'cache') };
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const packed = spawnSync('npm', args, { cwd: root, env, encoding: 'utf8' });
  expect(packed.status, packed.stderr).toBe(0);
  const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '');
  expect(spawnSync('tar', ['xzf', tarball, '-C', home, '--strip-components=1']).status).toBe(0);
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== 'ptlab' && !name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
});

const { lines: events } = JSON.parse(
  readFileSync(join(root, 'data/A-boot-smp1/truth.json'), 'utf8'),
) as { lines: number };
const cells = [
  "import { chart, infoOf, load } from 'ptlab';\nimport { table } from 'arquero';",
  'const t = await load(process.env.PTLAB_TEST_TRACE!);\nconst { events, unparsed } = infoOf(t);',
  'const n: number = events + unparsed.lines;\nconsole.log(n, table({ a: [1] }).numRows());',
];
/** A table of another package, whose type the next cell must know by a name. */
const rows = [
  "import { trace } from 'ptlab';\nawait trace.load(process.env.PTLAB_TEST_TRACE!);\nconst rows = trace.table('alloc_vmap_area');",
  "const some: number = rows.groupby('task').count().numRows();",
];
const wrong = 'const text: string = infoOf(t).events;';

function run(where: string, kernel: string, sources: string[]) {
  mkdirSync(where, { recursive: true });
  const nb = {
    nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: kernel } },
    cells: sources.map((source, i) => ({
      cell_type: 'code', id: `c${i}`, metadata: {}, source, outputs: [], execution_count: null,
    })),
  }; // biome-ignore format: one record
  writeFileSync(join(where, 'nb.ipynb'), JSON.stringify(nb));
  const trace = join(root, 'data/A-boot-smp1/trace.txt.gz');
  const r = spawnSync(
    process.execPath,
    [join(home, 'dist/cli.js'), 'run', 'nb.ipynb', '-o', 'out.ipynb'],
    { cwd: where, encoding: 'utf8', env: { ...process.env, PTLAB_TEST_TRACE: trace } },
  );
  return { ...r, out: readFileSync(join(where, 'out.ipynb'), 'utf8') };
}

test('ptlab: in the project, with types', () => {
  const r = run(join(folder, 'project/mine'), 'ptlab', [...cells, ...rows, wrong]);
  expect(r.stdout).toContain("cell 6, line 1: CompileError: Type 'number' is not");
  expect(r.out).toContain(`${events} 1\\n`);
});

for (const kernel of ['ptlab', 'tslab'])
  test(`${kernel}: in a folder that knows nothing of it`, () => {
    const r = run(join(folder, 'elsewhere', kernel), kernel, [...cells, ...rows]);
    expect(r.status, r.stdout).toBe(0);
    expect(r.out).toContain(`${events} 1\\n`);
  });

test('tslab: in a folder with a tslab of its own, to which the first hands over', () => {
  const mine = join(folder, 'own/node_modules');
  mkdirSync(mine, { recursive: true });
  for (const name of readdirSync(modules))
    if (name !== 'tslab') symlinkSync(join(modules, name), join(mine, name));
  cpSync(join(root, 'node_modules/tslab'), join(mine, 'tslab'), { recursive: true });
  const plot =
    "import { display } from 'ptlab';\nawait display({ $schema: 'vega-lite/v6', data: { values: [] }, mark: 'bar' });";
  const r = run(join(folder, 'own'), 'tslab', [plot]);
  expect(r.status, r.stdout).toBe(0);
  expect(r.out).toContain('"image/png"');
});
