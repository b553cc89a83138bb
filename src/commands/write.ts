import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from './command.js';

/** Write a file the user named: beside it first, then by rename, so that no half file is left. */
export function writeOut(path: string, content: string | Uint8Array): void {
  const part = `${path}.part`;
  try {
    writeFileSync(part, content);
    renameSync(part, path);
  } catch (e) {
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

/** The path, unless it is one of the files to be read. */
export function notAnInput(path: string, inputs: readonly string[]): string {
  const same = inputs.find((i) => i !== '-' && resolve(i) === resolve(path));
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
