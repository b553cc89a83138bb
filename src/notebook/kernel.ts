// ptlab's Jupyter kernel: `node kernel.js CONNECTION_FILE`, as kernel.json says. This process
// only serves; the cells run in another one, so that a client is answered whatever they do.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from './server/serve.js';
import type { Connection } from './wire.js';

/** The path of this file, for a kernel.json. */
export const kernelPath = fileURLToPath(import.meta.url);

async function main(file: string | undefined): Promise<void> {
  if (file === undefined) {
    process.stderr.write('usage: kernel.js CONNECTION_FILE (Jupyter starts it)\n');
    process.exit(2);
  }
  const connection = JSON.parse(readFileSync(file, 'utf8')) as Connection;
  const scheme = connection.signature_scheme ?? 'hmac-sha256';
  if (connection.key !== '' && scheme !== 'hmac-sha256')
    throw new Error(`messages signed by ${scheme}: hmac-sha256 is the one that is known`);
  const { interrupt, stop, over } = await serve(connection);
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', () => void stop());
  const parent = process.ppid;
  if (process.env['JPY_PARENT_PID'] || process.env['PTLAB_STARTER_PID']) {
    const check = () => (process.ppid === parent ? undefined : void stop());
    setInterval(check, 1000).unref();
  }
  await over;
  process.exit(0);
}

if (process.argv[1] && resolve(process.argv[1]) === kernelPath)
  main(process.argv[2]).catch((e: Error) => {
    process.stderr.write(`ptlab: the notebook kernel cannot start: ${e.message}\n`);
    process.exit(1);
  });
