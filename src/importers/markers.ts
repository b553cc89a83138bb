import { type Log, setDict, setText } from '../events/log.js';

/** Events whose text is 'place: message': what trace_printk, trace_puts and trace_marker write, by their formats' names. */
export const isMarker = (name: string): boolean => /^(print|bprint|bputs)$/.test(name);

const placed = /^([A-Za-z_][\w.]*(?:\+0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)?|(?:0x)?[0-9a-f]{6,16}): /;

/**
 * Put the text of a `print`, `bprint` or `bputs` event into the current row, as trace.dat's are: the place it was
 * made at into `at`; and what came through trace_marker is `tracing_mark_write`.
 */
export function putMarker(log: Log, text: string): void {
  const m = placed.exec(text);
  const place = m?.[1];
  if (place === 'tracing_mark_write') setDict(log, 'event', place);
  else if (place !== undefined) setDict(log, 'at', place);
  const rest = text.slice(m?.[0].length ?? 0);
  if (rest !== '') setText(log, 'detail', rest);
}
