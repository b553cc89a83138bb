import { type Log, setDict, setText } from '../events/log.js';

/** Events whose text is 'place: message': what trace_printk, trace_puts and trace_marker write, by their formats' names. */
export const isMarker = (name: string): boolean => /^(print|bprint|bputs)$/.test(name);

/** 'place: message', or of trace-cmd report -R 'ip=place buf=message'. */
const placed =
  /^(?:ip=)?([A-Za-z_][\w.]*(?:\+0x[0-9a-f]+(?:\/0x[0-9a-f]+)?)?|(?:0x)?[0-9a-f]{6,16})(?:: |(?<=^ip=\S*) (?=fmt=)|(?<=^ip=\S*) (?:buf|str)=)/;

/**
 * Put the text of a `print`, `bprint` or `bputs` event into the current row, as trace.dat's are: the place it was
 * made at into `at`; the event is `print`, or `tracing_mark_write` if it came through trace_marker. Without a
 * place the event keeps its name.
 */
export function putMarker(log: Log, text: string): void {
  const m = placed.exec(text);
  const place = m?.[1];
  const isMark = place === 'tracing_mark_write';
  if (place !== undefined) setDict(log, 'event', isMark ? place : 'print');
  if (place !== undefined && !isMark) setDict(log, 'at', place);
  const rest = text.slice(m?.[0].length ?? 0);
  if (rest !== '') setText(log, 'detail', rest);
}
