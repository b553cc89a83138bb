import { basename } from 'node:path';
import { importFile } from '../importers/open.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import { openOptions, tellNotes, traceOptions } from './load.js';
import { notAnInput } from './write.js';

const outName = (path: string): string =>
  `${path === '-' ? 'stdin' : basename(path).replace(/\.(gz|xz|zst)$/, '')}.arrow`;

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const [path, ...more] = args as [string, ...string[]];
  if (more.length > 0) throw new UserError('one file at a time: import each with its own -o');
  const out = notAnInput(String(options['output'] ?? outName(path)), args);
  const { bar, open } = openOptions(path, options, context);
  const meta = await importFile(path, out, open).finally(() => bar.stop());
  tellNotes(path, { meta }, context);
  const { seen, stated, lost, unparsed } = meta;
  const json = {
    output: out,
    source: meta.source,
    format: meta.format,
    seen,
    stated,
    lost,
    unparsed,
  };
  return {
    json,
    text: `${out}: ${seen} events, ${lost} lost, ${unparsed.lines} lines not understood`,
  };
}

/** `ptlab import`: any trace to one Arrow file. */
export const importCommand: Command = {
  args: '<files...>',
  about: 'read a trace of any known format into one Arrow file',
  options: [
    ['-o, --output <file>', 'the Arrow file to write; default: the name of the source + .arrow'],
    ...traceOptions,
  ],
  examples: ['ptlab import trace.txt.gz -o x.arrow', 'ptlab import - -o x.arrow < trace'],
  run,
};
