// Kernel specs: how a kernel is started, from a kernel.json or built in.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../commands/command.js';

/** How a kernel is started and interrupted; the fields of a kernel.json that a client needs. */
export interface KernelSpec {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly displayName: string;
  readonly language: string;
  readonly interruptMode: 'signal' | 'message';
}

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** Node flags of every kernel started by ptlab: cells `require` ES modules, which Node 20 warns of. */
const quiet = '--disable-warning=ExperimentalWarning';

/** tslab as it is published, run by this Node, with `import 'ptlab'` made to resolve anywhere. */
function tslabSpec(): KernelSpec {
  const bin = join(dirname(require.resolve('tslab/package.json')), 'bin', 'tslab');
  const hook = join(here, 'resolve', 'preload.cjs');
  const preload = existsSync(hook) ? ['--require', hook] : [];
  return {
    name: 'tslab',
    argv: [process.execPath, quiet, ...preload, bin, 'kernel', '--config-path={connection_file}'],
    env: { PTLAB_STARTER_PID: String(process.pid) },
    displayName: 'TypeScript (tslab)',
    language: 'typescript',
    interruptMode: 'signal',
  };
}

/** The argv of ptlab's own kernel, with absolute paths, as a kernel.json wants it. */
export const ptlabArgv: readonly string[] = [
  process.execPath,
  join(here, 'kernel.js'),
  '{connection_file}',
];

const ptlabSpec = (): KernelSpec => ({
  name: 'ptlab',
  argv: ptlabArgv,
  env: { PTLAB_STARTER_PID: String(process.pid) },
  displayName: 'TypeScript (ptlab)',
  language: 'typescript',
  interruptMode: 'message',
});

/** Where Jupyter keeps what a user has installed. */
export function userDataFolder(): string {
  const { env } = process;
  if (env['JUPYTER_DATA_DIR']) return env['JUPYTER_DATA_DIR'];
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Jupyter');
  if (process.platform === 'win32') return join(env['APPDATA'] ?? homedir(), 'jupyter');
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'jupyter');
}

/** The prefix of the Python in use (sys.prefix); undefined if there is none. */
export function pythonPrefix(): string | undefined {
  const active = process.env['VIRTUAL_ENV'] || process.env['CONDA_PREFIX'];
  if (active) return active;
  const asked = spawnSync('python3', ['-c', 'import sys; print(sys.prefix)'], { encoding: 'utf8' });
  return asked.stdout?.trim() || undefined;
}

/** The folders Jupyter looks for kernels in, nearest first. */
export function kernelFolders(): string[] {
  const path = process.env['JUPYTER_PATH']?.split(delimiter).filter((p) => p !== '') ?? [];
  const prefix = pythonPrefix();
  const data = [
    ...path,
    userDataFolder(),
    ...(prefix === undefined ? [] : [join(prefix, 'share', 'jupyter')]),
    '/usr/local/share/jupyter',
    '/usr/share/jupyter',
  ];
  return [...new Set(data)].map((d) => join(d, 'kernels'));
}

/** The kernel.json files found, by kernel name; the first folder of {@link kernelFolders} wins. */
export function installedSpecs(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of kernelFolders()) {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) continue;
    for (const name of readdirSync(folder).sort()) {
      const file = join(folder, name, 'kernel.json');
      if (!found.has(name.toLowerCase()) && existsSync(file)) found.set(name.toLowerCase(), file);
    }
  }
  return found;
}

/** The spec in a kernel.json file. */
export function readSpec(name: string, file: string): KernelSpec {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (e) {
    throw new UserError(`${file}: not a kernel.json: ${(e as Error).message}`);
  }
  const argv = json['argv'];
  if (!Array.isArray(argv) || argv.some((a) => typeof a !== 'string'))
    throw new UserError(`${file}: 'argv' must be a list of strings`);
  const folder = dirname(file);
  return {
    name,
    argv: argv.map((a: string) => a.replaceAll('{resource_dir}', folder)),
    env: (json['env'] as Record<string, string> | undefined) ?? {},
    displayName: String(json['display_name'] ?? name),
    language: String(json['language'] ?? ''),
    interruptMode: json['interrupt_mode'] === 'message' ? 'message' : 'signal',
  };
}

/**
 * The spec of kernel `name`: ptlab's own, the tslab of node_modules, or one installed for Jupyter.
 * @throws UserError naming the known ones.
 */
export function findSpec(name: string): KernelSpec {
  const own = builtIn[name];
  if (own) return own();
  const installed = installedSpecs();
  const file = installed.get(name.toLowerCase());
  if (file) return readSpec(name, file);
  const known = [...new Set([...Object.keys(builtIn), ...installed.keys()])].sort().join(', ');
  throw new UserError(`unknown kernel '${name}'. Known: ${known}`);
}

const builtIn: Readonly<Record<string, () => KernelSpec>> = {
  ptlab: ptlabSpec,
  tslab: tslabSpec,
};
