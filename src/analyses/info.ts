import { gapSpans } from '../events/gaps.js';
import type { Gap, UnparsedSample } from '../events/meta.js';
import { counts, span, type Trace } from '../events/trace.js';

/** A gap, with the stamps of its CPU's events around it; null where there is none. */
export interface TimedGap extends Gap {
  readonly from_ns: number | null;
  readonly to_ns: number | null;
}

/** What a trace is and holds; the JSON of `ptlab info`. */
export interface Info {
  readonly source: string;
  readonly format: string;
  readonly sha256: string;
  readonly kernel: string | null;
  readonly cpus: number;
  readonly events: number;
  /** null for an empty trace. */
  readonly first_ns: number | null;
  readonly last_ns: number | null;
  readonly per_event: Record<string, number>;
  readonly per_cpu: Record<string, number>;
  readonly seen: number;
  readonly stated: number | null;
  /** The same by CPU, where the source says it; absent if it does not. */
  readonly stated_per_cpu?: Readonly<Record<string, number>>;
  readonly lost: number;
  /** Events lost by CPU, where the source says which; absent if there are none. */
  readonly lost_per_cpu?: Readonly<Record<string, number>>;
  /** Places where events are missing, the first thousand; absent if there are none. */
  readonly gaps?: readonly TimedGap[];
  readonly unparsed: { lines: number; samples: UnparsedSample[] };
  readonly notes: readonly string[];
}

/** Count a trace. Stamps over 2^53 ns lose their last digits here; the trace keeps them. */
export function infoOf(trace: Trace): Info {
  const { meta } = trace;
  const { per_event, per_cpu } = counts(trace);
  const range = span(trace);
  const by = Object.entries(per_event).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return {
    source: meta.source,
    format: meta.format,
    sha256: meta.sha256,
    kernel: meta.kernel,
    cpus: meta.cpus ?? Object.keys(per_cpu).length,
    events: meta.seen,
    first_ns: range && Number(range.first),
    last_ns: range && Number(range.last),
    per_event: Object.fromEntries(by),
    per_cpu,
    seen: meta.seen,
    stated: meta.stated,
    ...(Object.keys(meta.stated_per_cpu).length > 0 ? { stated_per_cpu: meta.stated_per_cpu } : {}),
    lost: meta.lost,
    ...(Object.keys(meta.lost_per_cpu).length > 0 ? { lost_per_cpu: meta.lost_per_cpu } : {}),
    ...(meta.gaps.length > 0 ? { gaps: gapSpans(trace).map(({ next: _, ...g }) => g) } : {}),
    unparsed: meta.unparsed,
    notes: meta.notes,
  };
}
