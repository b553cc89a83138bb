import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { besideEntries, besideName, besideText } from '../events/beside.js';
import { chromePieces } from '../events/chrome.js';
import { csvPieces } from '../events/csv.js';
import { partsOf, writeTrace } from '../events/file.js';
import { ftracePieces } from '../events/format.js';
import type { TraceMeta } from '../events/meta.js';
import type { Trace } from '../events/trace.js';
import { quote } from '../export/shell.js';
import { importers } from '../importers/index.js';
import { importFile, openTraces } from '../importers/open.js';
import {
  type Answer,
  byName,
  type Command,
  type Context,
  type Options,
  UserError,
} from './command.js';
import { openOptions, tellNotes, traceOptions } from './load.js';
import { notAnInput, tidier, writeOut, writePieces, writeSlowly } from './write.js';

/** One kind of file to write. */
interface Target {
  readonly ending: string;
  write(trace: Trace, path: string): void | Promise<void>;
  /** Files that are written beside it. */
  besides?(path: string): string[];
}

const text = (ending: string, pieces: (trace: Trace) => Iterable<string>): Target => ({
  ending,
  write: (trace, path) => writeSlowly(path, pieces(trace)),
});

/** CSV, and beside it what is known of the trace as a whole. */
async function writeCsv(trace: Trace, path: string): Promise<void> {
  const hash = createHash('sha256');
  const beside = besideName(path);
  if (existsSync(beside) && besideEntries(readFileSync(beside, 'utf8')) === null) {
    throw new UserError(
      `${beside} lies where ptlab keeps what a CSV cannot hold (gaps, lost events, the clock), and is ` +
        'not its own: move it, or name another file with -o',
    );
  }
  function* hashed() {
    for (const piece of csvPieces(trace)) {
      hash.update(piece);
      yield piece;
    }
  }
  await writeSlowly(path, hashed());
  writeOut(beside, besideText(trace.meta, hash.digest('hex')));
}

const perfetto = text('json', chromePieces);

/** What a trace can be written as. */
const targets: Readonly<Record<string, Target>> = {
  arrow: { ending: 'arrow', write: (trace, path) => writeTrace(path, trace) },
  parquet: {
    ending: 'parquet',
    async write(trace, path) {
      const { writeParquet } = await import('../events/parquet.js'); // 50 modules that others need not wait for
      writePieces(path, (put) => writeParquet(trace, put));
    },
  },
  csv: { ending: 'csv', write: writeCsv, besides: (path) => [besideName(path)] },
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
  if (paths.length === 1 && to === 'arrow') {
    return importFile(paths[0]!, out, { ...open, onStream: tidier(partsOf(out)) });
  }
  const trace = await openTraces(paths, open);
  await target.write(trace, out);
  return trace.meta;
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const to = String(options['to'] ?? 'arrow');
  const target = byName('target', targets, to);
  const first = args[0]!;
  const named = options['output'];
  const out = notAnInput(String(named ?? outName(first, target.ending)), args);
  if (named === undefined && existsSync(out))
    throw new UserError(`${out} exists: to write it again, name it with -o ${quote(out)}`);
  const { bar, open } = openOptions(first, options, context);
  const meta = await convert(args, out, to, target, open).finally(() => bar.stop());
  tellNotes(args.length === 1 ? first : `${args.length} files`, { meta }, context);
  const { source, format, seen, stated, lost, unparsed } = meta;
  const besides = target.besides?.(out) ?? [];
  const lines = [
    `${out}: ${seen} events, ${lost} lost, ${unparsed.lines} lines not understood`,
    ...besides.map((b) => `${b}: what it cannot hold, such as gaps and lost events`),
  ];
  return {
    json: { output: out, besides, source, format, seen, stated, lost, unparsed },
    text: lines.join('\n'),
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
