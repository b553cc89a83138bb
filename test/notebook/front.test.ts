// `ptlab kernel`, `ptlab lab` and `ptlab watch`, as a person at a terminal uses them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from '../source.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ptlab front ')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const cli = join(root, 'dist/cli.js');

/** A person whose home is empty, and who has no Python. */
const home = join(folder, 'home');
mkdirSync(home);
const nobody: NodeJS.ProcessEnv = { HOME: home, PATH: join(folder, 'no programs') };

const ptlab = (args: string[], env: NodeJS.ProcessEnv = nobody) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder, encoding: 'utf8', env, timeout: 60_000,
  }); // biome-ignore format: one record
  return { status, stdout, stderr };
};

describe('kernel', () => {
  const prefix = join(folder, 'a prefix');
  const places = [
    ['--user', nobody, join(home, '.local/share/jupyter')],
    ['--user', { ...nobody, XDG_DATA_HOME: join(folder, 'xdg') }, join(folder, 'xdg/jupyter')],
    ['--user', { ...nobody, JUPYTER_DATA_DIR: join(folder, 'data') }, join(folder, 'data')],
    ['--sys-prefix', { ...nobody, VIRTUAL_ENV: prefix }, join(prefix, 'share/jupyter')],
    [
      `--prefix=${prefix}2`,
      { ...nobody, JUPYTER_PATH: `${prefix}2/share/jupyter` },
      `${prefix}2/share/jupyter`,
    ],
  ] as const;

  for (const [flag, env, data] of places)
    test(`install, list and remove: ${flag} in ${data.slice(folder.length)}`, () => {
      const mine = join(data, 'kernels/ptlab');
      expect(ptlab(['kernel', 'install', flag], env)).toMatchObject({ status: 0, stderr: '' });
      expect(ptlab(['kernel', 'install', flag], env).status).toBe(0); // again does no harm
      const files = ['kernel.json', 'logo-32x32.png', 'logo-64x64.png', 'logo-svg.svg'];
      expect(readdirSync(mine).sort()).toEqual(files);
      const { argv, language } = JSON.parse(readFileSync(join(mine, 'kernel.json'), 'utf8'));
      expect(language).toBe('typescript');
      expect(argv.slice(0, 2).every((a: string) => isAbsolute(a) && existsSync(a))).toBe(true);
      expect(argv[2]).toBe('{connection_file}');
      const { stdout } = ptlab(['kernel', 'list', '--json'], env);
      expect(JSON.parse(stdout)).toContainEqual({
        name: 'ptlab', folder: mine, display_name: 'TypeScript (ptlab)', language: 'typescript', works: true,
      }); // biome-ignore format: one record
      expect(ptlab(['kernel', 'remove', flag], env).status).toBe(0);
      expect(existsSync(mine)).toBe(false);
      const none = ptlab(['kernel', 'remove', flag], env);
      expect(none.stderr).toContain(`no ptlab kernel in ${dirname(mine)}`);
      expect(none.status).toBe(1);
    });

  test('what is someone else’s is left alone', () => {
    const theirs = join(folder, 'theirs');
    for (const [name, text] of [
      ['kernel.json', '{"argv": ["python3", "-m", "ptlab_of_another"], "language": "python"}'],
      ['kernel.json', 'not JSON'],
      ['notes.txt', 'mine'],
    ] as const) {
      const kernel = join(theirs, 'share/jupyter/kernels/ptlab');
      mkdirSync(kernel, { recursive: true });
      writeFileSync(join(kernel, name), text);
      for (const what of ['install', 'remove']) {
        const r = ptlab(['kernel', what, '--prefix', theirs]);
        expect(r.status).toBe(1);
        expect(r.stderr).toMatch(/someone else|no ptlab kernel/);
      }
      expect(readdirSync(kernel)).toEqual([name]);
      expect(readFileSync(join(kernel, name), 'utf8')).toBe(text);
      rmSync(theirs, { recursive: true });
    }
  });

  test('places that cannot be', () => {
    const proc = ptlab(['kernel', 'install', '--prefix', '/proc/x']);
    expect(proc.status).toBe(1);
    expect(proc.stderr).toMatch(/cannot write \/proc\/x\S*: E\w+; try --user, or --prefix/);
    expect(ptlab(['kernel', 'install', '--prefix', '']).stderr).toContain('a folder wanted');
    expect(ptlab(['kernel', 'install', '--sys-prefix']).stderr).toContain('no python3 found');
    expect(ptlab(['kernel', 'install', '--user', '--sys-prefix']).stderr).toContain('give one of');
    expect(ptlab(['kernel', 'list']).stdout).not.toContain('ptlab ');
  });

  test('a kernel whose program is gone is listed as broken', () => {
    const data = join(folder, 'broken');
    mkdirSync(join(data, 'kernels/old'), { recursive: true });
    const text = '{"argv": ["/nowhere/node"], "display_name": "Old", "language": "x"}';
    writeFileSync(join(data, 'kernels/old/kernel.json'), text);
    const { stdout } = ptlab(['kernel', 'list'], { ...nobody, JUPYTER_PATH: data });
    expect(stdout).toMatch(/^old .*\(broken\)$/m);
  });
});

