import { folderOf, install, installed, type Place, remove, searched } from '../notebook/install.js';
import { type Command, type Options, UserError } from './command.js';

const places: Command['options'] = [
  ['--user', 'for this user (the default)'],
  ['--prefix <folder>', 'below <folder>/share/jupyter/kernels'],
  ['--sys-prefix', 'below the prefix of the Python in use (virtualenv, conda)'],
];

function placeOf(o: Options): Place {
  const given = ['user', 'prefix', 'sysPrefix'].filter((k) => o[k] !== undefined);
  if (given.length > 1) throw new UserError('give one of --user, --prefix, --sys-prefix');
  if (o['prefix'] !== undefined) return { prefix: String(o['prefix']) };
  return o['sysPrefix'] ? { sysPrefix: true } : { user: true };
}

const installCommand: Command = {
  args: '',
  about: 'make the ptlab kernel known to Jupyter, JupyterLab, VS Code and nbconvert',
  options: places,
  examples: ['ptlab kernel install', 'ptlab kernel install --prefix /usr/local'],
  async run(_args, options) {
    const folder = await install(folderOf(placeOf(options)));
    return { json: { folder }, text: `kernel 'ptlab' is installed in ${folder}` };
  },
};

const removeCommand: Command = {
  args: '',
  about: 'take the ptlab kernel away again',
  options: places,
  examples: ['ptlab kernel remove', 'ptlab kernel remove --prefix /usr/local'],
  async run(_args, options) {
    const folder = remove(folderOf(placeOf(options)));
    return { json: { folder }, text: `removed ${folder}` };
  },
};

const listCommand: Command = {
  args: '',
  about: 'list the kernels that Jupyter finds',
  examples: ['ptlab kernel list'],
  async run() {
    const all = installed();
    const lines = all.map((k) => `${k.name.padEnd(12)} ${k.folder}${k.works ? '' : ' (broken)'}`);
    const none = `no kernels in ${searched().join(', ') || 'any folder of Jupyter'}`;
    return { json: all, text: all.length > 0 ? lines.join('\n') : none };
  },
};

/** `ptlab kernel`: the notebook kernel in Jupyter. */
export const kernel: Command = {
  args: '',
  about: 'install, list or remove the notebook kernel',
  sub: { install: installCommand, list: listCommand, remove: removeCommand },
  examples: ['ptlab kernel install'],
};
