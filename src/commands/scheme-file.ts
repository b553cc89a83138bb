import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as TS from 'typescript5';
import type { Scheme } from '../linux/scheme.js';
import { schemes } from '../schemes/index.js';
import { byName, UserError } from './command.js';

/** The compiler tslab brings: to strip types, it needs no newer one. */
function compiler(): typeof TS {
  const tslab = createRequire(createRequire(import.meta.url).resolve('tslab/package.json'));
  return tslab('@tslab/typescript-for-tslab') as typeof TS;
}

/** JavaScript of a scheme file, its imports made absolute so that it can run from anywhere. */
function javascript(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    throw new UserError(`cannot read the scheme ${path}: ${(e as Error).message}`);
  }
  const ts = compiler();
  const { outputText, diagnostics } = ts.transpileModule(text, {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const [bad] = diagnostics ?? [];
  if (bad) {
    const at = bad.file?.getLineAndCharacterOfPosition(bad.start ?? 0);
    const message = ts.flattenDiagnosticMessageText(bad.messageText, ' ');
    throw new UserError(`${path}:${(at?.line ?? 0) + 1}: ${message}`);
  }
  const root = dirname(createRequire(import.meta.url).resolve('ptlab/package.json'));
  const library = pathToFileURL(join(root, 'dist', 'index.js')).href;
  const beside = pathToFileURL(`${dirname(resolve(path))}/`);
  return outputText
    .replace(/(from\s*|import\s*)(['"])ptlab\2/g, (_, how) => `${how}${JSON.stringify(library)}`)
    .replace(/(from\s*|import\s*)(['"])(\.\.?\/[^'"]+)\2/g, (_, how, _q, file) => `${how}${JSON.stringify(new URL(file, beside).href)}`); // biome-ignore format: one line
}

const points = ['enterOverwrite', 'beforeClear', 'afterClear', 'beforeFree', 'free', 'afterFree', 'leaveOverwrite', 'walkBegin', 'walkLock', 'walkUnlock', 'walkEnd']; // biome-ignore format: one line
const words = ['name', 'title', 'source', 'era', 'claim', 'expect', 'pudOrder', 'setUp'];

/** A scheme as a file gave it, checked; what may be left out is filled in. */
export function checkScheme(path: string, value: unknown): Scheme {
  if (typeof value !== 'object' || value === null)
    throw new UserError(`${path} has no scheme: 'export default { name: ..., ... }'`);
  const given = value as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (!points.includes(key) && !words.includes(key))
      throw new UserError(`${path}: unknown point '${key}'. Known: ${points.join(', ')}`);
    if (points.includes(key) && typeof given[key] !== 'function')
      throw new UserError(`${path}: ${key} is not a function`);
  }
  if (typeof given['name'] !== 'string' || given['name'] === '')
    throw new UserError(`${path}: the scheme has no name: { name: 'my-scheme', ... }`);
  const text = (key: string, preset: string): string => String(given[key] ?? preset);
  const name = given['name'].replace(/[^\w.-]/g, '_');
  return {
    title: text('title', name),
    source: path,
    era: 'never merged',
    claim: 'none stated',
    ...given,
    name,
  } as Scheme;
}

/** A scheme by name, or from a file: a path (./my-scheme.ts, .js, .mjs). The file is code, and is run. */
export async function schemeOf(name: string): Promise<Scheme> {
  if (!/[./\\]/.test(name)) return byName('scheme', schemes, name);
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-scheme-'));
  const file = join(folder, 'scheme.mjs');
  try {
    writeFileSync(file, javascript(name));
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return checkScheme(name, module.default);
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new UserError(`cannot load the scheme ${name}: ${(e as Error).message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A scheme file to begin with, for the help. */
export const template = `
  // my-scheme.ts: v6, but the lock is held over the free
  import { DEFINE_STATIC_KEY_FALSE, mmap_read_lock, mmap_read_unlock,
    place, static_branch_dec, static_branch_inc,
    static_branch_unlikely, type Scheme } from 'ptlab';

  const key = (sys) => place(sys, 'my_key');
  const init_mm = (sys) => place(sys, 'init_mm');

  export default {
    name: 'my-scheme',
    setUp: (sys) => void DEFINE_STATIC_KEY_FALSE(sys, 'my_key', 8),
    *walkBegin(sys) { yield* static_branch_inc(sys, key(sys)); },
    *walkEnd(sys) { yield* static_branch_dec(sys, key(sys)); },
    *beforeFree(sys, frame) {
      if (!(yield* static_branch_unlikely(key(sys)))) return;
      yield* mmap_read_lock(init_mm(sys));
      frame.locked = 1;          // what later points need to know
    },
    *afterFree(sys, frame) {
      if (frame.locked) yield* mmap_read_unlock(init_mm(sys));
    },
  } satisfies Partial<Scheme>;

  Points, in order: enterOverwrite (gives false to refuse),
  beforeClear, afterClear, beforeFree, free, afterFree,
  leaveOverwrite; walkBegin, walkLock, walkUnlock, walkEnd.
  Always 'yield*'; remember things in 'frame' only.`;
