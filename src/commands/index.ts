import type { Command } from './command.js';
import { litmus } from './litmus.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = { litmus } satisfies Record<string, Command>;
