import { readFileSync } from 'node:fs';
import type { KnownArea, Miss, Prediction } from '../analyses/prediction.js';
import { predict as replay } from '../analyses/prediction.js';
import { readVmallocInfo, VmallocInfoError } from '../importers/vmallocinfo.js';
import { eraOf, eras } from '../linux/eras.js';
import { asciiLine } from './ascii.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import { load, traceOptions } from './load.js';
import { toCsv } from './write.js';

const WIDTH = 72;

/** The areas of a /proc/vmallocinfo that are in use, in 4K pages. */
function knownAreas(path: string): KnownArea[] {
  try {
    return readVmallocInfo(readFileSync(path, 'utf8'))
      .filter((a) => a.kind !== 'unpurged')
      .map(({ start, end, phys }) => ({
        start: Number(start >> 12n),
        end: Number(end >> 12n),
        phys: phys === null ? null : Number(phys >> 12n),
      }));
  } catch (e) {
    if (e instanceof VmallocInfoError || (e as NodeJS.ErrnoException).code)
      throw new UserError(`${path}: ${(e as Error).message}`);
    throw e;
  }
}

function count(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const n = Number(value);
  if (Number.isInteger(n) && n >= 1 && n <= 8192) return n;
  throw new UserError(`--${name} ${value}: it must be a whole number from 1 to 8192`);
}

const row = (what: string, exact: number, total: number): string =>
  `  ${what.padEnd(22)}${String(exact).padStart(10)} of ${String(total).padStart(10)}`;

function tableLines(p: Prediction): string[] {
  const { predicted, observed } = p.tables;
  const names = Object.keys(predicted) as (keyof typeof predicted)[];
  const lines = names.map(
    (n) =>
      `  ${n.padEnd(22)}${String(predicted[n]).padStart(10)}    ${String(observed?.[n] ?? '-').padStart(10)}`,
  );
  return ['page tables             predicted      observed', ...lines];
}

/** `text` in lines of the width, at blanks; what follows is set in. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let rest = asciiLine(text, 4 * WIDTH);
  while (rest.length > WIDTH) {
    const at = rest.lastIndexOf(' ', WIDTH);
    const cut = at > 12 ? at : WIDTH;
    lines.push(rest.slice(0, cut));
    rest = `      ${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}

function missLines(m: Miss): string[] {
  return [
    `event ${m.n} at ${m.time.toFixed(6)} s, CPU ${m.cpu}, ${m.task}`,
    `  predicted ${m.predicted}`,
    `  real      ${m.real}`,
    ...wrapped(`  because   ${m.because}`),
  ];
}

/** A prediction in words: what was exact, and where the model and the trace part. */
export function predictionText(p: Prediction): string {
  const { allocations, purges, tables, misses } = p;
  const lines = [
    'model against trace         exact of      total',
    row('addresses', allocations.exact, allocations.total),
    row('sizes, alignments', p.requests.exact, p.requests.total),
    row('purges', purges.exact, purges.total),
    ...tableLines(p),
    p.equal ? 'equal: every address, purge and table count' : 'not equal',
  ];
  const others = allocations.reordered + purges.reordered;
  if (others > 0)
    lines.push(`${others} exact in an order other than that of the events (--json: races)`);
  lines.push(...tables.because.slice(0, 8).flatMap((b) => wrapped(`note: ${b}`)));
  if (tables.because.length > 8)
    lines.push(`${tables.because.length - 8} more notes; all of them: --json`);
  if (misses.length > 0) lines.push('first divergence:', ...missLines(misses[0]!));
  if (misses.length > 1) lines.push(`${misses.length - 1} more; all of them: --json or --csv`);
  return lines.map((l) => asciiLine(l, WIDTH)).join('\n');
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const path = args[0]!;
  const trace = await load(path, options, context);
  const release = (options['kernel'] as string | undefined) ?? trace.meta.kernel ?? '6.12';
  if (!/^\d+\.\d+/.test(release))
    throw new UserError(`--kernel ${release}: known are ${Object.keys(eras).join(', ')}`);
  const file = options['fromVmallocinfo'] as string | undefined;
  const result = replay(trace, {
    cpus: count('cpus', options['cpus']),
    era: eraOf(release),
    areas: file === undefined ? undefined : knownAreas(file),
  });
  if (result.allocations.total === 0)
    throw new UserError(
      `${path}: no alloc_vmap_area event; record with the vmalloc tracepoints: ` +
        'trace-cmd record -e vmalloc',
    );
  return { json: result, text: predictionText(result), csv: toCsv(result.misses as never) };
}

/** `ptlab predict`: a real run against the model. */
export const predict: Command = {
  args: '<trace>',
  about: 'replay a real run through the model of vmalloc and compare every address',
  options: [
    ...traceOptions,
    ['--cpus <n>', 'possible CPUs of the machine, where the trace does not show them'],
    ['--from-vmallocinfo <file>', 'its /proc/vmallocinfo: what was taken before the trace began'],
  ],
  examples: [
    'ptlab predict trace.txt.gz',
    'ptlab predict trace.txt.gz --json',
    'ptlab predict trace.txt.gz --from-vmallocinfo vmallocinfo.boot',
  ],
  run,
};