describe('lab', () => {
  /** A folder of programs that say how they were started; the last one is asked for its status. */
  function programs(names: string[], status = 0): string {
    const bin = mkdtempSync(join(folder, 'bin '));
    const said = 'printf "%s\\n" "$0" "$@" "$JUPYTER_PATH"';
    const kernel =
      'IFS=:; for d in $JUPYTER_PATH; do test -f "$d/kernels/ptlab/kernel.json" && echo ready; done';
    for (const name of names) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${said}\n${kernel}\nexit ${status}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return bin;
  }

  test('starts the best front end that is there, with the kernel ready', () => {
    mkdirSync(join(folder, 'my notebooks'));
    for (const [there, taken] of [
      [['jupyter-notebook'], 'jupyter-notebook'],
      [['jupyter-notebook', 'jupyter-lab', 'jupyter'], 'jupyter-lab'],
    ] as const) {
      const bin = programs([...there]);
      const args = ['lab', 'my notebooks', '--no-browser', '--port', '9999'];
      const r = ptlab(args, { ...nobody, PATH: bin, JUPYTER_PATH: '/else where' });
      expect(r.status).toBe(0);
      const lines = r.stdout.trim().split('\n');
      const path = lines.at(-2) ?? '';
      expect(lines).toEqual([
        join(bin, taken), `--notebook-dir=${join(folder, 'my notebooks')}`,
        '--no-browser', '--port=9999', path, 'ready',
      ]); // biome-ignore format: a table
      expect(path.split(':')[1]).toBe('/else where');
      expect(existsSync(path.split(':')[0] ?? '')).toBe(false); // nothing is left behind
    }
  });

  test('without a folder it opens notebooks/, at last those of ptlab; the exit status is kept', () => {
    const env = { ...nobody, PATH: programs(['jupyter-lab'], 3) };
    const r = ptlab(['lab'], env);
    expect(r.stdout).toContain(`--notebook-dir=${join(root, 'notebooks')}\n`);
    expect(r.status).toBe(3);
    expect(ptlab(['lab', 'nowhere'], env).stderr).toContain('nowhere: no such folder');
    expect(ptlab(['lab', '--dry-run'], env).stdout).not.toContain('ready');
  });

  test('says what to install if there is none', () => {
    const r = ptlab(['lab']);
    expect(r.status).toBe(1);
    expect(r.stderr).toContain('pip install jupyterlab');
    expect(r.stderr).toContain('apt install jupyter-notebook');
    for (const line of r.stderr.split('\n')) expect(line.length).toBeLessThanOrEqual(72);
  });
});

