import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../src/commands/index.js';
import { schemaTable } from '../src/events/schema.js';
import { root } from './source.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('docs/schema.md is what the dictionary says (node scripts/make-docs.mjs)', () => {
  expect(read('docs/schema.md')).toContain(schemaTable());
});

test('every dependency has its reason in the README', () => {
  const { dependencies } = JSON.parse(read('package.json'));
  const table = read('README.md').split('## Dependencies')[1]!;
  for (const name of Object.keys(dependencies)) expect(table).toContain(name);
});

test('every command in the README exists', () => {
  const code = [...read('README.md').matchAll(/^```\n(.*?)^```/gms)].map((m) => m[1]).join('');
  const names = [...code.matchAll(/^(?:\$ )?ptlab ([a-z-]+)/gm)].map((m) => m[1]!);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(Object.keys(commands)).toContain(name);
});
