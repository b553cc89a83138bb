import type { Trace } from '../events/trace.js';
import { overwrites } from './overwrites.js';
import { raceWindows } from './race-windows.js';
import { sleepCosts } from './sleep-costs.js';

/** An analysis: a file in analyses/, a line below. Takes a trace, gives figures and rows. */
export interface Analysis<Result> {
  readonly about: string;
  /** Chart whose text form is the analysis in words: see charts/index.ts. */
  readonly summary: string;
  run(trace: Trace): Result;
  /** The stable JSON form. */
  json(result: Result): unknown;
  /** Rows for CSV and for notebooks. */
  rows(result: Result): readonly object[];
}

const analysis = <Result>(a: Analysis<Result>): Analysis<Result> => a;

/** Every analysis by name. */
export const analyses = {
  overwrites: analysis({
    about: 'how often huge mappings overwrote page tables of an old vmalloc object',
    summary: 'overwrites-summary',
    run: overwrites,
    json: ({ rows: _, ...figures }) => figures,
    rows: (r) => r.rows,
  }),
  'race-windows': analysis({
    about: 'what ptdump walks met: tables freed under a walk, locks held, waits, key flips',
    summary: 'race-windows-summary',
    run: raceWindows,
    json: ({ walks, write_holds, frees, read_lock, write_lock, key, windows }) => ({
      walks,
      write_holds,
      frees,
      read_lock,
      write_lock,
      key,
      windows,
    }),
    rows: (r) =>
      r.windows.map(({ walker, ...w }) => ({
        ...w,
        walker_pid: walker?.pid ?? null,
        walker_task: walker?.task ?? null,
      })),
  }),
  'sleep-costs': analysis({
    about: 'who slept in vmalloc and ptdump, how long, what it cost, and was it allowed',
    summary: 'sleep-costs-summary',
    run: sleepCosts,
    json: ({ by_scheme, by_task, by_context, vmalloc }) => ({
      by_scheme,
      by_task,
      by_context,
      vmalloc,
    }),
    rows: (r) => r.calls.map((c) => ({ ...c, task: r.tasks.get(c.pid) ?? '?' })),
  }),
} satisfies Record<string, Analysis<unknown>>;
