import type { Command } from './command.js';

/**
 * Every command of the CLI by name; help, tests and docs iterate over this. Each is loaded when it is
 * asked for: what one command needs shall not make the others slow to start.
 */
export const commands = {
  analyze: async () => (await import('./analyze.js')).analyze,
  calibrate: async () => (await import('./calibrate.js')).calibrate,
  chart: async () => (await import('./chart.js')).chart,
  demo: async () => (await import('./demo.js')).demo,
  explore: async () => (await import('./explore.js')).explore,
  import: async () => (await import('./import.js')).importCommand,
  info: async () => (await import('./info.js')).info,
  kernel: async () => (await import('./kernel.js')).kernel,
  lab: async () => (await import('./lab.js')).lab,
  'lint-mail': async () => (await import('./lint-mail.js')).lintMailCommand,
  litmus: async () => (await import('./litmus.js')).litmus,
  predict: async () => (await import('./predict.js')).predict,
  record: async () => (await import('./record.js')).record,
  replay: async () => (await import('./replay.js')).replay,
  reply: async () => (await import('./reply.js')).reply,
  run: async () => (await import('./run.js')).runCommand,
  simulate: async () => (await import('./simulate.js')).simulateCommand,
  stale: async () => (await import('./stale.js')).stale,
  verify: async () => (await import('./verify.js')).verify,
  watch: async () => (await import('./watch.js')).watch,
} satisfies Record<string, () => Promise<Command>>;

/** The commands of `names`, loaded; all of them by default. */
export async function loadCommands(
  names: readonly string[] = Object.keys(commands),
): Promise<Record<string, Command>> {
  const list: Readonly<Record<string, () => Promise<Command>>> = commands;
  const load = async (name: string) => [name, await list[name]?.()] as [string, Command];
  return Object.fromEntries(await Promise.all(names.map(load)));
}
