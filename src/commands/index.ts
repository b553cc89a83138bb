import type { Command } from './command.js';
import { runCommand } from './run.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = {
  run: runCommand,
} satisfies Record<string, Command>;
