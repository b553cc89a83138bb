import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript5';
import { root, sources } from './source.js';

/** A change of one file of src/: `from` must stand there exactly once. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** src/ as JavaScript, by path; translated once. */
function translated(): Map<string, string> {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  const rooms = /^(linux|analyses|events|importers|engines|schemes)\//;
  return new Map(
    sources()
      .filter((s) => rooms.test(s.path))
      .map((s) => [s.path, ts.transpileModule(s.text, { compilerOptions }).outputText]),
  );
}

let cache: Map<string, string> | undefined;

/**
 * Copy src/ with one change, and give the folder: import the changed modules from there. `done` removes it.
 * @throws Error if the text to change is not there exactly once.
 */
export function mutated(m: Mutant): { module(path: string): Promise<never>; done(): void } {
  cache ??= translated();
  const text = sources().find((s) => s.path === m.file)?.text ?? '';
  if (text.split(m.from).length !== 2)
    throw new Error(`${m.name}: '${m.from}' is not once in ${m.file}`);
  mkdirSync(join(root, 'node_modules', '.mutants'), { recursive: true });
  const folder = mkdtempSync(join(root, 'node_modules', '.mutants', 'm-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const changed = ts.transpileModule(text.replace(m.from, m.to), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  }).outputText;
  for (const [path, code] of cache) {
    const out = join(folder, path.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, path === m.file ? changed : code);
  }
  return {
    module: (path) => import(/* @vite-ignore */ pathToFileURL(join(folder, path)).href),
    done: () => rmSync(folder, { recursive: true, force: true }),
  };
}
