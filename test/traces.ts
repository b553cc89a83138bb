import { join } from 'node:path';
import { memoryWriter } from '../src/events/file.js';
import { newMeta } from '../src/events/meta.js';
import type { Trace } from '../src/events/trace.js';
import { ftrace } from '../src/importers/ftrace.js';
import { accessOf } from '../src/importers/importer.js';
import { root } from './source.js';

/** A sample in data/. */
export const sample = (name: string, file = 'trace.txt.gz'): string =>
  join(root, 'data', name, file);

/** Bytes as a stream cut into pieces of `size`. */
export async function* pieces(bytes: Uint8Array, size = 1 << 16): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Read text (or bytes) as ftrace text. */
export async function readFtrace(text: string | Uint8Array, size?: number): Promise<Trace> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const meta = newMeta('test', 'ftrace');
  const writer = memoryWriter(meta);
  await ftrace.read(
    { name: 'test', chunks: () => pieces(bytes, size), access: async () => accessOf(bytes) },
    writer.log,
    meta,
  );
  return writer.finish(meta);
}

/** Rows as plain objects without their nulls. */
export const rowsOf = (trace: Trace): Record<string, unknown>[] =>
  trace.table
    .toArray()
    .map((r) => Object.fromEntries(Object.entries(r.toJSON()).filter(([, v]) => v !== null)));
