import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../source.js';

export const cli = join(root, 'dist', 'cli.js');

/** Run the built command line; the tests are built before they run. */
export function ptlab(args: readonly string[], input?: Uint8Array) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    timeout: 240_000,
    maxBuffer: 1 << 28,
    ...(input ? { input } : {}),
  });
  return { status, stdout, stderr, json: () => JSON.parse(stdout) };
}

export const folder = (): string => mkdtempSync(join(tmpdir(), 'ptlab-cli-'));
