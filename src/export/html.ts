// A chart as one HTML file that works anywhere: the interactive Vega view, and nothing from the network.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compiled } from './image.js';
import type { Spec } from './spec.js';
import { toText } from './text.js';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => entities[c] as string);

/** JSON for a script element: no '<' can end the element or open a comment. */
const json = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const vegaSource = (): string => {
  const folder = dirname(createRequire(import.meta.url).resolve('vega'));
  return readFileSync(join(folder, 'vega.min.js'), 'utf8');
};

const start = `
const spec = JSON.parse(document.getElementById('spec').textContent);
const loader = vega.loader();
loader.load = (uri) => Promise.reject(new Error('not loaded: ' + uri));
loader.sanitize = (uri) => Promise.reject(new Error('not followed: ' + uri));
new vega.View(vega.parse(spec), { renderer: 'svg', container: '#view', hover: true, loader }).runAsync();
`;

const digest = (script: string): string =>
  `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

function titleOf(spec: Spec): string {
  const { title } = spec as { title?: unknown };
  const text =
    title !== null && typeof title === 'object' ? (title as { text?: unknown }).text : title;
  return Array.isArray(text) ? text.join(' ') : String(text ?? 'ptlab');
}

/**
 * The spec as one self-contained HTML page: Vega, data and view inside, the text form below where
 * the spec has one. A content security policy lets only these scripts run, and nothing be loaded.
 * @throws Error of Vega-Lite or Vega where the spec is wrong.
 */
export async function toHtml(spec: Spec): Promise<string> {
  const vega = vegaSource();
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${digest(vega)} ${digest(start)} 'unsafe-eval'`;
  const usermeta = (spec['usermeta'] ?? {}) as { ptlab?: unknown };
  const text = usermeta.ptlab === undefined ? '' : `<pre>${escaped(toText(spec))}</pre>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(titleOf(spec))}</title>
<style>body { font-family: 'DejaVu Sans', Verdana, sans-serif; margin: 1em } #view svg { max-width: 100% }</style>
</head>
<body>
<div id="view"></div>
${text}<script>${vega}</script>
<script type="application/json" id="spec">${json(await compiled(spec))}</script>
<script>${start}</script>
</body>
</html>
`;
}
