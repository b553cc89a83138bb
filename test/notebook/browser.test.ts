// The notebooks in a browser, in Jupyter Notebook, with the ptlab kernel.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
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
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../source.js';
import { lacking, browser as program } from './needs.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-browser-'));
const shots = process.env['PTLAB_SHOTS'] ?? join(folder, 'shots');
const notebooks = readdirSync(join(root, 'notebooks')).filter((f) => f.endsWith('.ipynb'));
const missing = lacking('jupyter-notebook', 'chromium');
let server: ChildProcess;
let browser: Browser;
let address = '';
let words = '';

const metadata = {
  kernelspec: { name: 'ptlab', display_name: 'TypeScript (ptlab)', language: 'typescript' },
};

/** A copy with our kernel, beside a link to data/. */
function place(name: string): void {
  const nb = JSON.parse(readFileSync(join(root, 'notebooks', name), 'utf8'));
  writeFileSync(join(folder, 'notebooks', name), JSON.stringify({ ...nb, metadata }));
}

function scratch(): void {
  const sources = [
    'let kept = 41;',
    'for (let i = 0; i < 200_000; i++) console.log("line " + i);',
    'await new Promise((r) => setTimeout(r, 10)); console.log("looping", "now"); while (true);',
    'kept + 1',
    "import { table } from 'arquero';\ntable({ comm: ['</script><img src=x onerror=\"window.hit=1\">', '\\x1b[31mred', 'a\\r\\nBcc: b'] })",
  ];
  const cells = sources.map((source, i) => ({
    cell_type: 'code', id: `c${i}`, metadata: {}, execution_count: null, outputs: [], source,
  })); // biome-ignore format: one record
  const nb = { nbformat: 4, nbformat_minor: 5, metadata, cells };
  writeFileSync(join(folder, 'notebooks', 'scratch.ipynb'), JSON.stringify(nb));
}

