import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** One TypeScript file of src/: its path from src/ with '/', and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Every .ts file below `folder` of the project, sorted by path. */
export function sources(folder = 'src'): Source[] {
  const base = join(root, folder);
  return readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith('.ts'))
    .map((e) => join(e.parentPath, e.name))
    .sort()
    .map((file) => ({
      path: relative(base, file).split(sep).join('/'),
      text: readFileSync(file, 'utf8'),
    }));
}

/** The room a file of src/ belongs to: its first folder, or its name for cli.ts and index.ts. */
export const roomOf = (path: string): string =>
  path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '');
