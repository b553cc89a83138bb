import { type Log, setDict, setInt, setText, setTextBytes } from '../../events/log.js';
import { hexDigits } from '../bytes.js';

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

const isHexPrefix = (buf: Uint8Array, at: number): boolean =>
  buf[at] === 0x30 && buf[at + 1] === 0x78;

/** As `putMarker`, for the usual '0xffff800078ae04b0: message' in bytes; false, and nothing is put, if it is another. */
export function putAddressed(log: Log, buf: Uint8Array, start: number, end: number): boolean {
  const digits = isHexPrefix(buf, start) ? start + 2 : start;
  let at = digits;
  while (at < end && hexDigits[buf[at]!]! >= 0) at++;
  const wide = at - digits >= 6 && at - digits <= 16;
  if (!wide || at + 2 > end || buf[at] !== 0x3a || buf[at + 1] !== 0x20) return false;
  setDict(log, 'event', 'print');
  setInt(log, 'at', log.dicts.at.internBytes(buf, start, at));
  if (at + 2 < end) setTextBytes(log, 'detail', buf, at + 2, end);
  return true;
}
