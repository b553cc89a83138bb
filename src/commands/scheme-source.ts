// A scheme file as TypeScript: checked for what compiles and does nothing, and made JavaScript that can run from anywhere.
import { readFileSync } from 'node:fs';
import { createRequire, SourceMap } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as TS from 'typescript5';
import * as kernel from '../linux/helpers.js';
import { UserError } from './command.js';
import type { Where } from './scheme-guard.js';

/** The compiler tslab brings: to strip types, it needs no newer one. */
function compiler(): typeof TS {
  const tslab = createRequire(createRequire(import.meta.url).resolve('tslab/package.json'));
  return tslab('@tslab/typescript-for-tslab') as typeof TS;
}

const isKernel = (name: string): boolean =>
  Object.getPrototypeOf((kernel as Record<string, unknown>)[name] ?? 0)?.constructor?.name ===
  'GeneratorFunction';

/** Calls of kernel functions that are never run: their value is thrown away, tested, or yielded without the star. */
function forgotten(ts: typeof TS, source: TS.SourceFile): TS.CallExpression | undefined {
  let found: TS.CallExpression | undefined;
  const own = new Set(source.statements.flatMap((s) => (ts.isFunctionDeclaration(s) && s.asteriskToken && s.name ? [s.name.text] : []))); // biome-ignore format: one line
  const isDead = (call: TS.Node): boolean => {
    const { parent } = call;
    if (ts.isParenthesizedExpression(parent)) return isDead(parent);
    if (ts.isYieldExpression(parent)) return parent.asteriskToken === undefined;
    if (ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isDoStatement(parent)) return true; // biome-ignore format: one line
    return ts.isExpressionStatement(parent) || ts.isPrefixUnaryExpression(parent) || ts.isBinaryExpression(parent); // biome-ignore format: one line
  };
  const visit = (node: TS.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const name = node.expression.text;
      if ((isKernel(name) || own.has(name)) && isDead(node)) found ??= node;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Puts a call of `tick` into every loop. */
const ticking =
  (ts: typeof TS): TS.TransformerFactory<TS.SourceFile> =>
  (context) => {
    const f = context.factory;
    const counted = (body: TS.Statement): TS.Statement =>
      f.createBlock([f.createExpressionStatement(f.createCallExpression(f.createIdentifier('__tick'), undefined, [])), body]); // biome-ignore format: one line
    const visit = (node: TS.Node): TS.Node => {
      const n = ts.visitEachChild(node, visit, context);
      if (ts.isForStatement(n)) return f.updateForStatement(n, n.initializer, n.condition, n.incrementor, counted(n.statement)); // biome-ignore format: one line
      if (ts.isWhileStatement(n)) return f.updateWhileStatement(n, n.expression, counted(n.statement)); // biome-ignore format: one line
      if (ts.isDoStatement(n)) return f.updateDoStatement(n, counted(n.statement), n.expression);
      return n;
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };

/** In front of the file, in its first line: `tick` comes from whoever loads it. */
const SEAM = 'let __tick = () => {}; export const __ticking = (tick) => { __tick = tick; };';

/** JavaScript of a scheme file, and where in the file an error came from. */
export interface SchemeSource {
  readonly code: string;
  /** The library it imports from, as a URL, and the names it wants of it. */
  readonly library: string;
  readonly names: readonly string[];
  readonly where: Where;
}

/** Errors of the compiler and forgotten stars, by line. */
function check(ts: typeof TS, path: string, source: TS.SourceFile, [bad]: readonly TS.Diagnostic[]): void {
  const line = (at: number): number => source.getLineAndCharacterOfPosition(at).line + 1;
  if (bad)
    throw new UserError(`${path}:${line(bad.start ?? 0)}: ${ts.flattenDiagnosticMessageText(bad.messageText, ' ')}`); // biome-ignore format: one line
  const call = forgotten(ts, source);
  if (call)
    throw new UserError(`${path}:${line(call.getStart(source))}: ${call.expression.getText(source)}(...) does nothing without 'yield*'`); // biome-ignore format: one line
} // biome-ignore format: the head in one line

/** @throws UserError with the file and line of what is wrong. */
export function schemeSource(path: string): SchemeSource {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    throw new UserError(`cannot read the scheme ${path}: ${(e as Error).message}`);
  }
  const ts = compiler();
  const { outputText, diagnostics, sourceMapText } = ts.transpileModule(text, {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, sourceMap: true }, // biome-ignore format: one line
    transformers: { before: [ticking(ts)] },
  });
  check(ts, path, ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true), diagnostics ?? []);
  const root = dirname(createRequire(import.meta.url).resolve('ptlab/package.json'));
  const library = pathToFileURL(join(root, 'dist', 'index.js')).href;
  const beside = pathToFileURL(`${dirname(resolve(path))}/`);
  const code = outputText
    .replace(/^\/\/# sourceMappingURL=.*$/m, '')
    .replace(/(from\s*|import\s*)(['"])ptlab\2/g, (_, how) => `${how}${JSON.stringify(library)}`)
    .replace(/(from\s*|import\s*)(['"])(\.\.?\/[^'"]+)\2/g, (_, how, _q, file) => `${how}${JSON.stringify(new URL(file, beside).href)}`); // biome-ignore format: one line
  const map = new SourceMap(JSON.parse(sourceMapText!));
  const where: Where = (error) => {
    const at = /scheme\.mjs:(\d+):(\d+)/.exec((error as Error | undefined)?.stack ?? '');
    if (!at) return path;
    const entry = map.findEntry(Number(at[1]) - 1, Number(at[2]) - 1);
    return 'originalLine' in entry ? `${path}:${entry.originalLine + 1}` : path;
  };
  // Types are gone from the output: what it still imports must be there.
  const lists = [...outputText.matchAll(/import\s*{([^}]*)}\s*from\s*['"]ptlab['"]/g)];
  const names = lists.flatMap(([, list]) => list!.split(',').map((n) => n.trim().split(/\s/)[0]!)).filter((n) => n !== ''); // biome-ignore format: one line
  return { code: `${SEAM}${code}`, library, names, where };
}

/** Names of kernel functions that share a word with `name`; all of them for ''. */
export function namesLike(name: string): string[] {
  if (name === '') return Object.keys(kernel);
  const parts = name.toLowerCase().split('_').filter((p) => p.length > 2); // biome-ignore format: one line
  return Object.keys(kernel).filter((k) => parts.some((p) => k.toLowerCase().includes(p)));
}
