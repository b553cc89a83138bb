import { analyze } from './analyze.js';
import { calibrate } from './calibrate.js';
import { chart } from './chart.js';
import type { Command } from './command.js';
import { demo } from './demo.js';
import { explore } from './explore.js';
import { importCommand } from './import.js';
import { info } from './info.js';
import { kernel } from './kernel.js';
import { lab } from './lab.js';
import { lintMailCommand } from './lint-mail.js';
import { litmus } from './litmus.js';
import { predict } from './predict.js';
import { record } from './record.js';
import { replay } from './replay.js';
import { reply } from './reply.js';
import { runCommand } from './run.js';
import { simulateCommand } from './simulate.js';
import { stale } from './stale.js';
import { verify } from './verify.js';
import { watch } from './watch.js';

/** Every command of the CLI by name; help, tests and docs iterate over this. */
export const commands = {
  analyze,
  calibrate,
  chart,
  demo,
  explore,
  import: importCommand,
  info,
  kernel,
  lab,
  'lint-mail': lintMailCommand,
  litmus,
  predict,
  record,
  replay,
  reply,
  run: runCommand,
  simulate: simulateCommand,
  stale,
  verify,
  watch,
} satisfies Record<string, Command>;
