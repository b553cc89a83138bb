// Cells of a tslab notebook are compiled by TypeScript 5.0.4 with Node10 resolution: the published
// declarations must type-check there.
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript50';
import { expect, test } from 'vitest';
import { root } from './source.js';

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.CommonJS,
  moduleResolution: ts.ModuleResolutionKind.Node10,
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  esModuleInterop: true,
  types: [],
};

function check(cell: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-types-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'ptlab'));
  const file = join(folder, 'cell.ts');
  writeFileSync(file, cell);
  const program = ts.createProgram([file], { ...options, preserveSymlinks: true });
  const ours = (d: ts.Diagnostic): boolean =>
    d.file === undefined || d.file.fileName === file || d.file.fileName.includes('ptlab/dist/');
  return ts
    .getPreEmitDiagnostics(program)
    .filter(ours)
    .map(
      (d) => `${d.file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`,
    );
}

test('the compiler is the old one', () => {
  expect(ts.version).toBe('5.0.4');
});

test('the published types hold in a cell', () => {
  const cell = `
    import { load, overwrites, chart, plot, infoOf, type Trace } from 'ptlab';
    export async function cell(path: string): Promise<number> {
      const t: Trace = await load(path);
      await plot(chart('overwrites', t));
      const n: number = infoOf(t).events;
      return overwrites(t).predicted.overwrites + n;
    }`;
  expect(check(cell)).toEqual([]);
});

test('a wrong use is seen', () => {
  const cell = `
    import { infoOf } from 'ptlab';
    export const n: string = infoOf(1);`;
  expect(check(cell).length).toBeGreaterThan(0);
});