describe('watch', () => {
  const cell = (source: string, tags: string[] = []) => ({
    cell_type: 'code', id: `c${source.length}`, metadata: { tags }, source, outputs: [], execution_count: null,
  }); // biome-ignore format: one record
  function notebook(name: string, source: string): string {
    const cells = [
      cell("let trace: string = '', mark: string = '';", ['parameters']),
      cell(source),
    ];
    const metadata = { kernelspec: { name: 'ptlab' } };
    const nb = { nbformat: 4, nbformat_minor: 5, metadata, cells };
    writeFileSync(join(folder, name), JSON.stringify(nb));
    return name;
  }
  const outputs = (file: string): string =>
    // biome-ignore lint/suspicious/noExplicitAny: a notebook as it stands in the file
    JSON.parse(readFileSync(file, 'utf8')).cells.flatMap((c: any) => c.outputs)
      .map((o: { text?: string[]; evalue?: string }) => o.text?.join('') ?? o.evalue).join(''); // biome-ignore format: one chain

  /** `ptlab watch`, begun; `said` settles when it has said that it watches, or something else. */
  function start(args: string[]) {
    const child = spawn(process.execPath, [cli, 'watch', ...args], { cwd: folder });
    let text = '';
    child.stdout.on('data', (b) => (text += b));
    child.stderr.on('data', (b) => (text += b));
    const code = once(child, 'close').then(([c]) => c as number);
    const until = async (test: () => unknown): Promise<void> => {
      while (!test()) {
        if (child.exitCode !== null) throw new Error(`it ended before: ${text}`);
        await pause();
      }
    };
    return { child, code, until, said: () => text };
  }

  test('each trace has a copy of its own, also one that comes at once; a failure is told', async () => {
    const nb = notebook(
      'reads.ipynb',
      "import { readFileSync } from 'node:fs';\nconst text = readFileSync(trace, 'utf8');\nif (text === 'bad') throw new Error('no trace');\nconsole.log(text, mark);",
    );
    const [traces, out] = [join(folder, 'the traces'), join(folder, 'new', 'copies')];
    mkdirSync(traces);
    writeFileSync(join(traces, 'old.txt'), 'old');
    const w = start(['--trace', traces, '-o', out, '--count', '3', '-p', 'mark=!', nb]);
    await w.until(() => w.said().includes('watching'));
    for (const [name, text] of [
      ['a.txt', 'text'],
      ['a.dat', 'binary'],
      ['b.gz', 'bad'],
    ] as const) {
      writeFileSync(join(traces, `${name}.part`), text); // biome-ignore format: a table above
      renameSync(join(traces, `${name}.part`), join(traces, name));
    }
    expect(await w.code).toBe(1);
    expect(w.said()).toContain('failed in cell 3, line 3: Error: no trace');
    expect(w.said()).toContain('3 runs, 1 failed');
    const copies = ['reads-a.dat.ipynb', 'reads-a.txt.ipynb', 'reads-b.gz.ipynb'];
    expect(readdirSync(out).sort()).toEqual(copies);
    expect(copies.map((c) => outputs(join(out, c)))).toEqual([
      'binary !\n',
      'text !\n',
      'no trace',
    ]);
  });

  test('Ctrl-C in mid-cell ends the kernel and its cells, and the copy keeps what it had', async () => {
    const source =
      "console.log('pids', process.pid, process.ppid);\nawait new Promise((r) => setTimeout(r, 50));\nfor (;;);";
    const nb = notebook('loops.ipynb', source);
    const traces = join(folder, 'more');
    mkdirSync(traces);
    writeFileSync(join(traces, 't.txt'), 'x');
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      const w = start([nb, '--trace', traces, '-o', 'ended', '--existing']);
      const copy = join(folder, 'ended', 'loops-t.txt.ipynb');
      const pids = () => (existsSync(copy) ? /pids (\d+) (\d+)/.exec(outputs(copy)) : null);
      await w.until(pids);
      w.child.kill(name);
      expect(await w.code).toBe(1);
      expect(w.said()).toContain('Interrupted: the run was ended from outside');
      const started = (pids() ?? []).slice(1).map(Number);
      while (started.some(isAlive)) await pause(); // the cells end once they see that the kernel has
      rmSync(copy);
    }
  });

  test('what is wrong is said before a trace comes', () => {
    const nb = notebook('plain.ipynb', '1');
    const failed = (...args: string[]) => ptlab(['watch', ...args]).stderr;
    expect(failed(nb)).toContain('--trace');
    expect(failed(nb, '--trace', 'nowhere')).toContain('cannot read nowhere: ENOENT');
    expect(failed('no.ipynb', '--trace', '.')).toContain('cannot read no.ipynb');
    expect(failed(nb, '--trace', '.', '--count', 'x')).toContain('a number wanted');
    expect(failed(nb, '--trace', '.', '--charts', folder)).toContain('not watched');
    expect(failed(nb, '--trace', '.', '-p', 'trace=x')).toContain('those of --trace');
    expect(failed(nb, '--trace', '.', '-p', 'nil=x')).toContain('Known: trace, mark');
    expect(failed(nb, nb, '--trace', '.')).toContain('error:');
  });
});

const pause = () => new Promise((done) => setTimeout(done, 10));

/** Is there a process `pid` that is more than its exit status? */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