beforeAll(async () => {
  if (missing) return;
  mkdirSync(join(folder, 'notebooks'));
  mkdirSync(shots, { recursive: true });
  symlinkSync(join(root, 'data'), join(folder, 'data'));
  for (const f of readdirSync(join(root, 'notebooks')))
    if (!f.endsWith('.ipynb')) cpSync(join(root, 'notebooks', f), join(folder, 'notebooks', f));
  notebooks.forEach(place);
  scratch();
  spawnSync(process.execPath, [join(root, 'dist/cli.js'), 'kernel', 'install', '--prefix', folder]);
  const port = await new Promise<number>((done) => {
    const s = createServer().listen(0, '127.0.0.1', () => {
      const at = (s.address() as { port: number }).port;
      s.close(() => done(at));
    });
  });
  address = `http://127.0.0.1:${port}`;
  server = spawn(
    'jupyter-notebook',
    [
      '--no-browser', '--allow-root', '--ip=127.0.0.1', `--port=${port}`,
      '--NotebookApp.token=', '--NotebookApp.password=', '--NotebookApp.iopub_data_rate_limit=1e12',
      '--NotebookApp.iopub_msg_rate_limit=1e9', `--notebook-dir=${folder}`,
    ],
    {
      env: { ...process.env, JUPYTER_PATH: join(folder, 'share/jupyter'), HOME: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  ); // biome-ignore format: a command line
  server.stderr?.on('data', (b) => {
    words += b;
  });
  for (let i = 0; i < 2000; i++) {
    if (
      await fetch(`${address}/api`).then(
        (r) => r.ok,
        () => false,
      )
    )
      break;
    await new Promise((done) => setTimeout(done, 100));
  }
  browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
});

afterAll(async () => {
  await browser?.close();
  server?.kill('SIGTERM');
  await new Promise((done) => setTimeout(done, 500));
  server?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function open(name: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
  page.setDefaultTimeout(220_000);
  await page.goto(`${address}/notebooks/notebooks/${name}`);
  await page
    .waitForSelector('#kernel_indicator_icon.kernel_idle_icon', { state: 'attached' })
    .catch((e) => {
      throw new Error(`${e}\nthe server said: ${words.slice(-2000)}`);
    });
  return page;
}

/** Kernel, Restart & Run All, and wait until no cell waits. */
async function restartAndRunAll(page: Page): Promise<void> {
  await page.evaluate("document.querySelector('#restart_run_all a').click()");
  await page.click('.modal-dialog .btn-danger');
  await page.waitForFunction(`
    ((cells) => cells.every((c) => c.input_prompt_number !== '*') && cells[0].input_prompt_number)(
      Jupyter.notebook.get_cells().filter((c) => c.cell_type === 'code'))`);
}

describe.skipIf(missing)(`in a browser${missing}`, () => {
  for (const name of notebooks)
    test(`${name}: restart and run all draws every chart`, async () => {
      const page = await open(name);
      await restartAndRunAll(page);
      const sources = (await page.evaluate(
        "Jupyter.notebook.get_cells().filter((c) => c.cell_type === 'code').map((c) => c.get_text())",
      )) as string[];
      const calls = sources.join('\n').match(/await plot\(/g)?.length ?? 0;
      // outputs come by another way than the number of a cell: wait for them
      await page.waitForSelector('#kernel_indicator_icon.kernel_idle_icon', { state: 'attached' });
      const enough = `document.querySelectorAll('.output_svg svg, .output_png img').length >= ${calls}`;
      await page.waitForFunction(enough).catch(() => {}); // counted below
      const drawn = await page.locator('.output_svg svg, .output_png img').count();
      const errors = await page.locator('.output_error, .output_stderr').allTextContents();
      const height = Number(
        await page.evaluate("document.querySelector('#notebook-container').scrollHeight"),
      );
      await page.setViewportSize({ width: 1200, height: Math.min(height + 200, 12_000) });
      await page.screenshot({ path: join(shots, `${name}.png`) });
      await page.close();
      expect(errors).toEqual([]);
      expect(drawn).toBeGreaterThanOrEqual(calls);
    });

  test('200,000 lines finish, a loop is interrupted, the next cell works, names are text', async () => {
    const page = await open('scratch.ipynb');
    const execute = (i: number) => page.evaluate(`Jupyter.notebook.execute_cells([${i}])`);
    /** Outputs come by another way than the number of a cell: wait for `text` in them. */
    const shown = (i: number, text: string) =>
      page.waitForFunction(
        `JSON.stringify(Jupyter.notebook.get_cell(${i}).output_area.toJSON()).includes(${JSON.stringify(text)})`,
      );
    const outputs = (i: number) =>
      page.evaluate(`JSON.stringify(Jupyter.notebook.get_cell(${i}).output_area.toJSON())`);
    await execute(0);
    await execute(1);
    await shown(1, 'line 199999');
    const text = JSON.parse(String(await outputs(1)))
      .map((o: { text: string | string[] }) => [o.text].flat().join(''))
      .join('');
    expect(text.split('\n')).toHaveLength(200_001);
    expect(text.endsWith('line 199999\n')).toBe(true);
    await execute(2);
    await page.waitForFunction("document.body.textContent.includes('looping now')");
    await page.evaluate("document.querySelector('#int_kernel a').click()");
    await shown(2, 'Interrupted');
    // What is sent before the reply of a failed cell is not meant to run: wait for its number.
    await page.waitForFunction('Number(Jupyter.notebook.get_cell(2).input_prompt_number) > 0');
    await execute(3);
    await shown(3, '"text/plain":"42"');
    await execute(4);
    await page.waitForSelector('.output_html table');
    expect(await page.locator('.output_html').textContent()).toContain('</script><img src=x');
    expect(await page.evaluate('window.hit')).toBeUndefined();
    await page.screenshot({ path: join(shots, 'scratch.png') });
    await page.close();
  });
});
