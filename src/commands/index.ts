import type { Command } from './command.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = {} satisfies Record<string, Command>;
