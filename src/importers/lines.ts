/** Longer lines are no trace: they are handed on cut, so that a file without newlines costs no memory. */
export const maxLine = 1 << 20;

/** Gets `buf[start, end)` without the newline, the 1-based line number and the byte offset. */
export type OnLine = (
  buf: Uint8Array,
  start: number,
  end: number,
  line: number,
  offset: number,
) => void;

const NEWLINE = 10;
const RETURN = 13;

/** Call `onLine` for each line of a byte stream; memory is one piece and one line. */
export async function eachLine(chunks: AsyncIterable<Uint8Array>, onLine: OnLine): Promise<void> {
  let carry = new Uint8Array(0);
  let line = 0;
  let base = 0; // byte offset of carry[0]
  let dropping = false; // inside a line that was handed on cut

  const emit = (buf: Uint8Array, start: number, end: number): void => {
    line++;
    const stop = end > start && buf[end - 1] === RETURN ? end - 1 : end;
    onLine(buf, start, stop, line, base + start);
  };

  for await (const chunk of chunks) {
    const buf = carry.length === 0 ? chunk : join(carry, chunk);
    let start = 0;
    for (let at = buf.indexOf(NEWLINE, carry.length); at >= 0; at = buf.indexOf(NEWLINE, start)) {
      if (dropping) dropping = false;
      else emit(buf, start, at);
      start = at + 1;
    }
    carry = buf.slice(start);
    if (!dropping && carry.length > maxLine) {
      emit(buf, start, buf.length);
      dropping = true;
    }
    base += start;
    if (dropping) {
      base += carry.length;
      carry = new Uint8Array(0);
    }
  }
  if (carry.length > 0) emit(carry, 0, carry.length);
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
