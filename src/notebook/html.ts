// An executed notebook as one HTML page that needs nothing else, and a page that lists several.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import markdownIt from 'markdown-it';
import { type Cell, type MimeBundle, type Notebook, type Output, writeWhole } from './nbformat.js';
import type { RunResult } from './runner.js';

/** `text` as HTML text or attribute; control characters become visible pictures of themselves. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) =>
      String.fromCharCode(c === '\x7f' ? 0x2421 : 0x2400 + c.charCodeAt(0)),
    );

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with ESC
const plain = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '').replace(/\r\n/g, '\n');

const markdown = markdownIt({ html: false, linkify: false });

// No script runs in this page, whatever an output holds.
const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

const style = `body{font:16px/1.5 "DejaVu Sans",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
pre{background:#f4f4f4;padding:.6rem;overflow-x:auto;font:13px/1.4 "DejaVu Sans Mono",monospace}
pre.source{border-left:3px solid #888}pre.error{border-left:3px solid #b00}
img{max-width:100%}table{border-collapse:collapse}td,th{padding:.2rem .6rem;border:1px solid #ccc}`;

/** By this a page of ours is known, and may be written anew. */
const mark = '<meta name="generator" content="ptlab">';

/** A whole page with `title`. */
const page = (title: string, body: string): string =>
  [
    `<!doctype html><html lang="en"><head><meta charset="utf-8">${mark}`,
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<title>${escapeHtml(title)}</title><style>${style}</style></head><body>`,
    body,
    '</body></html>\n',
  ].join('\n');

const pre = (kind: string, text: string): string =>
  `<pre class="${kind}">${escapeHtml(plain(text))}</pre>`;

const image = (mime: string, base64: string, alt: string): string =>
  `<img src="data:${mime};base64,${base64.replace(/[^\w+/=]/g, '')}" alt="${escapeHtml(alt)}">`;

function bundle(data: MimeBundle): string {
  const text = String(data['text/plain'] ?? '');
  const svg = data['image/svg+xml'];
  if (svg !== undefined)
    return image('image/svg+xml', Buffer.from(String(svg)).toString('base64'), text);
  for (const mime of ['image/png', 'image/jpeg', 'image/gif'])
    if (data[mime] !== undefined) return image(mime, String(data[mime]), text);
  if (data['text/html'] !== undefined) return `<div>${data['text/html']}</div>`;
  if (data['text/markdown'] !== undefined) return markdown.render(String(data['text/markdown']));
  return pre('text', text);
}

function output(o: Output): string {
  if (o.output_type === 'stream') return pre(o.name, o.text);
  if (o.output_type === 'error') return pre('error', o.traceback.join('\n') || o.evalue);
  return bundle(o.data);
}

function cellHtml(c: Cell): string {
  if (c.cell_type === 'markdown') return markdown.render(c.source);
  const source = pre('source', c.source);
  return [source, ...(c.outputs ?? []).map(output)].join('\n');
}

/** The page of one notebook. */
export const notebookHtml = (nb: Notebook, title: string): string =>
  page(title, nb.cells.map(cellHtml).join('\n'));

/** Write the page of `nb` to `file`. */
export function writeHtml(nb: Notebook, file: string): void {
  writeWhole(file, notebookHtml(nb, basename(file, '.html')));
}

/** Where the index page goes: index.html, unless there is one that is not ours. */
function indexFile(folder: string): string {
  for (let n = 1; ; n++) {
    const file = join(folder, n === 1 ? 'index.html' : `index-${n}.html`);
    if (!existsSync(file) || readFileSync(file, 'utf8').includes(mark)) return file;
  }
}

/** Write index.html into `folder`: a row for each run, linked to its copy (its page, if `html`). */
export function writeIndex(results: readonly RunResult[], folder: string, html: boolean): string {
  const rows = results.map((r) => {
    const file = relative(folder, html ? r.output.replace(/\.ipynb$/, '.html') : r.output);
    const link = file.split('/').map(encodeURIComponent).join('/');
    const values = (r.notebook.metadata['papermill'] as { parameters?: object }).parameters ?? {};
    const given = Object.entries(values).map(([k, v]) => `${k} = ${JSON.stringify(v)}`);
    const bad = r.failures.map((f) => `cell ${f.cell}: ${f.ename}: ${f.evalue}`).join('; ');
    const cells = [
      `<a href="${link}">${escapeHtml(file)}</a>`,
      escapeHtml(given.join(', ')),
      escapeHtml(bad || 'ok'),
      `${r.duration_s.toFixed(1)} s`,
    ];
    return `<tr>${cells.map((c) => `<td>${c}</td>`).join('')}</tr>`;
  });
  const head = '<tr><th>notebook</th><th>parameters</th><th>result</th><th>time</th></tr>';
  const body = `<h1>Notebook runs</h1>\n<table>${head}\n${rows.join('\n')}\n</table>`;
  const index = indexFile(folder);
  writeWhole(index, page('Notebook runs', body));
  return index;
}
