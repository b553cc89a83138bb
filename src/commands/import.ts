import { basename } from 'node:path';
import { chromePieces } from '../events/chrome.js';
import { csvPieces } from '../events/csv.js';
import { writeTrace } from '../events/file.js';
import { ftracePieces } from '../events/format.js';
import type { TraceMeta } from '../events/meta.js';
import { writeParquet } from '../events/parquet.js';
import type { Trace } from '../events/trace.js';
import { importers } from '../importers/index.js';
import { importFile, openTraces } from '../importers/open.js';
import { type Answer, byName, type Command, type Context, type Options } from './command.js';
import { openOptions, tellNotes, traceOptions } from './load.js';
import { notAnInput, writePieces } from './write.js';

/** One kind of file to write. */
interface Target {
  readonly ending: string;
  write(trace: Trace, path: string): void;
}

const text = (ending: string, pieces: (trace: Trace) => Iterable<string>): Target => ({
  ending,
  write: (trace, path) =>
    writePieces(path, (put) => {
      for (const piece of pieces(trace)) put(piece);
    }),
});

const perfetto = text('json', chromePieces);

/** What a trace can be written as. */
const targets: Readonly<Record<string, Target>> = {
  arrow: { ending: 'arrow', write: (trace, path) => writeTrace(path, trace) },
  parquet: {
    ending: 'parquet',
    write: (trace, path) => writePieces(path, (put) => writeParquet(trace, put)),
  },
  csv: text('csv', csvPieces),
  ftrace: text('txt', ftracePieces),
  json: perfetto,
  perfetto,
};

const outName = (path: string, ending: string): string =>
  `${path === '-' ? 'stdin' : basename(path).replace(/\.(gz|xz|zst)$/, '')}.${ending}`;

async function convert(
  paths: readonly string[],
  out: string,
  to: string,
  target: Target,
  open: Parameters<typeof openTraces>[1],
): Promise<TraceMeta> {
  if (paths.length === 1 && to === 'arrow') return importFile(paths[0]!, out, open);
  const trace = await openTraces(paths, open);
  target.write(trace, out);
  return trace.meta;
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const to = String(options['to'] ?? 'arrow');
  const target = byName('target', targets, to);
  const first = args[0]!;
  const out = notAnInput(String(options['output'] ?? outName(first, target.ending)), args);
  const { bar, open } = openOptions(first, options, context);
  const meta = await convert(args, out, to, target, open).finally(() => bar.stop());
  tellNotes(args.length === 1 ? first : `${args.length} files`, { meta }, context);
  const { source, format, seen, stated, lost, unparsed } = meta;
  return {
    json: { output: out, source, format, seen, stated, lost, unparsed },
    text: `${out}: ${seen} events, ${lost} lost, ${unparsed.lines} lines not understood`,
  };
}

/** `ptlab import`: any traces to one file. */
export const importCommand: Command = {
  args: '<files...>',
  about: `read traces (${Object.keys(importers).join(', ')}) into one file; several are merged by time`,
  options: [
    ['-o, --output <file>', 'the file to write; default: the name of the source with a new ending'],
    ['--to <kind>', `what to write: ${Object.keys(targets).join(', ')}`, 'arrow'],
    ...traceOptions,
  ],
  examples: [
    'ptlab import trace.txt.gz -o x.arrow',
    'ptlab import trace.dat --to parquet',
    'ptlab import trace.dat --to perfetto -o run.json',
    'ptlab import host.dat guest.dat -o both.arrow',
    'ptlab import - -o x.arrow < trace',
  ],
  run,
};
