import { analyze } from './analyze.js';
import { chart } from './chart.js';
import type { Command } from './command.js';
import { demo } from './demo.js';
import { importCommand } from './import.js';
import { info } from './info.js';
import { record } from './record.js';
import { runCommand } from './run.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = {
  analyze,
  chart,
  demo,
  import: importCommand,
  info,
  record,
  run: runCommand,
} satisfies Record<string, Command>;
