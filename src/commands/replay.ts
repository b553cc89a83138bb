import { replayFlat } from '../engines/memory/flat-run.js';
import { type Replay, replay as replayRun } from '../engines/replay.js';
import { type Recorder, recorder } from '../engines/run.js';
import { decodeToken, type Run } from '../engines/token.js';
import type { Move } from '../engines/verdict.js';
import { fileWriter } from '../events/file.js';
import { newMeta, type TraceMeta } from '../events/meta.js';
import { type Scenario, sizesOf } from '../linux/scenario.js';
import type { Scheme } from '../linux/scheme.js';
import type { System } from '../linux/system.js';
import { scenarios } from '../scenarios/index.js';
import { type Answer, byName, type Command, type Options, UserError } from './command.js';
import { asUserError } from './explore.js';
import { schemeOf } from './scheme-file.js';

function metaOf(token: string, run: Run, scheme: Scheme): TraceMeta {
  const meta = newMeta(token, 'run');
  meta.clock = 'step';
  meta.notes.push('times are step numbers: a schedule has an order and no durations');
  meta.run = {
    scheme: scheme.name,
    scenario: run.scenario,
    era: scheme.era,
    seed: '',
    cost_model: 'none',
  };
  return meta;
}

const line = (r: Move): string => `${String(r.n).padStart(4)} cpu ${r.cpu} ${r.task}: ${r.text}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 72); // biome-ignore format: one line

/** The run again, under its memory model. */
function follow(sys: System, made: Run, record?: Recorder): Replay {
  if (made.memory === 'sc') return replayRun(sys, made.schedule, record);
  return replayFlat(sys, { strength: made.memory, omit: new Set() }, made.schedule, record);
}

async function run(args: readonly string[], options: Options): Promise<Answer> {
  const token = args.join('');
  const made = asUserError(() => decodeToken(token));
  const scenario = byName<Scenario>('scenario', scenarios, made.scenario);
  const scheme = await schemeOf(String(options['scheme'] ?? made.scheme));
  if (scheme.name !== made.scheme)
    throw new UserError(`the token is of scheme '${made.scheme}', not '${scheme.name}'`);
  const sizes = asUserError(() => sizesOf(scenario, made.sizes));
  const sys = asUserError(() => scenario.build(scheme, sizes, made.variant));
  const meta = metaOf(token, made, scheme);
  meta.cpus = 1 + Math.max(...sys.tasks.map((t) => t.cpu));
  const output = options['output'] === undefined ? null : String(options['output']);
  const writer = output === null ? undefined : fileWriter(output, meta);
  const told = asUserError(() => follow(sys, made, writer && recorder(writer.log, sys)));
  writer?.finish(meta);
  const { scheme: name, memory, variant } = made;
  const json = { scenario: scenario.name, scheme: name, memory, sizes, variant, kind: told.kind, stuck: told.stuck, output, steps: told.steps }; // biome-ignore format: one line
  const end = told.kind === null ? 'ended without a bug' : `==> ${told.kind}`;
  const wrote = output === null ? [] : [`${output}: ${told.steps.length} events`];
  return { json, text: [...told.steps.map(line), end, ...wrote].join('\n') };
}

/** `ptlab replay`: a run again, from its token; as a trace with -o. */
export const replay: Command = {
  args: '<token...>',
  about: 'a run again from its token, every step; with -o as a trace like any other',
  options: [
    ['-o, --output <file>', 'write the run as a trace (Arrow)'],
    ['--scheme <file>', "the scheme's file, where the token is of a scheme of your own"],
  ],
  examples: ['ptlab replay p1~pmd-free~none~sc~~~a4b3a7b~1ca397 -o run.arrow'],
  run,
};
