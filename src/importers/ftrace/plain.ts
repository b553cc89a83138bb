import { setTextBytes } from '../../events/log.js';
import { addRowHead } from '../../events/row-heads.js';
import { ascii, literalOf, matches } from '../bytes.js';
import { noteOrder } from './event.js';
import { headValues } from './heads.js';
import { stamp } from './stamp.js';
import { endStack, type State } from './state.js';

const NEWLINE = 10;
const SPACE = 0x20;
const DASH = 0x2d;
const COLON = 0x3a;
const LESS = 0x3c;
const TILDE = 0x7e;
/** A longer text is cut before it is looked at. */
const maxText = 4096;

/** Append a row with the head last found and the stamp last read. */
export const addKnownHead = (s: State, event: number): void =>
  addRowHead(s.log, s.rows, stamp.hi, stamp.lo, event, s.heads.values, headValues(s.heads));

const noHead = new Int32Array(5).fill(-1);

/** First byte from `at` on that is no visible one. */
function wordEnd(buf: Uint8Array, from: number): number {
  let at = from;
  while (buf[at]! > SPACE && buf[at]! <= TILDE) at++;
  return at;
}

const isLetter = (b: number): boolean => (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a;
const startsName = (b: number): boolean => isLetter(b) || b === 0x5f || b === 0x2e || b === 0x24;

/**
 * 'function <-caller' of the function tracer, at `body`: the row is appended. Gives where the
 * line ends, or -1 if it is not that.
 */
export function addFunction(s: State, buf: Uint8Array, body: number): number {
  if (!startsName(buf[body]!)) return -1;
  const arrow = wordEnd(buf, body) + 1;
  if (
    buf[arrow - 1] !== SPACE ||
    buf[arrow - 2] === COLON ||
    buf[arrow] !== LESS ||
    buf[arrow + 1] !== DASH
  )
    return -1;
  const stop = wordEnd(buf, arrow + 2);
  if (buf[stop] !== NEWLINE || stop - body > maxText) return -1;
  if (s.frames) endStack(s);
  noteOrder(s, stamp.hi, stamp.lo);
  addKnownHead(s, s.log.dicts.event.intern('function'));
  setTextBytes(s.log, 'detail', buf, body, stop);
  return stop;
}

const formless = '[UNKNOWN EVENT][UNKNOWN EVENT] (NULL):               [UNKNOWN EVENT]';
const formlessLine = literalOf(ascii(`${formless}\n`));

/**
 * The line that trace-cmd report writes for an event whose format its file lacks, if it is at `at`: the row is
 * appended, where the event before it was. Gives where the line ends, or -1.
 */
export function addFormless(s: State, buf: Uint8Array, at: number, end: number): number {
  if (s.inProcesses || !matches(buf, at, end, formlessLine)) return -1;
  if (s.frames) endStack(s);
  const { log } = s;
  const stop = at + formlessLine.length - 1;
  addRowHead(log, s.rows, s.lastHi, s.lastLo, log.dicts.event.intern('unknown'), noHead, 0);
  setTextBytes(log, 'detail', buf, at, stop);
  s.formless++;
  return stop;
}
