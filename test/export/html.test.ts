import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { toHtml } from '../../src/export/html.js';
import { chart, xy } from './specs.js';

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));
const there = browser !== undefined || process.env['CI'] !== undefined;

const evil = [
  '</script><script>window.hit = 1</script>',
  '<!--<script>',
  '<img src=http://127.0.0.1:9/x onerror="window.hit = 1">',
  '\u2028window.hit = 1',
];
const spec = {
  ...chart(
    'bars',
    evil.map((task, i) => ({ task, n: i + 1 })),
    {},
    xy('n', 'task', 'nominal'),
  ),
  title: { text: evil[0] },
};

test('no name gets out of the data', async () => {
  const html = await toHtml(spec);
  expect(html.match(/<script/g)).toHaveLength(3);
  expect(html.match(/<\/script>/g)).toHaveLength(3);
  expect(html).not.toContain('<img');
  expect(await toHtml(spec)).toBe(html);
});

const title = 'a browser draws it, loads nothing and runs nothing of the data';
const run = there ? test : test.skip;
run(there ? title : `${title} (skipped: no chromium)`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-html-'));
  const file = join(folder, 'x.html');
  writeFileSync(file, await toHtml(spec));
  const app = await chromium.launch({ executablePath: browser!, args: ['--no-sandbox'] });
  try {
    const page = await app.newPage();
    const asked: string[] = [];
    const errors: string[] = [];
    page.on('request', (r) => asked.push(r.url()));
    page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
    page.on('pageerror', (e) => errors.push(e.message));
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('#view svg .mark-rect path', { timeout: 200_000 });
    expect(await page.locator('#view svg .mark-rect path').count()).toBe(evil.length);
    expect(await page.evaluate('window.hit')).toBe(undefined);
    expect(asked).toEqual([pathToFileURL(file).href]);
    expect(errors).toEqual([]);
  } finally {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
