import { analyze } from './analyze.js';
import { chart } from './chart.js';
import type { Command } from './command.js';
import { demo } from './demo.js';
import { importCommand } from './import.js';
import { info } from './info.js';
import { lintMailCommand } from './lint-mail.js';
import { reply } from './reply.js';
import { runCommand } from './run.js';
import { verify } from './verify.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = {
  analyze,
  chart,
  demo,
  import: importCommand,
  info,
  'lint-mail': lintMailCommand,
  reply,
  run: runCommand,
  verify,
} satisfies Record<string, Command>;
