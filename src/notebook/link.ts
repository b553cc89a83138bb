// Run once after the build of a clone: links node_modules/ptlab to the clone itself, so that cells
// of notebooks/ find the types of 'ptlab' under any kernel. Node finds the package without it;
// the compiler that tslab brings does not know self-reference. An installed ptlab needs no link.
import { lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Link `root`/node_modules/ptlab to `root`, unless `root` is itself an installed package. */
export function linkSelf(root: string): void {
  if (basename(dirname(root)) === 'node_modules') return;
  const link = join(root, 'node_modules', 'ptlab');
  const old = lstatSync(link, { throwIfNoEntry: false });
  if (old && !old.isSymbolicLink()) return;
  rmSync(link, { force: true });
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync('..', link, 'junction');
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  linkSelf(resolve(dirname(fileURLToPath(import.meta.url)), '..', '..'));
