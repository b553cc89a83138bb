// What a person who knows arquero wants of a trace in a cell.
import { createRequire } from 'node:module';
import type { ColumnTable } from 'arquero';
import { type Change, type Comparison, compareTraces } from '../analyses/compare.js';
import type { Spec } from '../charts/chart.js';
import { comparison } from '../charts/comparison.js';
import { fields } from '../events/fields.js';
import type { Trace } from '../events/trace.js';
import type { OpenOptions } from '../importers/open.js';
import { UserError } from './command.js';
import { missing, missingOf } from './gap-marks.js';
import { load } from './notebook.js';

let loaded: Trace | undefined;

/** Whole numbers that a double holds become numbers, so that arquero can count with them. */
function plain(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return value >= -9007199254740992n && value <= 9007199254740992n ? Number(value) : value;
}

/**
 * One kind of event as an arquero table: `ts_ns`, `cpu`, `pid`, `task`, and the fields it has.
 * Numbers beyond 2^53 (kernel addresses) stay exact as BigInt; `va_page` beside them is a number.
 * @throws Error naming the events of the trace, if there is no such event.
 * @example eventTable(t, 'alloc_vmap_area').groupby('task').count()
 */
export function eventTable(trace: Trace, event: string): ColumnTable {
  const arrow = fields(trace, event);
  // loaded when it is used: cells that only draw charts do without
  const { table } = createRequire(import.meta.url)('arquero') as typeof import('arquero');
  const columns = arrow.schema.fields.map(({ name }) => {
    const vector = arrow.getChild(name);
    const values = Array.from({ length: arrow.numRows }, (_, i) => plain(vector?.get(i)));
    return [name, values] as const;
  });
  return table(Object.fromEntries(columns));
}

/** The short way for a notebook with one trace. */
export const trace = {
  /** Open a trace of any known format; `trace.table` is about the one loaded last. */
  async load(path: string, options: OpenOptions = {}): Promise<Trace> {
    loaded = await load(path, options);
    return loaded;
  },
  /** {@link eventTable} of the trace loaded last, or of `of`. */
  table(event: string, of: Trace | undefined = loaded): ColumnTable {
    if (!of) throw new UserError("no trace is loaded: await trace.load('x.txt.gz') first");
    return eventTable(of, event);
  },
};

/** {@link compareTraces}, and the chart of it. */
export type Compared = Comparison & { readonly chart: Spec };

/**
 * Two traces side by side: each figure before and after, with a 95 % interval of its change.
 * @example const c = compare(before, after); await plot(c.chart); c.changes
 */
export function compare(before: Trace, after: Trace, seed = 1): Compared {
  const result = compareTraces(before, after, seed);
  const about = {
    trace: `before, sha256 ${before.meta.sha256.slice(0, 12)}; after`,
    sha256: after.meta.sha256,
    lost: before.meta.lost + after.meta.lost,
    ...missingOf([
      { name: 'before', missing: missing(before) },
      { name: 'after', missing: missing(after) },
    ]),
    command: ['ptlab', 'run', 'notebooks/04-new-trace.ipynb', '-p', 'before=A', 'after=B'],
  };
  return { ...result, chart: comparison(result.changes, about) };
}

export type { Change };
