import { type Options, UserError } from './command.js';
import { whole } from './machine-options.js';

/** Bounds of a run, in the words of the command line. */
export const boundOptions = [
  ['--max-events <n>', 'cut the run off behind so many events', '5000000'],
  ['--max-seconds <s>', 'cut a run in time off at this simulated time', '600'],
] as const;

/** The bounds that the options set. */
export function boundsOf(options: Options): { events: number; time_ns: number } {
  const seconds = Number(options['maxSeconds'] ?? 600);
  if (!(seconds > 0 && seconds <= 1e6))
    throw new UserError(`--max-seconds ${options['maxSeconds']}: from 0 to 1000000, not 0`);
  const events = options['maxEvents'] === undefined ? 5e6 : whole(options, 'max-events', 1, 1e12);
  return { events, time_ns: seconds * 1e9 };
}

/** How a run ended; `cut_off` is null where it came to its end, `stuck` names tasks that wait for ever. */
export interface Ended {
  readonly cut_off: { readonly by: 'events' | 'time'; readonly events: number; readonly time_s: number } | null; // biome-ignore format: one line
  readonly stuck: readonly string[];
}

/** Exit status of a run that was cut off: neither 0, nor 1 as for an error. */
export const CUT_OFF = 2;

/** The end of an engine's run, in the words of the command line. */
export const endOf = (r: {
  readonly cut: string | null;
  readonly events: number;
  readonly time_ns: number;
  readonly stuck: readonly string[];
}): Ended => ({
  cut_off:
    r.cut === null
      ? null
      : { by: r.cut === 'events' ? 'events' : 'time', events: r.events, time_s: r.time_ns / 1e9 },
  stuck: r.stuck,
});

/** What must be said of it; nothing of a run that came to its end. */
export function endText(e: Ended): string[] {
  const { cut_off, stuck } = e;
  return [
    ...(cut_off
      ? [
          `cut off at ${cut_off.events} events, ${cut_off.time_s} s simulated`,
          `(--max-${cut_off.by === 'events' ? 'events' : 'seconds'}); all events up to there are kept`,
        ]
      : []),
    ...(stuck.length > 0 ? [`stuck, waiting for ever: ${listed(stuck)}`] : []),
  ];
}

/** Names with how often each stands there. */
function listed(names: readonly string[]): string {
  const count = new Map<string, number>();
  for (const n of names) count.set(n, (count.get(n) ?? 0) + 1);
  return [...count].map(([n, k]) => (k === 1 ? n : `${k} x ${n}`)).join(', ');
}

/** The schemes of a table whose runs were cut off. */
export function cutRows(rows: readonly { scheme: string; cut_off: boolean }[]): string[] {
  const cut = rows.filter((r) => r.cut_off).map((r) => r.scheme);
  return cut.length === 0 ? [] : [`cut off by a bound, so of a part: ${cut.join(', ')}`];
}
