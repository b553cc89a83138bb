import { analyze } from './analyze.js';
import { chart } from './chart.js';
import type { Command } from './command.js';
import { demo } from './demo.js';
import { explore } from './explore.js';
import { importCommand } from './import.js';
import { info } from './info.js';
import { litmus } from './litmus.js';
import { predict } from './predict.js';
import { replay } from './replay.js';
import { runCommand } from './run.js';
import { simulateCommand } from './simulate.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = {
  analyze,
  chart,
  demo,
  explore,
  import: importCommand,
  info,
  litmus,
  predict,
  replay,
  run: runCommand,
  simulate: simulateCommand,
} satisfies Record<string, Command>;
