// tslab's converter, with what it lacks: modern module resolution, source maps, and a program
// that is not analysed anew as a whole for every cell.
import { createRequire, SourceMap, type SourceMapPayload } from 'node:module';
import { dirname } from 'node:path';
import type * as TS from 'typescript50';
import { gathered, library } from './declarations.js';

type Compiler = typeof TS;

/** The part of tslab's converter that is used. */
export interface Converter {
  convert(previous: string, source: string): Converted;
  inspect(previous: string, source: string, at: number): TS.QuickInfo | undefined;
  complete(previous: string, source: string, at: number): Completions;
  addModule(name: string, source: string, meta?: unknown): unknown[];
  close(): void;
}

export interface Converted {
  output?: string;
  diagnostics: unknown[];
  hasToplevelAwait?: boolean;
}

export interface Completions {
  start: number;
  end: number;
  candidates: string[];
}

/** Line and column of a position in a cell's source, from 1. */
export type Where = (line: number, column: number) => { line: number; column: number } | null;

const require = createRequire(import.meta.url);
const inTslab = createRequire(require.resolve('tslab/package.json'));
const compilerPath = inTslab.resolve('@tslab/typescript-for-tslab');

let cellMap: string | undefined;
let moduleMap: string | undefined;

/** The files of the program that `file` imports, itself included, as far as they are sources. */
function sourcesOf(program: TS.Program, file: TS.SourceFile): string[] {
  type WithModules = TS.SourceFile & {
    resolvedModules?: { forEach(f: (r: { resolvedModule?: TS.ResolvedModule }) => void): void };
  };
  const found = new Set<string>();
  const visit = (f: TS.SourceFile): void => {
    if (f.isDeclarationFile || found.has(f.fileName)) return;
    found.add(f.fileName);
    (f as WithModules).resolvedModules?.forEach(({ resolvedModule: m }) => {
      const next = m && program.getSourceFile(m.resolvedFileName);
      if (next) visit(next);
    });
  };
  visit(file);
  return [...found];
}

/** tslab reads the names a cell declares from `locals`, which a checker would fill in too late. */
function bind(ts: Compiler, file: TS.SourceFile, options: TS.CompilerOptions): void {
  const { bindSourceFile } = ts as unknown as {
    bindSourceFile(f: TS.SourceFile, o: TS.CompilerOptions): void;
  };
  bindSourceFile(file, options);
}

/**
 * Do `what` while types may be named by files within a package. The declarations of a cell are not
 * published, so 'cannot be named without a reference to' such a file is no error here.
 */
function namingFiles<T>(program: TS.Program, what: () => T): T {
  const options = program.getCompilerOptions();
  options.resolvePackageJsonExports = false;
  try {
    return what();
  } finally {
    delete options.resolvePackageJsonExports;
  }
}

/** A builder that keeps no record of changes: one cell changes at a time, and we know which. */
function plainBuilder(ts: Compiler): TS.CreateProgram<TS.BuilderProgram> {
  return (...args) => {
    const builder = ts.createAbstractBuilder(...args);
    const { emit, getSourceFile } = builder;
    builder.getSourceFile = (name) => {
      const file = getSourceFile(name);
      if (file && !file.isDeclarationFile) bind(ts, file, builder.getCompilerOptions());
      return file;
    };
    builder.getAllDependencies = (file) => sourcesOf(builder.getProgram(), file);
    builder.emit = (file, write, ...rest) =>
      namingFiles(builder.getProgram(), () =>
        emit(
          file,
          (name, text, ...more) => {
            if (name.endsWith('__tslab__.js.map')) cellMap = text;
            else write?.(name, text, ...more);
          },
          ...rest,
        ),
      );
    return builder;
  };
}

