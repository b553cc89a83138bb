import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { FormatError } from './importer.js';

/** What a program prints of a file; its messages go into the error, should it fail. */
export async function* runTool(
  command: string,
  args: readonly string[],
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) void piece; // for the hash
  const child = spawn(command, [...args, resolve(path)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (d: Buffer) => {
    if (said.length < 2000) said += d.toString();
  });
  const ended = new Promise<string | null>((done) => {
    child.on('error', (e) => done(e.message));
    child.on('close', (code) => done(code === 0 ? null : `status ${code}: ${said.trim()}`));
  });
  yield* child.stdout as AsyncIterable<Uint8Array>;
  const wrong = await ended;
  if (wrong === null) return;
  const line = `${command} ${args.join(' ')}`;
  if (/ENOENT/.test(wrong)) {
    throw new FormatError(
      `needs ${command}, which is not on the PATH: install it, or where it was recorded run ` +
        `'${line} FILE > x.txt' and import x.txt`,
    );
  }
  throw new FormatError(`${line} failed: ${wrong}`);
}
