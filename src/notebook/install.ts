// The kernel as Jupyter finds it: a folder with kernel.json and logos.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../commands/command.js';
import { makeFolder } from './folders.js';
import {
  installedSpecs,
  kernelFolders,
  ptlabArgv,
  pythonPrefix,
  readSpec,
  userDataFolder,
} from './spec.js';

/** Where to: for this user, below a prefix, or below that of the Python in use. */
export type Place = { user: true } | { prefix: string } | { sysPrefix: true };

/** A page of 8 by 8 entries: most point to tables, a block covers some. */
const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<rect width="64" height="64" rx="8" fill="#1b3a57"/>
<g fill="#e8eef4"><rect x="8" y="8" width="21" height="9"/><rect x="35" y="8" width="21" height="9"/>
<rect x="8" y="21" width="21" height="9"/><rect x="8" y="34" width="21" height="9"/>
<rect x="8" y="47" width="21" height="9"/><rect x="35" y="47" width="21" height="9"/></g>
<rect x="35" y="21" width="21" height="22" fill="#f0a32f"/></svg>
`;

const below = join('share', 'jupyter', 'kernels');

/** The kernels folder of a place. */
export function folderOf(place: Place): string {
  if ('user' in place) return join(userDataFolder(), 'kernels');
  if ('prefix' in place) {
    if (place.prefix === '') throw new UserError('--prefix: a folder wanted, nothing given');
    return join(resolve(place.prefix), below);
  }
  const prefix = pythonPrefix();
  if (prefix === undefined)
    throw new UserError('no python3 found to ask for sys.prefix; use --prefix or --user');
  return join(prefix, below);
}

/** The text of ptlab's kernel.json: absolute paths, so that it works from any folder. */
export const kernelJson = (): string =>
  `${JSON.stringify(
    {
      argv: ptlabArgv,
      display_name: 'TypeScript (ptlab)',
      language: 'typescript',
      interrupt_mode: 'message',
      metadata: { debugger: false },
    },
    null,
    2,
  )}\n`;

const isOurs = (file: string): boolean => {
  try {
    return /[\\/]notebook[\\/]kernel\.js$/.test(readSpec('ptlab', file).argv[1] ?? '');
  } catch {
    return false;
  }
};

async function logos(): Promise<Record<string, string | Uint8Array>> {
  const { Resvg } = await import('@resvg/resvg-js');
  const png = (value: number) =>
    new Resvg(logo, { fitTo: { mode: 'width', value } }).render().asPng();
  return { 'logo-svg.svg': logo, 'logo-32x32.png': png(32), 'logo-64x64.png': png(64) };
}

/**
 * Write the kernel's folder below `kernels`; gives the folder.
 * @throws UserError if a kernel of that name is there that is not ours, or nothing can be written.
 */
export async function install(kernels: string): Promise<string> {
  const folder = join(kernels, 'ptlab');
  const file = join(folder, 'kernel.json');
  try {
    makeFolder(folder);
    if (readdirSync(folder).length > 0 && !isOurs(file))
      throw new UserError(
        `${folder} is a kernel of someone else; remove it first, or choose another place`,
      );
    writeFileSync(file, kernelJson()); // first: what is half installed is ours, and can be done again
    for (const [name, data] of Object.entries(await logos()))
      writeFileSync(join(folder, name), data);
  } catch (e) {
    if (e instanceof UserError) throw e;
    const { code } = e as NodeJS.ErrnoException;
    throw new UserError(
      `cannot write ${folder}: ${code}; try --user, or --prefix with a folder of yours`,
    );
  }
  return folder;
}

/** Remove ptlab's folder from `kernels`. @throws UserError if it is not there, or not ours. */
export function remove(kernels: string): string {
  const folder = join(kernels, 'ptlab');
  const file = join(folder, 'kernel.json');
  if (!existsSync(file))
    throw new UserError(`no ptlab kernel in ${kernels}; see ptlab kernel list`);
  if (!isOurs(file)) throw new UserError(`${file} is a kernel of someone else; left alone`);
  rmSync(folder, { recursive: true });
  return folder;
}

/** A kernel that Jupyter would find here. */
export interface Installed {
  readonly name: string;
  readonly folder: string;
  readonly display_name: string;
  readonly language: string;
  /** False if the program or the script it starts is gone. */
  readonly works: boolean;
}

function describe(name: string, file: string): Installed {
  const folder = dirname(file);
  try {
    const { argv, displayName, language } = readSpec(name, file);
    const files = argv.filter((a) => a.startsWith('/'));
    const works = files.every((f) => existsSync(f));
    return { name, folder, display_name: displayName, language, works };
  } catch {
    return { name, folder, display_name: '', language: '', works: false };
  }
}

/** Every installed kernel, by name. */
export const installed = (): Installed[] =>
  [...installedSpecs()].map(([name, file]) => describe(name, file));

/** Folders that Jupyter searches, as far as they exist. */
export const searched = (): string[] => kernelFolders().filter((f) => existsSync(f));
