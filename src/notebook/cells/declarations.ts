// The declarations of the language and of Node as few large files: they never change while a kernel
// runs, and every cell's program pays for each file, its checker for each symbol of two files.
import { dirname, resolve } from 'node:path';
import type * as TS from 'typescript50';

/** The library of the language for cells. */
export const library = 'lib.es2023.d.ts';

const ofNode = /[\\/]@types[\\/]node[\\/].*\.d\.ts$/;
const reference = /^\/\/\/\s*<reference\s+(lib|path)="([^"]+)"[^>]*>.*$/gm;
const isModule = /^(?:export|import)\b/m;

type Read = (path: string) => string | undefined;

/** Without documentation, which takes a quarter of the start to parse. */
const bare = (text: string): string => text.replace(/\/\*\*(?!\/)/g, '/* ');

/**
 * The text of `path` with all that it refers to in its place, each once; the paths go into
 * `taken`. References to modules stay, and go to the top.
 */
function gather(path: string, read: Read, taken: Set<string>): string {
  const top: string[] = [];
  const visit = (file: string, from: string): string => {
    taken.add(file);
    return from.replace(reference, (line, kind: string, name: string) => {
      const to = resolve(dirname(file), kind === 'lib' ? `lib.${name}.d.ts` : name);
      if (taken.has(to)) return '';
      const text = read(to);
      if (text === undefined || isModule.test(text)) {
        const absolute = kind === 'path' ? `/// <reference path="${to}" />` : line;
        if (kind === 'path' || !ofNode.test(file)) top.push(absolute);
        return '';
      }
      return visit(to, text);
    });
  };
  const body = visit(path, read(path) ?? '');
  return `${top.join('\n')}\n${bare(body)}`;
}

/**
 * `readFile` of a compiler whose libraries lie in folder `libs`: {@link library} and the index of
 * @types/node hold all that they refer to, and the single files of the former are empty.
 */
export function gathered(libs: string, readFile: TS.System['readFile']): TS.System['readFile'] {
  const root = resolve(libs, library);
  const inLibrary = new Set<string>();
  const whole = gather(root, (f) => readFile(f), inLibrary);
  return (path, encoding) => {
    const file = resolve(path);
    if (file === root) return whole;
    if (inLibrary.has(file)) return '';
    if (!ofNode.test(file)) return readFile(path, encoding);
    if (!/[\\/]index\.d\.ts$/.test(file)) return bare(readFile(path, encoding) ?? '');
    return gather(file, (f) => readFile(f), new Set(inLibrary));
  };
}
