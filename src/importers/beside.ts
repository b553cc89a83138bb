import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { besideEntries, besideName } from '../events/beside.js';
import type { TraceMeta } from '../events/meta.js';
import { schemaVersion } from '../events/schema.js';
import { takeMeta } from './tables.js';

/** No record is larger: it has at most a thousand gaps. */
const maxBytes = 1 << 24;

/** Why the file beside a CSV is not its own; null if it is. */
function wrong(
  entries: Readonly<Record<string, unknown>> | null,
  meta: TraceMeta,
  events: number,
): string | null {
  if (entries === null) return 'ptlab did not write it';
  if (Number(entries['ptlab']) > schemaVersion) return 'a newer ptlab wrote it';
  if (entries['sha256'] !== meta.sha256) return 'the CSV is not the one that it was written with';
  const gaps = entries['gaps'];
  const isInside = (gap: { seq?: unknown } | null): boolean => !(Number(gap?.seq) > events);
  if (Array.isArray(gaps) && !gaps.every(isInside)) return 'it has gaps behind the last event';
  return null;
}

/**
 * Add to `meta` what the file beside a CSV says: its clock, kernel, gaps and lost events. One that is
 * not of this CSV is left alone, with a note.
 */
export function takeBeside(csv: string, meta: TraceMeta, events: number): void {
  const path = besideName(csv);
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file) return;
  const isSmall = file.isFile() && file.size <= maxBytes;
  const entries = isSmall ? besideEntries(readFileSync(path, 'utf8')) : null;
  const why = wrong(entries, meta, events);
  if (why !== null || entries === null) {
    meta.notes.push(`${basename(path)} beside it was not used: ${why}`);
    return;
  }
  const own = meta.notes;
  meta.notes = [];
  takeMeta(meta, (key) => (key in entries ? JSON.stringify(entries[key]) : null));
  meta.notes.push(...own);
}
