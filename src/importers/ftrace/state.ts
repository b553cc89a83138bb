import { type Dict, newDict } from '../../events/dict.js';
import { type Log, setText } from '../../events/log.js';
import type { TraceMeta } from '../../events/meta.js';
import { newRowHeads, type RowHeads } from '../../events/row-heads.js';
import type { Literal } from '../bytes.js';
import { type GraphState, newGraphState } from './graph.js';
import { type Heads, newHeads } from './heads.js';
import type { Matcher } from './payload.js';
import type { Wrapped } from './wrap.js';

/** Slots for kinds that are found by some of their names' bytes. */
const nearKinds = 1024;

/** What an event's name makes of its line. */
export interface Kind {
  readonly how: 'event' | 'print' | 'marker' | 'graph';
  /** Id in the dictionary of events. */
  readonly event: number;
  readonly matcher: Matcher | undefined;
  /** 'name: ', to know it again. */
  readonly text: Literal;
}

/** Where a reader of ftrace text stands. */
export interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  /** What stands where an event's name does; a print's place among them. */
  names: Dict;
  /** Kinds by the name's id in `names`. */
  kinds: (Kind | undefined)[];
  /** Kinds by some of their names' bytes. */
  readonly near: (Kind | undefined)[];
  readonly heads: Heads;
  /** Rows of known heads that are not in their columns yet. */
  readonly rows: RowHeads;
  readonly graph: GraphState;
  /** Was the last event one of the function tracer? */
  functions: boolean;
  /** Frames of the stack being read. */
  frames: string[] | null;
  lastHi: number;
  lastLo: number;
  outOfOrder: number;
  overwritten: number;
  /** Inside an HTML page: is this line part of the trace it carries? Null outside of HTML. */
  inTrace: boolean | null;
  /** Does the page carry it as a string of its script? */
  inString: boolean;
  /** Lines of the page around the trace. */
  around: number;
  /** Lines of the kernel's log around the trace. */
  console: number;
  /** Is it a mail? Then its lines may be wrapped: the last, and how many were put together again. */
  mail: boolean;
  wrapped: Wrapped | null;
  joined: number;
  /** Events of which trace-cmd report knew nothing, not even when they were. */
  formless: number;
  /** What '# tracer:' names. */
  tracer: string | null;
  /** Are stamps ticks of a clock that counts? Null before the first. */
  ticks: boolean | null;
  /** Does the header say that the snapshot is freed? */
  snapshot: boolean;
  /** Inside the list of processes that atrace appends? And lines of it. */
  inProcesses: boolean;
  processes: number;
}

export const newState = (log: Log, meta: TraceMeta): State => ({
  log,
  meta,
  names: newDict(),
  kinds: [],
  near: new Array(nearKinds).fill(undefined),
  heads: newHeads(),
  rows: newRowHeads(),
  graph: newGraphState(),
  functions: false,
  frames: null,
  lastHi: 0,
  lastLo: 0,
  outOfOrder: 0,
  overwritten: 0,
  inTrace: null,
  inString: false,
  around: 0,
  console: 0,
  mail: false,
  wrapped: null,
  joined: 0,
  formless: 0,
  tracer: null,
  ticks: null,
  snapshot: false,
  inProcesses: false,
  processes: 0,
});

/** Frames belong to the row of their '<stack trace>' line, which is the last one. */
export function endStack(s: State): void {
  if (!s.frames) return;
  setText(s.log, 'stack', s.frames.join('\n'));
  s.frames = null;
}
