// What was run, for history_request.
import type { Content } from '../wire.js';

export interface Line {
  readonly number: number;
  readonly input: string;
  readonly output: string | null;
}

/** Lines kept; older ones are forgotten. */
const kept = 10_000;

/** Put `line` at the end of `lines`. */
export function record(lines: Line[], line: Line): void {
  lines.push(line);
  if (lines.length > kept) lines.shift();
}

/** A shell pattern ('*', '?') as a regular expression over the whole text. */
function pattern(text: string): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's');
}

const number = (v: unknown): number | undefined => (typeof v === 'number' ? v : undefined);

function chosen(lines: readonly Line[], c: Content): readonly Line[] {
  const n = number(c['n']);
  const last = (all: readonly Line[]) => (n === undefined ? all : n > 0 ? all.slice(-n) : []);
  if (c['hist_access_type'] === 'tail') return last(lines);
  if (c['hist_access_type'] === 'range') {
    if (![0, 1].includes(number(c['session']) ?? 0)) return []; // this session; no other is kept
    const end = (lines.at(-1)?.number ?? 0) + 1;
    const fromEnd = (n: number) => (n < 0 ? end + n : n);
    const start = fromEnd(number(c['start']) ?? 1);
    const stop = fromEnd(number(c['stop']) || end);
    return lines.filter((l) => l.number >= start && l.number < stop);
  }
  if (c['hist_access_type'] !== 'search') return [];
  const like = pattern(String(c['pattern'] ?? '*'));
  const found = lines.filter((l) => like.test(l.input));
  const newest = new Map(found.map((l) => [l.input, l]));
  return last(c['unique'] ? found.filter((l) => newest.get(l.input) === l) : found);
}

/** The `history` of a history_reply: [session, line, input] or [session, line, [input, output]]. */
export const history = (lines: readonly Line[], c: Content): unknown[] =>
  chosen(lines, c).map((l) => [1, l.number, c['output'] ? [l.input, l.output] : l.input]);
