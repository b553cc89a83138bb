// `ptlab run` in the hard cases, with our kernel and with tslab.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { plan } from '../../src/commands/run-jobs.js';
import { writeIndex } from '../../src/notebook/html.js';
import { root } from '../source.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const cli = join(root, 'dist/cli.js');
let made = 0;

type Source = string | { source: string; tags?: string[]; type?: string };

function notebook(sources: Source[], kernel = 'ptlab'): string {
  const cells = sources.map((s) => {
    const { source, tags = [], type = 'code' } = typeof s === 'string' ? { source: s } : s;
    const code = type === 'code' ? { outputs: [], execution_count: null } : {};
    return { cell_type: type, metadata: tags.length ? { tags } : {}, source, ...code };
  });
  const metadata = { kernelspec: { name: kernel, display_name: kernel, language: 'typescript' } };
  const file = join(folder, `nb${++made}.ipynb`);
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells }));
  return file;
}

const ptlab = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder, encoding: 'utf8', maxBuffer: 1e9,
  }); // biome-ignore format: one record
  return { status, stdout, stderr };
};

/** Begin `ptlab run nb -o output`; `until` asks again and again as long as it runs. */
function start(nb: string, output: string) {
  const run = spawn(process.execPath, [cli, 'run', nb, '-o', output], { cwd: folder });
  let said = '';
  let over = false;
  for (const s of [run.stdout, run.stderr])
    s.on('data', (b) => {
      said += b;
    });
  const code = once(run, 'close').then(([c]) => {
    over = true;
    return c as number;
  });
  const until = async <T>(test: () => T | undefined | false): Promise<T> => {
    for (;;) {
      const last = over;
      const got = test();
      if (got) return got;
      if (last) throw new Error(`the run ended before: ${said}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  /** What the first cell has shown by now. */
  const text = () => (existsSync(join(folder, output)) ? textOf(read(output).cells[0]) : '');
  return { code, until, text, said: () => said };
}

// biome-ignore lint/suspicious/noExplicitAny: a notebook as it stands in the file
const read = (file: string): any => JSON.parse(readFileSync(join(folder, file), 'utf8'));
// biome-ignore lint/suspicious/noExplicitAny: see above
const textOf = (cell: any): string =>
  // biome-ignore lint/suspicious/noExplicitAny: see above
  cell.outputs.map((o: any) => (o.text ?? o.traceback ?? []).join('')).join('');

const params = {
  source: "let n: number = 3;\nlet who: string = '7';\nlet deep = { a: [1] };",
  tags: ['parameters'],
};

describe('parameters', () => {
  test('get the types of their defaults, and stand in a cell of their own', () => {
    writeFileSync(join(folder, 'v.yaml'), 'n: 9\nwho: "x: y"\n');
    const nb = notebook([params, 'console.log(typeof n, n, typeof who, who, deep)']);
    const r = ptlab(
      'run',
      nb,
      '-f',
      'v.yaml',
      '-p',
      'n=5',
      'deep={"a":[2,"<b>"]}',
      '-o',
      'p.ipynb',
    );
    expect(r).toMatchObject({ status: 0 });
    const out = read('p.ipynb');
    expect(out.nbformat_minor).toBe(5);
    expect(new Set(out.cells.map((c: { id: string }) => c.id)).size).toBe(3);
    expect(out.cells[1].metadata.tags).toEqual(['injected-parameters']);
    expect(textOf(out.cells[2])).toBe("number 5 string x: y { a: [ 2, '<b>' ] }\n");
    expect(out.metadata.papermill).toMatchObject({
      parameters: { n: 5, who: 'x: y', deep: { a: [2, '<b>'] } },
      default_parameters: { n: 3, who: '7', deep: { a: [1] } },
      exception: null,
    });
    expect(out.cells[2].metadata.papermill).toMatchObject({
      status: 'completed',
      exception: false,
    });
  });

  test('a wrong name, a wrong value: nothing is run, the known ones are listed', () => {
    const nb = notebook([params]);
    const wrong = ptlab('run', nb, '-p', 'm=1', '-o', 'never.ipynb');
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain("no parameter 'm'. Known: n, who, deep");
    expect(ptlab('run', nb, '-p', 'n=x', '-o', 'never.ipynb').stderr).toContain(
      "parameter n: a number wanted, 'x' given",
    );
    expect(existsSync(join(folder, 'never.ipynb'))).toBe(false);
  });

  test('go first of all where no cell is tagged; a file of the user is not overwritten', () => {
    const nb = notebook([{ source: '# title', type: 'markdown' }, 'console.log(n + 1)']);
    const base = `nb${made}`;
    writeFileSync(join(folder, `${base}.out.ipynb`), 'mine');
    expect(ptlab('run', nb, '-p', 'n=41').stdout).toContain(`${base}.out-2.ipynb`);
    expect(readFileSync(join(folder, `${base}.out.ipynb`), 'utf8')).toBe('mine');
    const { cells } = read(`${base}.out-2.ipynb`);
    expect(cells[0].metadata.tags).toEqual(['injected-parameters']);
    expect(textOf(cells[2])).toBe('42\n');
  });

  test('a trace is found from where the command was given; a glob makes a copy for each', () => {
    mkdirSync(join(folder, 'd', 'nb'), { recursive: true });
    for (const name of ['a.txt', 'b.txt']) writeFileSync(join(folder, 'd', name), name);
    const source = "let trace: string = '';";
    const nb = notebook([
      { source, tags: ['parameters'] },
      "import { readFileSync } from 'node:fs';\nconsole.log(readFileSync(trace, 'utf8'))",
    ]);
    const r = ptlab('run', nb, '-p', 'trace=d/*.txt', '-o', 'several', '--html');
    expect(r.status).toBe(0);
    const base = `nb${made}`;
    expect(readdirSync(join(folder, 'several')).sort()).toEqual(
      ['index.html', `${base}-a.html`, `${base}-a.ipynb`, `${base}-b.html`, `${base}-b.ipynb`],
    ); // biome-ignore format: a list
    expect(textOf(read(`several/${base}-b.ipynb`).cells[2])).toBe('b.txt\n');
    expect(readFileSync(join(folder, 'several/index.html'), 'utf8')).toContain(`${base}-a.html`);
    writeFileSync(join(folder, 't.yaml'), 'trace:\n  - d/b*.txt\n  - d/a.txt\n');
    expect(ptlab('run', nb, '-f', 't.yaml', '-o', 'listed').stdout).toContain('all of them');
    expect(textOf(read(`listed/${base}-b.ipynb`).cells[2])).toBe('b.txt\n');
  });
});

test('a notebook that was to be run is never written over, nor an index page of the user', () => {
  const nb = notebook(['1']);
  const values = {};
  const [job] = plan([{ notebook: nb, values }], relative(process.cwd(), folder));
  expect(basename(job!.output)).toBe(`${basename(nb, '.ipynb')}-2.ipynb`);
  const site = join(folder, 'site');
  mkdirSync(site);
  writeFileSync(join(site, 'index.html'), 'mine');
  expect(writeIndex([], site, false)).toBe(join(site, 'index-2.html'));
  expect(writeIndex([], site, false)).toBe(join(site, 'index-2.html'));
  expect(readFileSync(join(site, 'index.html'), 'utf8')).toBe('mine');
});

describe('what goes wrong', () => {
  test('a failed cell: outputs so far are kept, cell and line are named', () => {
    const nb = notebook(['console.log("one")', 'console.log("two");\nthrow new Error("no");', '3']);
    const r = ptlab('run', nb, '-o', 'f.ipynb');
    expect(r.status).toBe(1);
    expect(r.stdout).toContain('failed in cell 2, line 2: Error: no');
    const { cells, metadata } = read('f.ipynb');
    expect(textOf(cells[0])).toBe('one\n');
    expect(cells[1].outputs.map((o: { output_type: string }) => o.output_type)).toEqual([
      'stream',
      'error',
    ]);
    expect(cells.map((c: { metadata: { papermill: { status: string } } }) => c.metadata.papermill.status)).toEqual(
      ['completed', 'failed', 'pending'],
    ); // biome-ignore format: a list
    expect(metadata.papermill.exception).toBe(true);
  });

  test('a cell that exits, one that never ends, one that loops: the next one runs', () => {
    const nb = notebook([
      'console.log("a"); process.exit(3)',
      'let x = 7; console.log("b"); await new Promise(() => {})',
      'let y = 8;',
      'await 0; while (true);',
      'y',
      'process.stdout.write(new Uint8Array([0x61, 0xff, 0xc3, 0x28, 0x62]));',
    ]);
    const r = ptlab('run', nb, '-o', 'hard.ipynb', '--timeout', '10', '--allow-errors');
    expect(r.status).toBe(0);
    const { cells } = read('hard.ipynb');
    expect(r.stdout).toContain('failed in cell 1: CellsLost: exit code 3 ended the process');
    expect(textOf(cells[0])).toContain('a\n');
    expect(r.stdout).toContain('failed in cell 2: CellTimeout: the cell took longer than 10 s');
    expect(textOf(cells[1])).toContain('b\n');
    expect(r.stdout).toContain('failed in cell 4: CellTimeout');
    expect(cells[4].outputs[0].data['text/plain']).toEqual(['8']);
    expect(textOf(cells[5])).toBe('a\ufffd\ufffd(b');
  });

  test('tslab: an exit code in a cell, a cell that never ends', () => {
    const exits = `import { readFileSync } from 'node:fs';
      console.log('ke' + 'pt');
      const shown = () => readFileSync('${join(folder, 'exit.ipynb')}', 'utf8').includes('kept');
      while (!shown()) await new Promise<void>((r) => setTimeout(() => r(), 20));
      process.exit(3)`;
    const r = ptlab('run', notebook([exits], 'tslab'), '-o', 'exit.ipynb');
    expect(r.status).toBe(1);
    expect(r.stdout).toMatch(/failed in cell 1.*exit code 3/);
    expect(textOf(read('exit.ipynb').cells[0])).toContain('kept\n');
    const never = notebook(['console.log("kept"); await new Promise(() => {})'], 'tslab');
    const late = ptlab('run', never, '-o', 'never-ends.ipynb', '--timeout', '10');
    expect(late.status).toBe(1);
    expect(late.stdout).toMatch(/CellTimeout: the cell took longer than 10 s/);
    expect(textOf(read('never-ends.ipynb').cells[0])).toContain('kept\n');
  });

  test('the process of the cells killed from outside: all it had written is kept', async () => {
    const wrote = join(folder, 'wrote');
    const loop = `import { appendFileSync } from 'node:fs';
      console.log('pid', process.pid);
      for (let i = 0; ; i++) { console.log('line', i); appendFileSync('${wrote}', 'x'); }`;
    const run = start(notebook([loop, '"not run"']), 'cells-killed.ipynb');
    const pid = await run.until(() => /pid (\d+)\n/.exec(run.text())?.[1]);
    await run.until(() => existsSync(wrote) && readFileSync(wrote).length > 2000);
    process.kill(Number(pid), 'SIGKILL');
    expect(await run.code).toBe(1);
    expect(run.said()).toContain('failed in cell 1: CellsLost: SIGKILL ended the process');
    const lines = run.text().match(/^line \d+$/gm) ?? [];
    const least = readFileSync(wrote).length;
    expect(lines).toEqual(lines.map((_, i) => `line ${i}`));
    expect([least, least + 1]).toContain(lines.length); // killed between the two writes
  });

  test('a cell that kills itself, with a child that lives on: all it had written is kept', () => {
    const source = `import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['1000'], { stdio: 'inherit', detached: true });
      console.log('child', child.pid);
      for (let i = 0; i < 3000; i++) console.log('line', i);
      process.kill(process.pid, 'SIGKILL');`;
    const r = ptlab('run', notebook([source]), '-o', 'kills-itself.ipynb');
    const text = textOf(read('kills-itself.ipynb').cells[0]);
    process.kill(Number(/child (\d+)/.exec(text)?.[1]), 'SIGKILL');
    expect(r.status).toBe(1);
    expect(r.stdout).toContain('failed in cell 1: CellsLost: SIGKILL ended the process');
    expect(text).toContain(Array.from({ length: 3000 }, (_, i) => `line ${i}\n`).join(''));
  });

  test('a kernel killed in mid-cell: what has come is kept', async () => {
    const source = "console.log('server', process.ppid); await new Promise(() => {})";
    const run = start(notebook([source]), 'killed.ipynb');
    // the copy is written while the cell runs: once it stands there, it has come
    const pid = await run.until(() => /server (\d+)\n/.exec(run.text())?.[1]);
    process.kill(Number(pid), 'SIGKILL');
    expect(await run.code).toBe(1);
    expect(run.said()).toContain('failed in cell 1: KernelDead: notebook kernel killed by SIGKILL');
    expect(run.text()).toContain(`server ${pid}\n`);
  });

  test('100 MB of output', () => {
    const nb = notebook([
      'const line = "x".repeat(99) + "\\n"; for (let i = 0; i < 1_000_000; i++) process.stdout.write(line);',
    ]);
    const r = ptlab('run', nb, '-o', 'big.ipynb');
    expect(r).toMatchObject({ status: 0, stderr: '' });
    const { cells } = read('big.ipynb');
    expect(cells[0].outputs).toHaveLength(1);
    const { text } = cells[0].outputs[0];
    expect(text).toHaveLength(1_000_000);
    expect(text.every((l: string) => l === text[0])).toBe(true);
    rmSync(join(folder, 'big.ipynb'));
  });

  test('an output folder that cannot be written is said before anything runs', () => {
    const marker = join(folder, 'ran');
    const nb = notebook([
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, '')`,
    ]);
    const r = ptlab('run', nb, '-o', '/proc/out.ipynb');
    expect(r.status).toBe(1);
    expect(r.stderr).toMatch(/cannot write \/proc\/out.ipynb: E\w+; name another place with -o/);
    expect(ptlab('run', nb, '-o', '/proc/x/out.ipynb').stderr).toMatch(
      /cannot write in \/proc\/x: E\w+/,
    );
    expect(existsSync(marker)).toBe(false);
  });

  test('what is no notebook', () => {
    writeFileSync(join(folder, 'x.ipynb'), '<html>');
    expect(ptlab('run', 'x.ipynb').stderr).toContain('x.ipynb: not a notebook');
    writeFileSync(join(folder, 'y.ipynb'), '{"nbformat": 3, "worksheets": []}');
    expect(ptlab('run', 'y.ipynb').stderr).toContain('nbformat 3, 4 wanted');
    expect(ptlab('run', 'nowhere.ipynb').stderr).toContain('cannot read nowhere.ipynb: ENOENT');
    expect(ptlab('run', notebook(['1']), '--kernel', 'cobol', '-o', 'c.ipynb').stderr).toMatch(
      /unknown kernel 'cobol'. Known: .*ptlab.*tslab/,
    );
  });
});

test('every chart of a notebook is written in four forms', () => {
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    data: { values: [{ comm: '</script><img src=x onerror=alert(1)>', n: 2 }] },
    mark: 'bar',
    encoding: { x: { field: 'comm', type: 'nominal' }, y: { field: 'n', type: 'quantitative' } },
  };
  const source = `import { plot } from 'ptlab';\nawait plot(${JSON.stringify(spec)});`;
  for (const kernel of ['ptlab', 'tslab']) {
    const r = ptlab(
      'run',
      notebook([source], kernel),
      '-o',
      `${kernel}.ipynb`,
      '--charts',
      kernel,
      '--html',
    );
    expect(r.status).toBe(0);
    expect(readdirSync(join(folder, kernel)).sort()).toEqual(
      ['png', 'svg', 'txt', 'vl.json'].map((e) => `${kernel}-cell1.${e}`),
    );
    const page = readFileSync(join(folder, `${kernel}.html`), 'utf8');
    expect(page).not.toContain('<img src=x');
    expect(page).not.toContain('</script>');
    expect(page).toContain("default-src 'none'");
    const svg = readFileSync(join(folder, kernel, `${kernel}-cell1.svg`), 'utf8');
    expect(svg).not.toMatch(/<script|<img/);
  }
});
