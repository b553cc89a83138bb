import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from '../notebook/install.js';
import { type Command, UserError } from './command.js';

/** What can be started, best first. */
const fronts = ['jupyter-lab', 'jupyter-notebook'];

const advice = `no JupyterLab and no Jupyter Notebook was found.
Install one of them:
  pip install jupyterlab          (or: conda install jupyterlab)
  apt install jupyter-notebook
or open the notebooks in VS Code with its Jupyter extension, after
  ptlab kernel install`;

/** The path of a program as the shell would find it. */
function which(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .map((f) => join(f, program))
    .find((f) => {
      try {
        accessSync(f, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function frontEnd(): string {
  const path = fronts.map(which).find((p) => p !== undefined);
  if (path === undefined) throw new UserError(advice);
  return path;
}

/** The folder to open: the one named, ./notebooks, or that of the package. */
function folderToOpen(given: string | undefined): string {
  if (given !== undefined && !existsSync(given)) throw new UserError(`${given}: no such folder`);
  const own = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'notebooks');
  const candidates = given === undefined ? ['notebooks', own] : [given];
  return resolve(candidates.find((f) => existsSync(f)) ?? '.');
}

/** `ptlab lab`: JupyterLab or Notebook with the kernel ready. */
export const lab: Command = {
  args: '[folder]',
  about: 'start your JupyterLab or Notebook in notebooks/ with the kernel ready',
  options: [
    ['--no-browser', 'do not open a browser'],
    ['--port <n>', 'the port to listen on'],
    ['--dry-run', 'only say what would be started'],
  ],
  examples: ['ptlab lab', 'ptlab lab notebooks --no-browser'],
  async run([given], options, context) {
    const program = frontEnd();
    const folder = folderToOpen(given);
    const more = [
      ...(options['browser'] === false ? ['--no-browser'] : []),
      ...(options['port'] === undefined ? [] : [`--port=${options['port']}`]),
    ];
    const words = [program, `--notebook-dir=${folder}`, ...more];
    if (options['dryRun']) return { json: { words }, text: words.join(' ') };
    const data = mkdtempSync(join(tmpdir(), 'ptlab-lab-'));
    try {
      await install(join(data, 'kernels'));
      const path = [data, process.env['JUPYTER_PATH']].filter((p) => p).join(delimiter);
      context.note(`starting ${words.join(' ')}`);
      const child = spawn(program, words.slice(1), {
        stdio: 'inherit',
        env: { ...process.env, JUPYTER_PATH: path },
      });
      process.on('SIGINT', () => {}); // the server asks the person itself
      const [code] = await once(child, 'close');
      return { json: { words, code }, text: '', status: code ?? 1 };
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  },
};
