import type { Log } from '../../events/log.js';
import type { TraceMeta } from '../../events/meta.js';
import { readSourceLine } from '../ftrace/read.js';
import { endStack, newState, type State } from '../ftrace/state.js';
import { finish } from '../ftrace/text.js';

/** The dumps of ftrace's ring buffer in a kernel's log, which a panic or sysrq-z puts there. */
export interface Dump {
  dumps: number;
  /** Lines of dashes still to come: one opens the dump, one ends it. */
  dashes: number;
  ftrace: State | null;
}

export const newDump = (): Dump => ({ dumps: 0, dashes: 0, ftrace: null });

const opening = /^Dumping ftrace (?:instance \S+ )?buffer:/;
const dashes = /^-{20,}\s*$/;

/**
 * Read a line of a dump into rows; false for any other line of the log. Each event stands with the tracer's own
 * stamp. C: kernel/trace/trace.c ftrace_dump_one().
 */
export function readDump(log: Log, meta: TraceMeta, d: Dump, text: string): boolean {
  if (opening.test(text)) {
    d.dumps++;
    d.dashes = 2;
    d.ftrace ??= newState(log, meta);
    return false;
  }
  if (d.dashes === 0) return false;
  if (!dashes.test(text)) {
    const bytes = Buffer.from(text, 'utf8');
    return d.dashes === 1 && readSourceLine(d.ftrace!, bytes, 0, bytes.length);
  }
  d.dashes--;
  if (d.dashes === 0) endStack(d.ftrace!);
  return true;
}

/** What is known of the dumps once all was read. */
export function endDump(d: Dump): void {
  if (d.ftrace) finish(d.ftrace);
}
