import { Command as Commander, Option } from 'commander';
import { type Command, type Context, type Options, UserError } from './command.js';
import { raceText } from './race-block.js';

/** The only commands a block can make ptlab run: they read, and print. */
const rerunnable = ['analyze', 'chart', 'explore'];

/** One of them, from the registry. */
async function commandOf(name: string): Promise<Command> {
  const { loadCommands } = await import('./index.js'); // which holds `verify` too
  const command = rerunnable.includes(name) && (await loadCommands([name]))[name];
  if (command) return command;
  throw new UserError(`ptlab ${name}: only ${rerunnable.join(', ')} are run again`);
}

/** Arguments and options as the command defines them. -o is dropped: nothing is ever written. */
function parsed(command: Command, words: readonly string[]): { args: string[]; options: Options } {
  const c = new Commander('ptlab').exitOverride().configureOutput({ writeOut() {}, writeErr() {} });
  for (const argument of command.args.split(' ').filter((a) => a !== '')) c.argument(argument);
  for (const [flags, meaning, preset] of command.options ?? [])
    c.addOption(
      preset === undefined
        ? new Option(flags, meaning)
        : new Option(flags, meaning).default(preset),
    );
  c.option('--text').option('--json').option('--csv');
  c.parse([...words], { from: 'user' });
  const { output: _, text: __, json: ___, csv: ____, ...options } = c.opts();
  const args = c.processedArgs.flat().filter((a) => a !== undefined);
  return { args: args.map(String), options };
}

/** A command of a block, ready to run again. */
export interface Rerun {
  /** The traces it names. */
  readonly traces: readonly string[];
  /** Run it, in this process, on the traces given in their place; gives the text of its block. */
  run(traces: readonly string[], context: Context): Promise<string>;
}

/**
 * What a pasted command line would do.
 * @throws UserError unless it is a command of ptlab that only reads, with names and options it has.
 */
export async function rerun(words: readonly string[]): Promise<Rerun> {
  const [, name = '', ...rest] = words;
  const command = await commandOf(name);
  const { args, options } = parsed(command, rest);
  const scheme = options['scheme'];
  if (scheme !== undefined && !/^[a-z0-9-]+$/i.test(String(scheme)))
    throw new UserError(`a pasted block may not load code: --scheme ${scheme}`);
  const at = command.args.split(' ').findIndex((a) => /^<traces?(\.\.\.)?>$/.test(a));
  const before = at < 0 ? args : args.slice(0, at);
  return {
    traces: at < 0 ? [] : args.slice(at),
    async run(traces, context) {
      const answer = await command.run?.([...before, ...traces], options, context);
      return name === 'explore' ? raceText(answer?.json, words) : (answer?.text ?? '');
    },
  };
}
