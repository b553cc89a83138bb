import { type Info, infoOf } from '../analyses/info.js';
import { span, type Trace } from '../events/trace.js';
import { asciiLine } from './ascii.js';
import type { Answer, Command, Context, Options } from './command.js';
import { load, traceOptions } from './load.js';
import { toCsv } from './write.js';

const seconds = (v: number | null): string => (v === null ? '-' : (v / 1e9).toFixed(6));

const shownGaps = 5;

/** The first places where events are missing. */
function places({ gaps = [] }: Info): string[] {
  const list = gaps.slice(0, shownGaps).map((g) => {
    const where = `${g.cpu === null ? '' : ` on CPU ${g.cpu}`}${g.source === undefined ? '' : ` of ${g.source}`}`;
    const [from, to] = [seconds(g.from_ns), seconds(g.to_ns)];
    return `gap       ${from} to ${to} s${where}: ${g.lost ?? 'unknown how many'} lost`;
  });
  const more = gaps.length - list.length;
  return [...list, ...(more > 0 ? [`  and ${more} gaps more (--json)`] : [])];
}

/** Events of each CPU: read, stated and lost, where the trace says so. */
function perCpu(i: Info): string[] {
  const { stated_per_cpu: stated = {}, lost_per_cpu: lost = {} } = i;
  const cpus = new Set([i.per_cpu, stated, lost].flatMap((o) => Object.keys(o).map(Number)));
  const full = Object.keys(stated).length + Object.keys(lost).length > 0;
  const cells = (...list: unknown[]): string => list.map((c) => String(c).padStart(12)).join('');
  const more = (cpu: number): unknown[] => (full ? [stated[cpu] ?? '-', lost[cpu] ?? 0] : []);
  return [
    `${cells('events', ...(full ? ['stated', 'lost'] : []))}  CPU`,
    ...[...cpus]
      .sort((a, b) => a - b)
      .map((cpu) => `${cells(i.per_cpu[cpu] ?? 0, ...more(cpu))}  CPU ${cpu}`),
  ];
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
    ...places(i),
    `from, to  ${seconds(i.first_ns)} s, ${seconds(i.last_ns)} s`,
    `unparsed  ${lines} lines`,
    ...i.unparsed.samples.map((s) => `  line ${s.line ?? '?'}, byte ${s.offset}: ${s.text}`),
    ...i.notes.map((n) => `note      ${n}`),
  ];
  const events = Object.entries(i.per_event).map(([n, c]) => `${String(c).padStart(12)}  ${n}`);
  return [...head, '', '      events  kind', ...events, '', ...perCpu(i)]
    .map((l) => asciiLine(l, 72))
    .join('\n');
}

const exact = (v: bigint): number | bigint => (Number.isSafeInteger(Number(v)) ? Number(v) : v);

/** First and last stamp where a double would lose their last digits, as those of a wall clock. */
function longStamps(trace: Trace, { last_ns }: Info): object {
  const range = Number.isSafeInteger(last_ns ?? 0) ? null : span(trace);
  return range ? { first_ns: exact(range.first), last_ns: exact(range.last) } : {};
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const trace = await load(args[0]!, options, context);
  const info = infoOf(trace);
  const rows = Object.entries(info.per_event).map(([event, count]) => ({ event, count }));
  return { json: { ...info, ...longStamps(trace, info) }, text: text(info), csv: toCsv(rows) };
}

/** `ptlab info`: what a trace is and holds. */
export const info: Command = {
  args: '<trace>',
  about: 'what a trace is and holds: events by kind and CPU, losses, lines not understood',
  options: traceOptions,
  examples: ['ptlab info trace.txt.gz', 'ptlab info x.arrow --json'],
  run,
};
