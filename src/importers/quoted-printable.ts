import { headBytes, peek } from './peek.js';

const EQUALS = 0x3d;
const NEWLINE = 10;
const RETURN = 13;

const hexValue = (b: number | undefined): number => {
  const c = String.fromCharCode(b ?? 0);
  return /[0-9A-Fa-f]/.test(c) ? Number.parseInt(c, 16) : -1;
};

const header = /^Content-Transfer-Encoding:\s*quoted-printable/im;

/** Does a mail's header say that its text is in quoted-printable? */
const isDeclared = (head: Uint8Array): boolean =>
  header.test(Buffer.from(head.subarray(0, headBytes)).toString('latin1'));

/** First bytes of a text, decoded if they are of a mail whose header says that they must be. */
export const plainHead = (head: Uint8Array): Uint8Array =>
  isDeclared(head) ? decodeAll(head) : head;

/** A text, decoded if it is a mail whose header says that it must be. */
export async function* plainText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, pieces } = await peek(chunks);
  yield* isDeclared(head) ? unquotePrintable(pieces) : pieces;
}

/** Does a mail's text look as if it were written in quoted-printable? */
export function isQuotedPrintable(head: Uint8Array): boolean {
  const text = Buffer.from(head).toString('latin1');
  if (header.test(text)) return true;
  const soft = text.match(/=\r?\n/g)?.length ?? 0;
  const coded = text.match(/=(?:3D|20|09|[89A-F][0-9A-F])/g)?.length ?? 0;
  const bare = text.match(/\w=(?![0-9A-F]{2}|\r?\n)\S/g)?.length ?? 0;
  return soft > 0 && coded > bare;
}

/** Decode quoted-printable as it comes; what is no escape stays as it is. */
export async function* unquotePrintable(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let carry = new Uint8Array(0);
  for await (const chunk of chunks) {
    const buf = Buffer.concat([carry, chunk]);
    const { out, used } = decode(buf, false);
    carry = new Uint8Array(buf.subarray(used));
    yield out;
  }
  yield decode(carry, true).out;
}

/** Decode the whole of a text. */
export const decodeAll = (bytes: Uint8Array): Uint8Array => decode(bytes, true).out;

function decode(buf: Uint8Array, last: boolean): { out: Uint8Array; used: number } {
  const out = new Uint8Array(buf.length);
  let to = 0;
  let at = 0;
  for (; at < buf.length; at++) {
    const b = buf[at]!;
    if (b !== EQUALS) {
      out[to++] = b;
      continue;
    }
    if (!last && at + 2 >= buf.length) break;
    const hi = hexValue(buf[at + 1]);
    const lo = hexValue(buf[at + 2]);
    if (buf[at + 1] === NEWLINE) at++;
    else if (buf[at + 1] === RETURN && buf[at + 2] === NEWLINE) at += 2;
    else if (hi >= 0 && lo >= 0) {
      out[to++] = hi * 16 + lo;
      at += 2;
    } else out[to++] = b;
  }
  return { out: out.subarray(0, to), used: at };
}
