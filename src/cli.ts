#!/usr/bin/env node
import { SingleBar } from 'cli-progress';
import { Command as Commander, Option } from 'commander';
import { ascii } from './commands/ascii.js';
import {
  type Answer,
  type Command,
  type Context,
  type Options,
  UserError,
} from './commands/command.js';
import { commands, loadCommands } from './commands/index.js';
import { jsonOf } from './commands/json.js';
import { FormatError, isOfSystem } from './importers/importer.js';

/** To stderr. A path or a name in it may hold what moves a cursor; line breaks are ours. */
const say = (text: string): void =>
  void process.stderr.write(`ptlab: ${text.replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, ascii)}\n`);

const context: Context = {
  note: say,
  progress(label) {
    if (!process.stderr.isTTY) return { update() {}, stop() {} };
    const began = Date.now();
    const bar = new SingleBar({
      format: `${label} [{bar}] {percentage}% {note}`,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
    });
    let shown = false;
    return {
      update(done, total, note = '') {
        if (!shown && Date.now() - began > 1000) {
          bar.start(total, done, { note });
          shown = true;
        }
        if (shown) {
          bar.setTotal(total);
          bar.update(done, { note });
        }
      },
      stop: () => (shown ? bar.stop() : undefined),
    };
  },
};

/** Write all of `text`, and wait until the pipe has taken it. */
const print = (text: string): Promise<void> =>
  new Promise((done) => {
    if (text === '') done();
    else process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => done());
  });

function form(answer: Answer, options: Options): string {
  if (options['json']) return jsonOf(answer.json);
  if (!options['csv']) return answer.text;
  if (answer.csv === undefined)
    throw new UserError('this command has no table for --csv; use --json');
  return answer.csv;
}

/** Help is text as any other. */
const helpWidth = 72;

/** An example of the help, which may have lines of its own; a long one goes on behind a backslash. */
function shown(example: string): string {
  const [first = '', ...rest] = example.split('\n');
  let line = '  $';
  const lines: string[] = [];
  for (const word of first.match(/(?:'[^']*'|\S)+/g) ?? []) {
    if (line.length + 1 + word.length + 2 > helpWidth) {
      lines.push(`${line} \\`);
      line = '     ';
    }
    line += ` ${word}`;
  }
  return [...lines, line, ...rest].join('\n');
}

function add(parent: Commander, name: string, command: Command): void {
  const c = parent.command(`${name} ${command.args}`.trim()).description(command.about);
  for (const [sub, inner] of Object.entries(command.sub ?? {})) add(c, sub, inner);
  for (const [flags, meaning, preset] of command.options ?? []) {
    const option = new Option(flags, meaning);
    if (preset !== undefined) option.default(preset);
    c.addOption(option);
  }
  c.addHelpText('after', `\nExamples:\n${command.examples.map(shown).join('\n')}`);
  const { run } = command;
  if (!run) return;
  c.option('--json', 'print JSON of a documented shape')
    .option('--csv', 'print the table as CSV')
    .option('--text', 'print at most 72 columns of plain ASCII (the default)');
  c.action(async (...all: unknown[]) => {
    const args = all
      .slice(0, -2)
      .flat()
      .filter((a) => a !== undefined) as string[];
    const options = c.opts() as Options;
    const answer = await run(args, options, context);
    await print(form(answer, options));
    process.exitCode = answer.status ?? 0;
  });
}

/** Load the one command that is asked for, or all where the help or an error must know them. */
async function program(asked = process.argv[2] ?? ''): Promise<Commander> {
  const list = await loadCommands(Object.hasOwn(commands, asked) ? [asked] : undefined);
  const p = new Commander('ptlab')
    .description('The page-table lab: race windows, sleep costs and table overwrites.')
    .configureHelp({ helpWidth, minWidthToWrap: 20, subcommandTerm: (c) => c.name() })
    .showHelpAfterError('(ptlab <command> --help shows an example)');
  for (const [name, command] of Object.entries(list)) add(p, name, command);
  return p;
}

process.stdout.on('error', (e: NodeJS.ErrnoException) => {
  if (e.code === 'EPIPE') process.exit(0); // the reader (head, less) went away
  throw e;
});

program()
  .then((p) => p.parseAsync())
  .catch((e: unknown) => {
    if (!(e instanceof UserError || e instanceof FormatError || isOfSystem(e))) throw e;
    say(e.message);
    process.exitCode = 1;
  });
