import { quantiles } from '../analyses/quantiles.js';
import { segmentsOf } from '../analyses/segments.js';
import { fitProfile } from '../engines/cost-fit.js';
import { asciiLine } from './ascii.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import { load, traceOptions } from './load.js';
import { toCsv, writeOut } from './write.js';

interface Row {
  readonly what: string;
  readonly n: number;
  readonly p50_us: number;
  readonly p90_us: number;
  readonly max_us: number;
}

function rowOf(what: string, list: readonly number[]): Row[] {
  const q = quantiles(list);
  if (!q) return [];
  const us = (v: number): number => v / 1000;
  return [{ what, n: q.n, p50_us: us(q.p50), p90_us: us(q.p90), max_us: us(q.max) }];
}

const line = (r: Row): string =>
  `${r.what.replaceAll('mmap_lock_', '').slice(0, 41).padEnd(41)}${[r.n, r.p50_us, r.p90_us].map((v) => String(Math.round(v * 10) / 10).padStart(9)).join('')}`; // biome-ignore format: one line

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const path = args[0]!;
  const hz = Number(options['hz']);
  if (!(hz >= 24 && hz <= 10000)) throw new UserError(`--hz ${options['hz']}: from 24 to 10000`);
  const trace = await load(path, options, context);
  const m = segmentsOf(trace);
  if (Object.keys(m.segments).length === 0) {
    throw new UserError(
      `${path}: no two events of one task to measure between; it needs probes on vmalloc and the mmap_lock events (ptlab analyze race-windows ${path} says which)`,
    );
  }
  const { profile, unfit } = fitProfile(path, path, hz, m);
  const rows = [
    ...Object.entries(m.segments).flatMap(([k, v]) => (k.includes('@') ? [] : rowOf(k, v))),
    ...rowOf('lock, nobody in the way', m.lock_ns),
    ...rowOf('wake-up of a waiting reader', m.wake_ns),
    ...rowOf('a task goes on when a drain is due', m.work_item_ns),
    ...rowOf('from one read to the next', m.next_read_ns),
  ];
  const out = options['output'] as string | undefined;
  if (out !== undefined) writeOut(out, `${JSON.stringify(profile)}\n`);
  const text = [
    `profile fitted to ${path}: ${m.readers} readers, ${m.walks_per_read} walks a read`,
    `${'time between two events of one task'.padEnd(41)}        n   p50 us   p90 us`,
    ...rows.map(line),
    ...m.missing.map((t) => `not fitted: ${t}`),
    `left at the seeds: ${unfit.join(', ')}`,
    ...(out === undefined ? ['write it with -o FILE'] : [`written: ${out}`]),
  ];
  return {
    json: { profile, readers: m.readers, rows, missing: m.missing, unfit },
    text: text.flatMap((t) => wrapped(t)).join('\n'),
    csv: toCsv(rows),
  };
}

/** Lines of at most 72 columns, broken at blanks. */
function wrapped(text: string): string[] {
  const out: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const at = rest.length <= 72 ? rest.length : rest.lastIndexOf(' ', 72);
    const cut = at > 0 ? at : 72;
    out.push(asciiLine(rest.slice(0, cut).trimEnd(), 72));
    rest = rest.slice(cut).trimStart();
  }
  return out;
}

/** `ptlab calibrate`: a machine profile for `ptlab simulate`, from a real trace. */
export const calibrate: Command = {
  args: '<trace>',
  about: 'fit the cost model to a real trace, and say what could not be fitted',
  options: [
    ...traceOptions,
    ['-o, --output <file>', 'write the profile there, for ptlab simulate --profile'],
    ['--hz <n>', 'CONFIG_HZ of the kernel', '250'],
  ],
  examples: ['ptlab calibrate trace.txt.gz -o guest.json', 'ptlab calibrate trace.txt.gz --json'],
  run,
};
