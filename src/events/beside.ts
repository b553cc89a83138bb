import { keptKeys, type TraceMeta } from './meta.js';
import { schemaVersion } from './schema.js';

/** The file beside a CSV that keeps what a CSV cannot: what is known of the trace as a whole. */
export const besideName = (csv: string): string => `${csv}.meta.json`;

/**
 * Its text: a JSON object of the record's entries, the schema's version as `ptlab`, and as `sha256` (hex)
 * the bytes of the CSV that it belongs to.
 */
export function besideText(meta: TraceMeta, sha256: string): string {
  const entries = keptKeys.map((key) => [key, meta[key]]);
  return `${JSON.stringify({ ptlab: schemaVersion, sha256, ...Object.fromEntries(entries) }, null, 1)}\n`;
}

/** Its entries by name; null for any other text. */
export function besideEntries(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    const { ptlab, sha256 } = (value ?? {}) as Record<string, unknown>;
    const isOurs = Number.isInteger(ptlab) && typeof sha256 === 'string';
    return isOurs ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
