// The rules of the house (README, "The house"), checked on the source text.
import { posix } from 'node:path';
import ts from 'typescript5';
import { expect, test } from 'vitest';
import { roomOf, type Source, sources } from './source.js';

const all = [
  'linux', 'schemes', 'scenarios', 'engines', 'litmus', 'events', 'importers',
  'analyses', 'charts', 'export', 'notebook', 'commands',
]; // biome-ignore format: a table

/** Who may import whom; an entry with a '/' names single files or folders of a room. */
const mayImport: Record<string, readonly string[]> = {
  linux: [],
  schemes: ['linux'],
  scenarios: ['linux', 'schemes'],
  engines: ['linux/step', 'linux/system', 'linux/scheme', 'linux/scenario', 'events'],
  litmus: ['linux', 'scenarios', 'engines'],
  events: [],
  importers: ['events'],
  analyses: ['events', 'linux'],
  charts: [],
  export: [],
  notebook: ['commands', 'events', 'charts', 'export'],
  commands: all,
  cli: [...all, 'index'],
  index: all,
};

/** Modules that touch the world outside the process. */
const io = /^node:(fs|child_process|net|http|https|dgram|tls|worker_threads|readline)|^zeromq/;
const mayDoIO = [
  'cli.ts', 'commands/', 'importers/open.ts', 'importers/source.ts', 'importers/tool.ts', 'importers/files.ts', 'importers/beside.ts',
  'importers/threads/', 'events/file.ts', 'export/', 'notebook/',
]; // biome-ignore format: a table
const mayReadClock = ['cli.ts', 'commands/', 'notebook/'];
const mayAppendEvents = ['engines/run.ts', 'engines/sim-log.ts', 'importers/', 'events/'];

const imports = (s: Source): string[] =>
  ts.preProcessFile(s.text, true, true).importedFiles.map((f) => f.fileName);

const target = (s: Source, spec: string): string =>
  posix.join(posix.dirname(s.path), spec).replace(/\.js$/, '');

const allowed = (path: string, list: readonly string[]): boolean =>
  list.some((p) => (p.endsWith('/') ? path.startsWith(p) : path === p));

/** Source text without comments and strings, so that prose cannot trip a rule. */
function code(text: string): string {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, text);
  const parts: string[] = [];
  for (let k = scanner.scan(); k !== ts.SyntaxKind.EndOfFileToken; k = scanner.scan()) {
    if (k !== ts.SyntaxKind.StringLiteral) parts.push(scanner.getTokenText());
  }
  return parts.join('');
}

const files = sources();

test('there is something to check', () => {
  expect(files.length).toBeGreaterThan(10);
});

test('a room imports only the rooms it may', () => {
  const wrong: string[] = [];
  for (const s of files) {
    const room = roomOf(s.path);
    const may = mayImport[room];
    if (!may) wrong.push(`${s.path}: no such room in the table`);
    for (const spec of imports(s).filter((i) => i.startsWith('.'))) {
      const to = target(s, spec);
      const ok =
        roomOf(`${to}.ts`) === room || may?.some((m) => to === m || to.startsWith(`${m}/`));
      if (!ok) wrong.push(`${s.path} imports ${to}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('IO happens only at the doors', () => {
  const wrong = files.filter(
    (s) => imports(s).some((i) => io.test(i)) && !allowed(s.path, mayDoIO),
  );
  expect(wrong.map((s) => s.path)).toEqual([]);
});

test('no clock outside the doors, and no Math.random anywhere', () => {
  const clock = /Date\.now\(|newDate\(\)|performance\.now\(|process\.hrtime/;
  const wrong = files
    .filter((s) => clock.test(code(s.text)) && !allowed(s.path, mayReadClock))
    .concat(files.filter((s) => /Math\.random/.test(code(s.text))));
  expect(wrong.map((s) => s.path)).toEqual([]);
});

test('only the run loop and the importers append events', () => {
  const wrong = files.filter(
    (s) =>
      imports(s).some((i) => target(s, i) === 'events/log') && !allowed(s.path, mayAppendEvents),
  );
  expect(wrong.map((s) => s.path)).toEqual([]);
});

test('heavy renderers are loaded only when used', () => {
  const wrong = files.filter((s) =>
    /^import (?!type).*from '(vega|vega-lite|@resvg)/m.test(s.text),
  );
  expect(wrong.map((s) => s.path)).toEqual([]);
});

test('no top-level await in src', () => {
  const wrong = files.filter((s) => /^(await |(export )?(const|let) .*= await )/m.test(s.text));
  expect(wrong.map((s) => s.path)).toEqual([]);
});