const withoutMapUrl = (js: string): string => js.replace(/\n?\/\/# sourceMappingURL=\S*\s*$/, '');

/**
 * CommonJS of a cell that imports and declares nothing: what is left of `export` is the value of
 * its last expression, and no program is needed to find what refers to it. Every character keeps
 * its place. Null of any other cell.
 */
function plainModule(ts: Compiler, js: string): string | null {
  if (/\bimport\b/.test(js)) return null;
  const file = ts.createSourceFile('cell.js', js, ts.ScriptTarget.ES2022);
  let out = js;
  for (const s of file.statements) {
    const text = js.slice(s.getStart(file), s.end);
    if (!text.startsWith('export')) continue;
    const head = /^export (?:\{\};|const (tsLastExpr\d*) = )/.exec(text);
    if (!head) return null;
    const put = head[1] === undefined ? '' : `exports.${head[1]} = `;
    const start = s.getStart(file);
    out = out.slice(0, start) + put.padEnd(head[0].length) + out.slice(start + head[0].length);
  }
  return out;
}

/**
 * The disk as the converter is to see it: the fixed declarations in few files, and no watch on
 * files of packages.
 */
function lighten(ts: Compiler, system: TS.System): TS.System {
  const { readFile, watchFile } = system;
  const light = Object.create(system) as TS.System;
  const libs = dirname(ts.getDefaultLibFilePath({}));
  light.readFile = gathered(libs, (path, encoding) => readFile.call(system, path, encoding));
  light.watchFile = (path, ...rest) =>
    /[\\/]node_modules[\\/]/.test(path) || !watchFile
      ? { close() {} }
      : watchFile.call(system, path, ...rest);
  return light;
}

/** The compiler as tslab's converter is to see it. */
function improved(ts: Compiler): Compiler {
  const createWatchCompilerHost = (
    roots: string[],
    options: TS.CompilerOptions,
    system: TS.System,
    _builder: unknown,
    ...rest: unknown[]
  ) =>
    (ts.createWatchCompilerHost as (...a: unknown[]) => unknown)(
      roots,
      {
        ...options,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        lib: [library],
        types: ['node'],
        sourceMap: true,
      },
      lighten(ts, system),
      plainBuilder(ts),
      ...rest,
    );
  const transpileModule: Compiler['transpileModule'] = (js, options) => {
    const source = withoutMapUrl(js);
    const plain = plainModule(ts, source);
    moduleMap = undefined;
    if (plain !== null) return { outputText: plain };
    const compilerOptions = { ...options.compilerOptions, sourceMap: true };
    const out = ts.transpileModule(source, { ...options, compilerOptions });
    moduleMap = out.sourceMapText;
    return { ...out, outputText: withoutMapUrl(out.outputText) };
  };
  type OfFiles = (program: TS.Program, files: unknown) => TS.Diagnostic[];
  const check = (ts as unknown as { getPreEmitDiagnosticsOfFiles: OfFiles })
    .getPreEmitDiagnosticsOfFiles;
  const getPreEmitDiagnosticsOfFiles: OfFiles = (program, files) =>
    namingFiles(program, () => check(program, files));
  return {
    ...ts,
    getPreEmitDiagnosticsOfFiles,
    createWatchCompilerHost,
    transpileModule,
  } as unknown as Compiler;
}

/** Load the compiler, put it in tslab's way, and make a converter for the current folder. */
export function createConverter(isBrowser = false): Converter {
  const ts = inTslab('@tslab/typescript-for-tslab') as Compiler;
  const module = require.cache[compilerPath];
  if (module && !('ptlab' in module)) Object.assign(module, { exports: improved(ts), ptlab: true });
  const { createConverter: create } = inTslab('./dist/converter.js');
  return create({ isJS: false, isBrowser });
}

/** The compiler of tslab. */
export const compiler = (): Compiler => inTslab('@tslab/typescript-for-tslab') as Compiler;

const load = (json: string): SourceMap => new SourceMap(JSON.parse(json) as SourceMapPayload);

/**
 * Where positions in `code`, made of the last cell, come from; `shift` is the number of
 * characters that were put before its first line.
 */
export function takeMap(code: string, shift: number): Where {
  const lines = code.split('\n').length;
  const texts = [moduleMap, cellMap].filter((t) => t !== undefined);
  let maps: SourceMap[] | undefined;
  return (line, column) => {
    if (line > lines) return null; // the call that tslab puts behind
    maps ??= texts.map(load);
    let at = { line: line - 1, column: column - 1 - (line === 1 ? shift : 0) };
    for (const map of maps) {
      const entry = map.findEntry(at.line, at.column);
      if (!('originalLine' in entry)) return null;
      at = { line: entry.originalLine, column: entry.originalColumn };
    }
    // tslab puts one line before the source
    return at.line > 0 ? { line: at.line, column: at.column + 1 } : null;
  };
}
