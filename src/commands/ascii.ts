/** A name from a trace as one line of printable ASCII: nothing in it can move a cursor. */
export const ascii = (text: string): string =>
  text.replace(/[^\x20-\x7e]/g, (c) => {
    const code = c.codePointAt(0)!;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });

/** `text` as ASCII, cut to `width` columns with three dots, without trailing blanks. */
export function asciiLine(text: string, width: number): string {
  const line = ascii(text);
  return (line.length > width ? `${line.slice(0, width - 3)}...` : line).trimEnd();
}
