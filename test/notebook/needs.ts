import { spawnSync } from 'node:child_process';

/** Is `command` there and does it run? */
const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { timeout: 60_000 }).status === 0;

export const python = '/usr/bin/python3';
export const browser = '/usr/bin/chromium';

const programs = {
  jupyter_client: () => runs(python, '-c', 'import jupyter_client'),
  nbclient: () => runs(python, '-c', 'import nbclient'),
  nbconvert: () => runs(python, '-c', 'import nbconvert'),
  'jupyter-notebook': () => runs('jupyter-notebook', '--version'),
  chromium: () => runs(browser, '--version'),
};

/**
 * What of `names` is missing, as the reason to skip; '' if all is there. In CI nothing may be
 * missing: the test runs, and fails.
 */
export function lacking(...names: (keyof typeof programs)[]): string {
  if (process.env['CI']) return '';
  const missing = names.filter((n) => !programs[n]());
  return missing.length > 0 ? ` (skipped: no ${missing.join(', ')})` : '';
}
