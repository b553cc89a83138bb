// What a file in Chrome's trace format must keep to. From the Trace Event Format, and from what Perfetto
// does with it: trace_processor/importers/json, importers/common/slice_tracker.cc.
interface Event {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly s?: string;
  readonly args: Record<string, unknown>;
}

/** A breach of the format, with the event in question. */
type Tell = (rule: string, e?: unknown) => void;

const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
const isId = (v: unknown): boolean => Number.isInteger(v) && Number(v) > 0 && Number(v) < 2 ** 32;
const isText = (v: unknown): boolean => typeof v === 'string' && v !== '';

/** What a reader gets of the stamp: it holds microseconds in a double. */
const asRead = (us: number): bigint => BigInt(Math.round(us * 1000));

function checkStamp(e: Event, line: string, tell: Tell): void {
  const m = /^\{"ts":(\d+)(?:\.(\d{3}))?,/.exec(line);
  const exact = m && BigInt(m[1]!) * 1000n + BigInt(m[2] ?? 0);
  if (exact === null) tell('a stamp of whole microseconds and three digits', line.slice(0, 80));
  else if (asRead(e.ts) !== exact) tell('a stamp that a double holds to the nanosecond', e);
}

function checkShape(e: Event, tell: Tell): void {
  if (!isText(e.name)) tell('a name', e);
  if (!isId(e.pid) || !isId(e.tid)) tell('a pid and a tid of 1 to 2^32', e);
  if (typeof e.args !== 'object' || e.args === null) tell('args', e);
  for (const v of Object.values(e.args))
    if (typeof v === 'number' && Number.isInteger(v) && !Number.isSafeInteger(v))
      tell('numbers that a double holds', e);
  if (e.ph === 'X' && !(isNumber(e.dur) && e.dur >= 0)) tell('a length', e);
  if (e.ph === 'i' && !['g', 'p', 't'].includes(e.s ?? '')) tell('a scope', e);
  if (!['B', 'E', 'X', 'i'].includes(e.ph)) tell('a known phase', e);
  if (!isText(e.cat)) tell('a category', e);
}

const metadata: Record<string, (args: Record<string, unknown>) => boolean> = {
  thread_name: (a) => isText(a['name']),
  process_name: (a) => isText(a['name']),
  thread_sort_index: (a) => Number.isInteger(a['sort_index']),
  process_sort_index: (a) => Number.isInteger(a['sort_index']),
};

/** Names: every thread and process has one, only one, and a thread is of one process. */
function checkNames(events: readonly Event[], named: readonly Event[], tell: Tell): void {
  const names = new Set<string>();
  for (const e of named) {
    if (!metadata[e.name]?.(e.args) || !isId(e.pid) || !isId(e.tid)) tell('known metadata', e);
    const key = `${e.name} ${e.name.startsWith('process') ? e.pid : e.tid}`;
    if (names.has(key)) tell('metadata once', e);
    names.add(key);
  }
  const processes = new Map<number, number>();
  for (const e of events) {
    if (!names.has(`thread_name ${e.tid}`) || !names.has(`process_name ${e.pid}`))
      tell('names of its track', e);
    if ((processes.get(e.tid) ?? e.pid) !== e.pid) tell('a thread in one process', e);
    processes.set(e.tid, e.pid);
  }
}

interface Slice {
  readonly e: Event;
  /** Where it ends; null while it is open. */
  readonly end: bigint | null;
}

/** Slices of one track nest: each ends where the one around it does, or before. */
function checkNesting(track: readonly Event[], tell: Tell): void {
  const stack: Slice[] = [];
  const at = (e: Event): bigint => asRead(e.ts);
  const sorted = track
    .map((e, i) => ({ e, i }))
    .sort((a, b) => Number(at(a.e) - at(b.e)) || a.i - b.i);
  for (const { e } of sorted) {
    while (stack.at(-1)?.end != null && stack.at(-1)!.end! <= at(e)) stack.pop();
    if (e.ph === 'i') continue;
    if (e.ph === 'E') {
      const top = stack.pop();
      if (!top || top.end !== null) tell('an end of an open slice', e);
      else if (top.e.name !== e.name || top.e.cat !== e.cat)
        tell('an end of the innermost slice, by its name and category', e);
      continue;
    }
    const end = e.ph === 'X' ? at(e) + asRead(e.dur!) : null;
    const around = stack.at(-1)?.end;
    if (around != null && (end === null || end > around))
      tell('a slice inside the one around it', e);
    stack.push({ e, end });
    if (stack.length > 512) tell('at most 512 slices deep', e);
  }
}

/** What is wrong with a file in Chrome's format; none if nothing. */
export function chromeBreaches(text: string): string[] {
  const wrong: string[] = [];
  const tell: Tell = (rule, e) =>
    void (wrong.length < 20 && wrong.push(`${rule}: ${JSON.stringify(e)?.slice(0, 200)}`));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(text)) tell('no control characters');
  const { traceEvents, otherData, ...others } = JSON.parse(text);
  if (Object.keys(others).length > 0) tell('keys that readers know', Object.keys(others));
  if (typeof otherData !== 'object' || !Array.isArray(traceEvents))
    tell('traceEvents and otherData');
  const lines = text.split('\n').slice(1, 1 + traceEvents.length);
  const tracks = new Map<number, Event[]>();
  const events: Event[] = traceEvents.filter((e: Event) => e.ph !== 'M');
  traceEvents.forEach((e: Event, i: number) => {
    if (e.ph !== 'M') checkStamp(e, lines[i]!, tell);
  });
  for (const e of events) {
    checkShape(e, tell);
    const track = tracks.get(e.tid) ?? [];
    track.push(e);
    tracks.set(e.tid, track);
  }
  checkNames(
    events,
    traceEvents.filter((e: Event) => e.ph === 'M'),
    tell,
  );
  for (const track of tracks.values()) checkNesting(track, tell);
  return wrong;
}
