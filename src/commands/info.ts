import { type Info, infoOf } from '../analyses/info.js';
import { asciiLine } from './ascii.js';
import type { Answer, Command, Context, Options } from './command.js';
import { load, traceOptions } from './load.js';
import { toCsv } from './write.js';

const seconds = (v: number | null): string => (v === null ? '-' : (v / 1e9).toFixed(6));

const shownGaps = 5;

/** Losses by CPU, and the first places where events are missing. */
function losses({ lost_per_cpu = {}, gaps = [] }: Info): string[] {
  const cpus = Object.entries(lost_per_cpu).map(([cpu, n]) => `  CPU ${cpu}: ${n} events lost`);
  const places = gaps.slice(0, shownGaps).map(({ cpu, seq, lost }) => {
    const where = cpu === null ? '' : ` on CPU ${cpu}`;
    return `  gap before event ${seq}${where}: ${lost ?? 'unknown how many'} lost`;
  });
  const more = gaps.length - places.length;
  return [...cpus, ...places, ...(more > 0 ? [`  and ${more} gaps more (--json)`] : [])];
}

/** The figures of `info` as lines of at most 72 columns. */
function text(i: Info): string {
  const { lines } = i.unparsed;
  const head = [
    `source    ${i.source}`,
    `format    ${i.format}`,
    `sha256 ${i.sha256}`,
    `kernel    ${i.kernel ?? 'not stated (say it with --kernel)'}`,
    `cpus      ${i.cpus}`,
    `events    ${i.events} (stated ${i.stated ?? 'nowhere'}, lost ${i.lost})`,
    ...losses(i),
    `from, to  ${seconds(i.first_ns)} s, ${seconds(i.last_ns)} s`,
    `unparsed  ${lines} lines`,
    ...i.unparsed.samples.map((s) => `  line ${s.line ?? '?'}, byte ${s.offset}: ${s.text}`),
    ...i.notes.map((n) => `note      ${n}`),
  ];
  const events = Object.entries(i.per_event).map(([n, c]) => `${String(c).padStart(12)}  ${n}`);
  const cpus = Object.entries(i.per_cpu).map(([n, c]) => `${String(c).padStart(12)}  CPU ${n}`);
  return [...head, '', '      events  kind', ...events, '', '      events  CPU', ...cpus]
    .map((l) => asciiLine(l, 72))
    .join('\n');
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const info = infoOf(await load(args[0]!, options, context));
  const rows = Object.entries(info.per_event).map(([event, count]) => ({ event, count }));
  return { json: info, text: text(info), csv: toCsv(rows) };
}

/** `ptlab info`: what a trace is and holds. */
export const info: Command = {
  args: '<trace>',
  about: 'what a trace is and holds: events by kind and CPU, losses, lines not understood',
  options: traceOptions,
  examples: ['ptlab info trace.txt.gz', 'ptlab info x.arrow --json'],
  run,
};
