// Folders that are made for what is written.
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Make `folder` and those above it. Node's own recursive way never ends below /proc.
 * @throws Error with a `code`, as mkdir gives it.
 */
export function makeFolder(folder: string): void {
  const path = resolve(folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (e) {
    // another process may have made it since we looked
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw e;
  }
}
