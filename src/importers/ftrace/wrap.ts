import { dropRow, hasCell } from '../../events/drop.js';
import { prefixLength, unescapeHtml } from './other.js';
import type { State } from './state.js';

/** A line that a mailer may have wrapped: its event is the last row. */
export interface Wrapped {
  /** The line so far, without its quote marks. */
  readonly text: string;
  /** The marks, without blanks. */
  readonly marks: string;
  /** Characters of the last piece. */
  readonly width: number;
  /** Rows so far. */
  readonly total: number;
}

/** Mailers wrap at 72 to 80 characters, and each reply adds some; a shorter line ends where its writer ended it. */
const wrapFrom = 60;
const wrapTo = 90;

const header = /^(From|Subject|Message-I[dD]|Date|To|Cc|In-Reply-To): /;

/** Is it a header of a mail? Then what follows may be wrapped. */
export const isMailHeader = (text: string): boolean => header.test(text);

function piece(text: string): { marks: string; inner: string } {
  const length = prefixLength(text);
  const inner = unescapeHtml(text.slice(length)).trimEnd();
  return { marks: text.slice(0, length).replaceAll(/\s/g, ''), inner };
}

/** The line of the last row, in case it goes on in the next; null if that cannot be. */
export function keepLine(s: State, text: string): Wrapped | null {
  const { marks, inner } = piece(text);
  const quoted = marks.startsWith('>') || s.mail;
  if (!quoted || inner.length > wrapTo || s.frames) return null;
  return { text: inner, marks, width: inner.length, total: s.log.total };
}

/**
 * The wrapped line and `text`, its next piece, as one; null if `text` is none. The last row is taken back.
 */
export function joinLine(s: State, before: Wrapped, text: string): Wrapped | null {
  const { marks, inner } = piece(text);
  const word = /^\s*(\S+)/.exec(inner)?.[1];
  if (word === undefined || marks !== before.marks || isMailHeader(text)) return null;
  if (s.log.total !== before.total) return null;
  if (before.width + 1 + word.length < wrapFrom) return null;
  const isField = /^[A-Za-z_]\w*=/.test(word);
  if (!isField && !hasCell(s.log, 'detail') && !before.text.endsWith(':')) return null; // nothing is missing
  dropRow(s.log);
  return { ...before, text: `${before.text} ${inner.trimStart()}`, width: inner.length };
}
