import type { GapMark } from '../charts/gaps.js';
import { gapSpans } from '../events/gaps.js';
import { span, type Trace } from '../events/trace.js';

/** What a chart says of missing events. */
export interface Missing {
  readonly gaps: readonly GapMark[];
  readonly lost_somewhere: number;
}

const known = new WeakMap<Trace, Missing>();

function missingIn(trace: Trace): Missing {
  const spans = gapSpans(trace);
  const begin = spans.length === 0 ? 0 : Number(span(trace)?.first ?? 0n);
  const at = (ns: number | null): number | null => (ns === null ? null : (ns - begin) / 1e9);
  const gaps = spans.map(({ cpu, source, lost, from_ns, to_ns }) => ({
    cpu,
    lost,
    from_s: at(from_ns),
    to_s: at(to_ns),
    ...(source === undefined ? {} : { source }),
  }));
  const placed = gaps.reduce((n, g) => n + (g.lost ?? 0), 0);
  return { gaps, lost_somewhere: Math.max(0, trace.meta.lost - placed) };
}

/** Where events are missing in a trace, in seconds since it began. */
export function missing(trace: Trace): Missing {
  const found = known.get(trace) ?? missingIn(trace);
  known.set(trace, found);
  return found;
}

/** The same of several traces, each by its name. */
export function missingOf(traces: readonly { name: string; missing: Missing }[]): Missing {
  return {
    gaps: traces.flatMap(({ name, missing: { gaps } }) =>
      gaps.map((g) => ({ ...g, source: g.source === undefined ? name : `${name}: ${g.source}` })),
    ),
    lost_somewhere: traces.reduce((n, t) => n + t.missing.lost_somewhere, 0),
  };
}
