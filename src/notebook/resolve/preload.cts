// Loaded into a kernel process before anything else (node --require). Cells may live in any
// folder: what they import and the folder does not have is taken from where ptlab is installed,
// by Node at run time and by tslab's compiler for the types.
import fs = require('node:fs');
import Module = require('node:module');
import path = require('node:path');

type Sys = Record<string, (...a: unknown[]) => unknown>;
type Loader = typeof Module & {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: unknown, ...rest: unknown[]): string;
};

const root = path.resolve(__dirname, '..', '..', '..');
const parent = path.dirname(root);
/** Where ptlab's own dependencies lie: inside it, or beside it. */
const stores = [
  path.join(root, 'node_modules'),
  ...(path.basename(parent) === 'node_modules' ? [parent] : []),
];
const bare = /^(@[^/]+\/)?[^./@][^/]*/;

const nameOf = (request: string): string | undefined => bare.exec(request)?.[0];

/** The folder of a package as ptlab sees it, undefined if it sees none. */
function folderOf(name: string): string | undefined {
  if (name === 'ptlab') return root;
  return stores.map((s) => path.join(s, name)).find((f) => fs.existsSync(f));
}

const here = path.join(process.cwd(), 'node_modules').split(path.sep).join('/');

/**
 * A path below node_modules of the current folder, where it would be for ptlab. What lies within
 * ptlab is not shown there, but beside it: a type of arquero is then one that a cell can name.
 */
function elsewhere(file: string): string {
  if (!file.startsWith(`${here}/`) || fs.existsSync(file)) return file;
  const inside = file.slice(here.length + 1);
  if (inside.startsWith('ptlab/node_modules')) return file;
  const name = nameOf(inside);
  const folder = name && folderOf(name);
  return folder ? folder + inside.slice(name.length) : file;
}

/** Make the compiler's view of the disk include what {@link elsewhere} finds. */
function widen(sys: Sys): void {
  for (const name of ['fileExists', 'readFile', 'directoryExists', 'readDirectory']) {
    const plain = sys[name];
    if (plain) sys[name] = (file, ...rest) => plain.call(sys, elsewhere(String(file)), ...rest);
  }
  const { realpath } = sys; // what is seen elsewhere keeps the place where it is seen
  sys['realpath'] = (file) =>
    elsewhere(String(file)) === file ? realpath?.call(sys, file) : (file as string);
}

const loader = Module as Loader;
const { _load: load, _resolveFilename: resolveFilename } = loader;
const widened = new WeakSet<object>();

loader._load = function _load(request, from, isMain) {
  const exports = load.call(this, request, from, isMain);
  if (request === '@tslab/typescript-for-tslab') {
    const { sys } = exports as { sys: Sys };
    if (!widened.has(sys)) widen(sys);
    widened.add(sys);
  }
  return exports;
};

loader._resolveFilename = function _resolveFilename(request, from, ...rest) {
  try {
    return resolveFilename.call(this, request, from, ...rest);
  } catch (e) {
    const name = nameOf(request);
    if ((e as { code?: string }).code !== 'MODULE_NOT_FOUND' || !name) throw e;
    if (!folderOf(name)) throw e;
    try {
      return Module.createRequire(path.join(root, 'package.json')).resolve(request);
    } catch {
      throw e;
    }
  }
};

// A kernel whose starter was killed has no one left to talk to.
if (process.env['PTLAB_STARTER_PID']) {
  const starter = Number(process.env['PTLAB_STARTER_PID']);
  const timer = setInterval(() => {
    if (process.ppid !== starter) process.exit(1);
  }, 1000);
  timer.unref();
}
