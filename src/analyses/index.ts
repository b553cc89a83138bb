import type { Trace } from '../events/trace.js';
import { overwrites } from './overwrites.js';

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
} satisfies Record<string, Analysis<unknown>>;
