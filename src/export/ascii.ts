// Text that a kernel mailing list takes: names made harmless, numbers that parse back, lines that fit.

/** Widest line of a block: three levels of '> ' still fit 80 columns. */
export const WIDTH = 72;

/** A line that starts like this means something else to mail and patch tools. */
export const forbiddenStart = /^(From |--|>|diff |Index: )/;

/** Letters kept in UTF-8 text: one column and one code unit wide, left to right. */
const wide = /[\uff00-\uffef\u{10000}-\u{10ffff}]/u;
const letter = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]$/u;
const sign = /^[\u00a1-\u00ac\u00ae-\u00ff\u2010-\u2015\u2018-\u201f\u2026\u20ac\u2190-\u2193]$/u;

function escaped(char: string, utf8: boolean): string {
  const code = char.codePointAt(0) as number;
  if (char === '\\') return '\\\\';
  if (code >= 0x20 && code < 0x7f) return char;
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (utf8 && !wide.test(char) && (/^\p{L}$/u.test(char) ? letter : sign).test(char)) return char;
  return `\\u{${code.toString(16)}}`;
}

const hex = (text: string): string => `\\x${text.charCodeAt(0).toString(16)}`;

/**
 * `text` as one piece of a line: control characters, backslashes and what is not 7-bit ASCII as
 * \n, \t, \xNN, \\ and \u{N}, so two names stay two names. With `utf8`, letters stay as they are.
 */
export const clean = (text: string, utf8 = false): string =>
  Array.from(text, (c) => escaped(c, utf8)).join('');

/** A name out of a trace, safe anywhere in a line: also no blank at an end, no forbidden start. */
export function name(value: unknown, utf8 = false): string {
  if (value === null || value === undefined) return '-';
  const text = clean(String(value), utf8);
  if (text === '') return '""';
  const start =
    forbiddenStart.test(text) || /^( |\$ |unit:)/.test(text) ? hex(text) + text.slice(1) : text;
  return start.endsWith(' ') ? start.slice(0, -1) + hex(' ') : start;
}

/** `text` in at most `width` columns; what is too long loses its middle to a '~'. */
export function fit(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 3);
  return `${text.slice(0, width - 1 - tail)}~${tail > 0 ? text.slice(-tail) : ''}`;
}

/** Words of `text` in lines of at most `width` columns; following lines begin with `indent`. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/)) {
    let rest = word;
    if (line !== '' && line.trim() !== '' && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = indent;
    }
    const glue = line === '' || line === indent ? '' : ' ';
    while (line.length + glue.length + rest.length > width) {
      const room = Math.max(1, width - line.length - glue.length);
      lines.push(line + glue + rest.slice(0, room));
      rest = rest.slice(room);
      line = indent;
    }
    line += (line === '' || line === indent ? '' : ' ') + rest;
  }
  return [...lines, line].filter((l) => l.trim() !== '');
}

/**
 * A number as text that parses back: whole numbers with all digits, others rounded to
 * `digits` significant ones; '-' where there is none.
 */
export function figure(value: unknown, digits = 6): string {
  if (typeof value === 'bigint')
    return String(value).length <= 20 ? String(value) : figure(Number(value));
  if (typeof value !== 'number' || Number.isNaN(value)) return '-';
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  return Number.isFinite(value)
    ? String(Number(value.toPrecision(digits)))
    : value > 0
      ? 'inf'
      : '-inf';
}

const decimals = (text: string): number => text.split('.')[1]?.length ?? 0;

/** A column of numbers: as `figure`, with the same decimals where that stays short. */
export function figures(values: readonly unknown[], digits = 6): string[] {
  const plain = values.map((v) => figure(v, digits));
  const most = Math.max(0, ...plain.filter((t) => !/[a-z]/.test(t)).map(decimals));
  if (most === 0 || most > 9) return plain;
  return plain.map((t) =>
    /[a-z]/.test(t) || t === '-'
      ? t
      : t + (t.includes('.') ? '' : '.') + '0'.repeat(most - decimals(t)),
  );
}

/** Lines made fit to be mailed: no trailing blanks, no forbidden start. */
export const finish = (lines: readonly string[]): string[] =>
  lines.map((line) => {
    const text = line.trimEnd();
    return forbiddenStart.test(text) ? ` ${text}` : text;
  });

/** True for what belongs to the right of a column. */
export const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';
