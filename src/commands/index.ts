import { analyze } from './analyze.js';
import { chart } from './chart.js';
import type { Command } from './command.js';
import { importCommand } from './import.js';
import { info } from './info.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = {
  analyze,
  chart,
  import: importCommand,
  info,
} satisfies Record<string, Command>;
