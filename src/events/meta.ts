/** A line or record that was not understood. */
export interface UnparsedSample {
  /** 1-based line number; absent in binary formats. */
  line?: number;
  /** Byte offset in the (decompressed) source. */
  offset: number;
  /** The first 160 characters. */
  text: string;
}

/** A place where events are missing. */
export interface Gap {
  /** CPU that lost them; null if the source does not say. */
  cpu: number | null;
  /** `seq` of the first event read after the gap. */
  seq: number;
  /** How many are missing; null if the source does not say. */
  lost: number | null;
  /** The events' `source`, where they have one: the CPU is one of that file or instance. */
  source?: string;
}

/** What made a simulated run; absent in a recorded trace. */
export interface RunInfo {
  scheme: string;
  scenario: string;
  era: string;
  seed: string;
  cost_model: string;
}

/** What is known of a trace as a whole; kept in the file's metadata. */
export interface TraceMeta {
  /** Name of the file or run it came from. */
  source: string;
  /** SHA-256 of the source file as it lay there (compressed, if it was), hex. */
  sha256: string;
  /** Importer that read it, or 'run' for a simulated one. */
  format: string;
  clock: string | null;
  kernel: string | null;
  /** Number of CPUs online, where the source says so, else CPUs seen. */
  cpus: number | null;
  /** Events read. */
  seen: number;
  /** Events the source says it holds; null if it does not say. */
  stated: number | null;
  /** The same by CPU, where the source says it. */
  stated_per_cpu: Record<string, number>;
  /** Events the source says were lost before they could be written. */
  lost: number;
  /** The same by CPU, where the source says which. */
  lost_per_cpu: Record<string, number>;
  /** Where events are missing; the first thousand such places (`notes` says if there are more). */
  gaps: Gap[];
  unparsed: { lines: number; samples: UnparsedSample[] };
  /** Oddities a reader should know: out-of-order stamps, a truncated file ... */
  notes: string[];
  run?: RunInfo;
  /** False while being written, and in a file whose writer died. */
  complete: boolean;
}

/** A fresh record for a source of which nothing is known yet. */
export const newMeta = (source: string, format: string): TraceMeta => ({
  source,
  sha256: '',
  format,
  clock: null,
  kernel: null,
  cpus: null,
  seen: 0,
  stated: null,
  stated_per_cpu: {},
  lost: 0,
  lost_per_cpu: {},
  gaps: [],
  unparsed: { lines: 0, samples: [] },
  notes: [],
  complete: false,
});

/** Entries that stay true when a trace goes through another kind of file. */
export const keptKeys = [
  'clock',
  'kernel',
  'cpus',
  'stated',
  'stated_per_cpu',
  'lost',
  'lost_per_cpu',
  'gaps',
  'notes',
] as const satisfies readonly (keyof TraceMeta)[];

/** Flat key -> text pairs, as Arrow metadata wants them; every value is JSON. */
export const metaToMap = (meta: TraceMeta, version: number): Map<string, string> =>
  new Map([
    ['ptlab', String(version)],
    ...Object.entries(meta).map(([k, v]): [string, string] => [k, JSON.stringify(v)]),
  ]);

const kindOf = (v: unknown): string => (Array.isArray(v) ? 'array' : typeof v);

const count = (v: unknown): boolean => Number.isInteger(v) && (v as number) >= 0;

const isGap = (v: unknown): boolean => {
  const { cpu, seq, lost, source } = (v ?? {}) as Record<string, unknown>;
  const named = source === undefined || typeof source === 'string';
  return (cpu === null || count(cpu)) && count(seq) && (lost === null || count(lost)) && named;
};

/** What the parts of some entries must be. */
const parts: Readonly<Record<string, (v: unknown) => boolean>> = {
  gaps: isGap,
  lost_per_cpu: count,
  stated_per_cpu: count,
};

/**
 * One entry of the record, from the text it is kept as.
 * @throws Error if it is no JSON, or not of the kind the record has there.
 */
export function metaValue(key: string, text: string): unknown {
  const usual = (newMeta('', '') as unknown as Record<string, unknown>)[key];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`its metadata '${key}' is damaged: ${JSON.stringify(text.slice(0, 80))}`);
  }
  const free = usual === undefined || usual === null; // text or number, where known
  const fits = free ? kindOf(value) !== 'array' : kindOf(value) === kindOf(usual);
  const part = Object.hasOwn(parts, key) ? parts[key] : undefined;
  const sound = fits && (part === undefined || Object.values(value ?? {}).every(part));
  if (sound && (value !== null || free)) return value;
  throw new Error(`its metadata '${key}' is damaged: ${JSON.stringify(text.slice(0, 80))}`);
}

/**
 * The record kept in Arrow metadata.
 * @throws Error if the metadata is not ptlab's, or of a newer version.
 */
export function metaFromMap(map: ReadonlyMap<string, string>, version: number): TraceMeta {
  const found = map.get('ptlab');
  if (found === undefined) throw new Error('an Arrow file, but not a ptlab trace');
  if (Number(found) > version) {
    throw new Error(
      `a ptlab trace of schema ${found}; this ptlab reads up to ${version}: update it`,
    );
  }
  const meta: Record<string, unknown> = { ...newMeta('', '') };
  for (const [k, v] of map) if (k !== 'ptlab') meta[k] = metaValue(k, v);
  return meta as unknown as TraceMeta;
}

const maxGaps = 1000;

/** Count `lost` events (null: nobody knows how many) missing before the event `seq`. */
export function addGap(meta: TraceMeta, gap: Gap): void {
  addLoss(meta, gap.cpu, gap.lost ?? 0);
  putGaps(meta, [gap]);
}

/** Keep the places of losses that are counted already. */
export function putGaps(meta: TraceMeta, gaps: readonly Gap[]): void {
  const room = maxGaps - meta.gaps.length;
  meta.gaps.push(...gaps.slice(0, room));
  const note = `events are missing at more than ${maxGaps} places; only the first ${maxGaps} are kept`;
  if (gaps.length > room && !meta.notes.includes(note)) meta.notes.push(note);
}

/** Count events lost, where no place is known. */
export function addLoss(meta: TraceMeta, cpu: number | null, lost: number): void {
  meta.lost += lost;
  if (cpu === null || lost === 0) return;
  meta.lost_per_cpu[cpu] = (meta.lost_per_cpu[cpu] ?? 0) + lost;
}

const maxSamples = 5;
const maxSampleChars = 160;

/** Count one line that was not understood, and keep the first few as samples. */
export function addUnparsed(meta: TraceMeta, sample: UnparsedSample): void {
  meta.unparsed.lines++;
  if (meta.unparsed.samples.length >= maxSamples) return;
  meta.unparsed.samples.push({ ...sample, text: sample.text.slice(0, maxSampleChars) });
}
