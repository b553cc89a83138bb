import { FormatError } from '../importer.js';
import type { State } from './state.js';

/** What lines look like that an option of the tracer makes, with which they are no events any more. */
const causes: readonly (readonly [RegExp, string])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what binary output has
  [/[\u0000-\u0008\u000e-\u001f]/, 'trace_options/bin was set: the lines are bytes. Record with: echo 0 > options/bin'],
  [/^\s*\d+,\d+\s+\d+\s+\d+\s+\d+\.\d{9}\s+\d+\s+[A-Z]/, 'it is in the form of blktrace. Record with: echo 0 > options/blk_classic'],
  [/^[0-9a-f]{8} ?[0-9a-f]{8} ?[0-9a-f]{16}\b/, 'trace_options/hex was set: the lines are numbers. Record with: echo 0 > options/hex'],
  [/^\d+ \d+ \d+ /, 'trace_options/raw was set: the lines are numbers. Record with: echo 0 > options/raw'],
  [/^[\w.]+: |^[A-Za-z_][\w.]*.* <-/, 'the columns before the event are missing: trace_options/context-info was off. Record with: echo 1 > options/context-info'],
]; // biome-ignore format: a table

/**
 * @throws FormatError if nothing was read, and it is known why: an empty buffer, or an option under which the tracer
 * writes no columns.
 */
export function refuseEmpty({ log, meta, snapshot, tracer }: State): void {
  if (log.total > 0 || tracer === null) return;
  const sample = meta.unparsed.samples.find((s) => s.text.trim() !== '');
  if (snapshot) throw new FormatError('an empty snapshot: its header says "Snapshot is freed"');
  if (!sample && meta.stated === 0)
    throw new FormatError('an empty trace: its header states 0 events');
  const cause = sample && causes.find(([form]) => form.test(sample.text))?.[1];
  if (!cause) return;
  throw new FormatError(
    `ftrace text without an event, from line ${sample.line}, byte ${sample.offset} on: ${cause}`,
  );
}
