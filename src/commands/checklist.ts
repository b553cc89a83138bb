// What a trace holds, what it lacks for each question, and how to record that.
import { infoOf } from '../analyses/info.js';
import { kindsOf } from '../analyses/kinds.js';
import type { Trace } from '../events/trace.js';
import { commandLines } from '../export/shell.js';
import { ascii } from './ascii.js';
import { needs, type Probe } from './recipes.js';
import { applies, version } from './record.js';
import { probeLine } from './record-script.js';

/** One part of an analysis, and the events it needs. */
interface Part {
  readonly part: string;
  readonly events: readonly string[];
  /** What follows if they are not there. */
  readonly without: string;
}

/** A part as a trace has it: `missing` are the events of it that were not seen. */
export interface Checked extends Part {
  readonly missing: readonly string[];
}

/** Result of {@link checklist}. */
export interface Checklist {
  readonly parts: readonly Checked[];
  /** Commands, one a line, that record what is missing; to be given as root in tracefs. */
  readonly record: readonly string[];
  /** All of it for a person, in 72 columns. */
  readonly text: string;
}

const parts: readonly Part[] = [
  { part: 'overwrites, predicted', events: ['alloc_vmap_area'], without: 'no overwrites at all' },
  { part: 'overwrites, observed', events: ['pmd_free_pte_page'], without: 'predicted ones only' },
  { part: 'blocks set', events: ['pmd_set_huge'], without: 'where a free ends is not known' },
  { part: 'walks of ptdump', events: ['walk', 'walk_ret'], without: 'no race windows' },
  {
    part: 'waits for the lock',
    events: ['mmap_lock_start_locking', 'mmap_lock_acquire_returned'],
    without: 'no figures of the lock',
  },
  { part: 'calls of vmalloc', events: ['vmalloc_range'], without: 'who may sleep is not known' },
  { part: 'sleeps', events: ['sched_switch'], without: 'asleep in contention only' },
  {
    part: 'contention',
    events: ['contention_begin', 'contention_end'],
    without: 'spinning is not told from sleeping',
  },
  { part: 'phases', events: ['tracing_mark_write'], without: 'the whole trace is one phase' },
];

const tracefs = '/sys/kernel/tracing';

/** Every tracepoint ('group/name') and every probe that an analysis can need, by event name. */
const tracepoints = new Map(
  Object.values(needs).flatMap((n) => n.events.map(([e]) => [e.slice(e.indexOf('/') + 1), e])),
);
const probes = Object.values(needs).flatMap((n) => n.probes);

const probeOf = (event: string, kernel: number): Probe | undefined =>
  probes.find((p) => p.name === event && applies(kernel, p.since, p.until));

const workload = [
  'echo MARK wl_begin > trace_marker',
  'WORKLOAD',
  'echo MARK wl_end > trace_marker',
  'gzip -c trace > /tmp/trace.txt.gz',
];

/** Which of `events` a trace has, whatever its recorder called the probes. */
function seenIn(trace: Trace, events: readonly string[]): Set<string> {
  const kinds = kindsOf(trace, events);
  const seen = new Set<string>();
  for (const b of trace.batches)
    for (const k of new Set(kinds(b))) if (k >= 0) seen.add(events[k] as string);
  return seen;
}

function recordLines(missing: readonly string[], kernel: number): string[] {
  if (missing.length === 0) return [];
  const points = missing.flatMap((e) => tracepoints.get(e) ?? []);
  const wanted = missing.flatMap((e) => probeOf(e, kernel) ?? []);
  return [
    ...points.map((e) => `echo 1 > events/${e}/enable`),
    ...wanted.map((p) => `echo '${probeLine(p)}' >> kprobe_events`),
    ...(wanted.length > 0 ? ['echo 1 > events/ptlab/enable'] : []),
    ...workload,
  ];
}

/** A command in lines of 72 columns; echo puts the words of a probe together again. */
function fitted(line: string): string[] {
  const probe = /^echo '(.*)' >> kprobe_events$/.exec(line)?.[1];
  if (probe === undefined) return [`  ${line}`];
  const lines = commandLines(['echo', ...probe.split(' ')], 72 - ' >> kprobe_events'.length);
  return lines.map((l, i) => {
    const text = i === 0 ? `  ${l.slice(2)}` : l;
    return i === lines.length - 1 ? `${text} >> kprobe_events` : text;
  });
}

function headLines(trace: Trace): string[] {
  const { kernel, cpus, events, lost, unparsed, first_ns, last_ns } = infoOf(trace);
  const seconds = ((last_ns ?? 0) - (first_ns ?? 0)) / 1e9;
  const release = kernel === null ? 'kernel unknown' : `kernel ${ascii(kernel)}`;
  const { lines } = unparsed;
  return [
    `${release}, CPUs: ${cpus}, ${events} events in ${seconds.toFixed(3)} s`,
    ...(lost > 0
      ? [`${lost} events were lost: figures are lower bounds; raise buffer_size_kb`]
      : []),
    ...(lines > 0 ? [`${lines} lines were not understood; see ptlab info`] : []),
  ];
}

function textOf(trace: Trace, all: readonly Checked[], record: readonly string[]): string {
  const rows = all.map(({ part, missing, without }) =>
    missing.length === 0 ? `  seen      ${part}` : `  not seen  ${part.padEnd(22)} ${without}`,
  );
  const how =
    record.length === 0
      ? []
      : [
          '',
          'To record the rest, too, as root on that kernel:',
          `  cd ${tracefs}`,
          ...record.flatMap(fitted),
          'The whole of it as a script: ptlab record race-windows > record.sh',
        ];
  return [...headLines(trace), ...rows, ...how].join('\n');
}

/**
 * What a trace holds and lacks for each question, with the commands that record the rest. An event
 * that was recorded and never happened is 'not seen', too: a trace does not tell the two apart.
 * @example console.log(checklist(t).text)
 */
export function checklist(trace: Trace): Checklist {
  const { kernel } = trace.meta;
  const seen = seenIn(trace, [...new Set(parts.flatMap((p) => p.events))]);
  const checked = parts.map((p) => ({ ...p, missing: p.events.filter((e) => !seen.has(e)) }));
  const release = /^\d+\.\d+/.test(kernel ?? '') ? (kernel as string) : '6.12';
  const lacks = checked.flatMap((p) => p.missing);
  const record = recordLines(lacks, version(release));
  return { parts: checked, record, text: textOf(trace, checked, record) };
}
