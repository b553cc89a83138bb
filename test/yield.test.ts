// A generator call that is not delegated to with `yield*` compiles silently and does nothing.
// This test finds every such call in src/, with the types the compiler sees.
import { join } from 'node:path';
import ts from 'typescript5';
import { expect, test } from 'vitest';
import { root, sources } from './source.js';

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
};

const isGenerator = (checker: ts.TypeChecker, call: ts.CallExpression): boolean => {
  const name = checker.getTypeAtLocation(call).symbol?.name;
  return name === 'Generator' || name === 'Iterator' || name === 'IterableIterator';
};

/** A place where a generator object is of no use: statement, condition or operand. */
function isWasted(call: ts.CallExpression): boolean {
  let child: ts.Node = call;
  let up = call.parent;
  while (ts.isParenthesizedExpression(up)) [child, up] = [up, up.parent];
  if (ts.isExpressionStatement(up) || ts.isPrefixUnaryExpression(up)) return true;
  if (ts.isBinaryExpression(up)) return up.operatorToken.kind !== ts.SyntaxKind.EqualsToken;
  if (ts.isConditionalExpression(up)) return up.condition === child;
  if (ts.isIfStatement(up) || ts.isWhileStatement(up) || ts.isDoStatement(up))
    return up.expression === child;
  if (ts.isVoidExpression(up) || ts.isTemplateSpan(up) || ts.isSwitchStatement(up)) return true;
  if (ts.isYieldExpression(up)) return !up.asteriskToken;
  return ts.isPropertyAccessExpression(up) && !/^(next|return|throw|\[)/.test(up.name.text);
}

/** 'file:line' of every forgotten `yield*` in the program. */
export function forgottenYields(program: ts.Program, ours: (file: string) => boolean): string[] {
  const checker = program.getTypeChecker();
  const found: string[] = [];
  for (const file of program.getSourceFiles()) {
    if (file.isDeclarationFile || !ours(file.fileName)) continue;
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && isGenerator(checker, node) && isWasted(node)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${file.fileName}:${line + 1}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

test('the check sees each kind of forgotten yield*', () => {
  const text = [
    'function* k(): Generator<number, boolean> { yield 1; return true; }',
    'export function* f(): Generator<number, void> {',
    '  k();',
    '  if (k()) yield 2;',
    '  const b = !k();',
    '  const c = b && k();',
    '  while (k()) yield 3;',
    '  yield k() as never;',
    '  const ok = yield* k();',
    '  const later = k(); later.next(); void ok; void c;',
    '}',
  ].join('\n');
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version) =>
    name === '/probe.ts' ? ts.createSourceFile(name, text, version, true) : read(name, version);
  const program = ts.createProgram(['/probe.ts'], options, host);
  const lines = forgottenYields(program, (f) => f === '/probe.ts').map((f) => f.split(':')[1]);
  expect(lines).toEqual(['3', '4', '5', '6', '7']);
});

test('src forgets none', () => {
  const paths = sources().map((s) => join(root, 'src', s.path));
  const program = ts.createProgram(paths, options);
  expect(forgottenYields(program, (f) => f.startsWith(join(root, 'src')))).toEqual([]);
});
