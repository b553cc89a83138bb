// Command lines as text for people to paste: written so that no word can break out, read back strictly.

const bare = /^[A-Za-z0-9_@%+=:,./-]+$/;
const printable = /^[\x20-\x7e]*$/;

/** A byte as shells and printf write it, '\\ooo'. */
export const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

/** The bytes of `char` inside $'...'. */
const ansi = (char: string): string =>
  char === '\\' || char === "'"
    ? `\\${char}`
    : printable.test(char)
      ? char
      : Array.from(new TextEncoder().encode(char), octal).join('');

/** `word` as one shell word of 7-bit ASCII; what is not printable becomes $'\NNN' bytes. */
export function quote(word: string): string {
  if (bare.test(word)) return word;
  return inQuotes(word);
}

const inQuotes = (word: string): string =>
  printable.test(word)
    ? `'${word.replaceAll("'", "'\\''")}'`
    : `$'${Array.from(word, ansi).join('')}'`;

/** `word` in quoted pieces of at most `width` columns, which the shell puts together again. */
function pieces(word: string, width: number): string[] {
  const whole = quote(word);
  if (whole.length <= width) return [whole];
  const out: string[] = [];
  let part = '';
  for (const char of word) {
    if (inQuotes(part + char).length > width) {
      out.push(inQuotes(part));
      part = '';
    }
    part += char;
  }
  return [...out, inQuotes(part)];
}

/**
 * The command line of `words` after '$ ', in lines of at most `width` columns that end in a
 * backslash where they go on. Only a word too long for a line goes on in the first column.
 */
export function commandLines(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '$';
  for (const word of words) {
    const [first = "''", ...rest] = pieces(word, width - 6);
    if (line.length + 1 + first.length + 2 > width) {
      lines.push(`${line} \\`);
      line = '   ';
    }
    line += ` ${first}`;
    for (const piece of rest) {
      lines.push(`${line}\\`);
      line = piece;
    }
  }
  return [...lines, line];
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\', "'": "'" };

/** The text of $'...' whose inside starts at `at`: its bytes and where it ends. */
function ansiWord(text: string, at: number): { bytes: number[]; end: number } {
  const bytes: number[] = [];
  let i = at;
  for (; text[i] !== "'"; i++) {
    if (i >= text.length) throw new SyntaxError("a quote $' is never closed");
    const digits = /^\\([0-3][0-7]{2})/.exec(text.slice(i, i + 4));
    if (digits) {
      bytes.push(Number.parseInt(digits[1] as string, 8));
      i += 3;
    } else if (text[i] === '\\') {
      const char = escapes[text[++i] ?? ''];
      if (char === undefined) throw new SyntaxError(`unknown escape \\${text[i] ?? ''} in $'...'`);
      bytes.push(char.charCodeAt(0));
    } else bytes.push(...new TextEncoder().encode(text[i] as string));
  }
  return { bytes, end: i + 1 };
}

/**
 * The words of a command line as `commandLines` writes it (without '$ ').
 * @throws SyntaxError on anything else a shell would act on: ; | & < > $( ` * and the like.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; ) {
    const char = text[i] as string;
    if (char === '\\' && text[i + 1] === '\n') i += 2;
    else if (/[ \t\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      i++;
    } else if (char === "'") {
      const end = text.indexOf("'", i + 1);
      if (end < 0) throw new SyntaxError("a quote ' is never closed");
      word = (word ?? '') + text.slice(i + 1, end);
      i = end + 1;
    } else if (text.startsWith("$'", i)) {
      const { bytes, end } = ansiWord(text, i + 2);
      word = (word ?? '') + new TextDecoder().decode(Uint8Array.from(bytes));
      i = end;
    } else if (char === '\\' && text[i + 1] === "'") {
      word = `${word ?? ''}'`;
      i += 2;
    } else if (bare.test(char)) {
      word = (word ?? '') + char;
      i++;
    } else throw new SyntaxError(`unquoted ${JSON.stringify(char)} at character ${i + 1}`);
  }
  return word === undefined ? words : [...words, word];
}
