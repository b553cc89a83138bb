import { join } from 'node:path';
import { infoOf } from '../src/analyses/info.js';
import { memoryWriter } from '../src/events/file.js';
import { newMeta } from '../src/events/meta.js';
import type { Trace } from '../src/events/trace.js';
import { type Importer, inputOf } from '../src/importers/importer.js';
import { importers } from '../src/importers/index.js';
import { root } from './source.js';

/** A sample in data/. */
export const sample = (name: string, file = 'trace.txt.gz'): string =>
  join(root, 'data', name, file);

/** Bytes as a stream cut into pieces of `size`. */
export async function* pieces(bytes: Uint8Array, size = 1 << 16): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Read bytes as a named format. */
export async function readBytes(
  format: string,
  bytes: Uint8Array,
  size?: number,
  cut: Importer = importers[format as keyof typeof importers],
): Promise<Trace> {
  const meta = newMeta('test', format);
  const writer = memoryWriter(meta);
  const input = { ...inputOf('test', bytes), chunks: () => pieces(bytes, size) };
  await cut.read(input, writer.log, meta);
  return writer.finish(meta);
}

/** Read text (or bytes) as ftrace text. */
export const readFtrace = (text: string | Uint8Array, size?: number): Promise<Trace> =>
  readBytes('ftrace', typeof text === 'string' ? new TextEncoder().encode(text) : text, size);

/** Rows as plain objects without their nulls. */
export const rowsOf = (trace: Trace): Record<string, unknown>[] =>
  trace.table
    .toArray()
    .map((r) => Object.fromEntries(Object.entries(r.toJSON()).filter(([, v]) => v !== null)));

/** What must be exact of a trace: how many events, first and last stamp, counts by event and by CPU, what is missing. */
export function totals(trace: Trace): Record<string, unknown> {
  const { events, first_ns, last_ns, per_event, per_cpu, lost, unparsed } = infoOf(trace);
  const [first, last] = [first_ns, last_ns].map(Number);
  return { events, first, last, per_event, per_cpu, lost, unparsed: unparsed.lines };
}
