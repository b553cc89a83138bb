import {
  closeSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from './command.js';

/** Write a file the user named: beside it first, then by rename, so that no half file is left. */
export function writeOut(path: string, content: string | Uint8Array): void {
  const part = `${path}.part`;
  try {
    writeFileSync(part, content);
    renameSync(part, path);
  } catch (e) {
    rmSync(part, { force: true });
    throw new UserError(`cannot write ${path}: ${(e as Error).message}`);
  }
}

/** Write a file piece by piece: `fill` is handed the function that appends. */
export function writePieces(
  path: string,
  fill: (put: (piece: string | Uint8Array) => void) => void,
): void {
  const part = `${path}.part`;
  try {
    const fd = openSync(part, 'w');
    try {
      fill((piece) => {
        const bytes = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece;
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      });
    } finally {
      closeSync(fd);
    }
    renameSync(part, path);
  } catch (e) {
    rmSync(part, { force: true });
    throw new UserError(`cannot write ${path}: ${(e as Error).message}`);
  }
}

/** The same with a pause after each piece, in which a signal is heard. */
export async function writeSlowly(path: string, pieces: Iterable<string>): Promise<void> {
  const part = `${path}.part`;
  const listen = tidier([part]);
  listen(true);
  try {
    const file = await open(part, 'w');
    try {
      for (const piece of pieces) await file.writeFile(piece);
    } finally {
      await file.close();
    }
    renameSync(part, path);
  } catch (e) {
    rmSync(part, { force: true });
    throw new UserError(`cannot write ${path}: ${(e as Error).message}`);
  } finally {
    listen(false);
  }
}

/**
 * Listens while it is told `true`: then Ctrl-C or a kill leaves none of `parts` behind. Only for times with
 * pauses, in which a signal is heard; at others it ends the process at once, as ever.
 */
export function tidier(parts: readonly string[]): (listen: boolean) => void {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const listen = (on: boolean): void => {
    for (const n of names) process.off(n, stop);
    if (on) for (const n of names) process.on(n, stop);
  };
  const stop = (signal: NodeJS.Signals): void => {
    for (const part of parts) rmSync(part, { force: true });
    listen(false);
    process.kill(process.pid, signal); // ends as if nobody had listened
  };
  return listen;
}

/** Are they one file, whatever links lead to it? */
function isSame(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true;
  const [x, y] = [a, b].map((p) => statSync(p, { throwIfNoEntry: false, bigint: true }));
  return x !== undefined && y !== undefined && x.isFile() && x.dev === y.dev && x.ino === y.ino;
}

/** The path, unless it is one of the files to be read, or another name of one. */
export function notAnInput(path: string, inputs: readonly string[]): string {
  const same = inputs.find((i) => i !== '-' && isSame(i, path));
  if (same !== undefined) {
    throw new UserError(`${path} is to be read and written at once; name another file with -o`);
  }
  return path;
}

const cell = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Rows as CSV (RFC 4180) with a heading. */
export function toCsv(rows: readonly object[]): string {
  const names = [...new Set(rows.flatMap((r) => Object.keys(r)))];
  const lines = rows.map((r) =>
    names.map((n) => cell((r as Record<string, unknown>)[n])).join(','),
  );
  return `${[names.join(','), ...lines].join('\n')}\n`;
}
