/** A litmus file that can't be read, or needs what ptlab lacks; the message says where. */
export class LitmusError extends Error {}

/** One file's text; comments are blanked out so that offsets stay those of the file. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** `text` with (* nested comments *) replaced by blanks; line ends stay. */
export function blankComments(file: string, text: string): SourceText {
  const out = text.split('');
  let depth = 0;
  let opened = 0;
  for (let i = 0; i < text.length; i++) {
    const two = text.slice(i, i + 2);
    const closing = depth > 0 && two === '*)';
    if (two === '(*' && depth++ === 0) opened = i;
    if (depth > 0 && out[i] !== '\n') out[i] = ' ';
    if (!closing) continue;
    depth--;
    out[++i] = ' ';
  }
  if (depth > 0) fail({ file, text }, opened, 'a comment (* that is never closed');
  return { file, text: out.join('') };
}

/** 'file:line:column' of an offset. */
export function where(source: SourceText, offset: number): string {
  const before = source.text.slice(0, offset).split('\n');
  return `${source.file}:${before.length}:${before[before.length - 1]!.length + 1}`;
}

/** Stop with file:line:column and `message`. */
export function fail(source: SourceText, offset: number, message: string): never {
  throw new LitmusError(`${where(source, offset)}: ${message}`);
}

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
}

const token =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+)|([A-Za-z_$][\w$]*)|("[^"\n]*")|(\/\\|\\\/|=>|!=|<>|==|&&|\|\||[^\s]))/y;

/** The tokens of text[from..to), closed by one of kind 'end'. */
export function tokens(source: SourceText, from: number, to: number): Token[] {
  const list: Token[] = [];
  const text = source.text.slice(0, to);
  token.lastIndex = from;
  for (let at = from; ; at = token.lastIndex) {
    token.lastIndex = at;
    const m = token.exec(text);
    if (!m) break;
    const found = m[1] ?? m[2] ?? m[3] ?? m[4]!;
    const kind = m[1] ? 'number' : m[2] ? 'name' : m[3] ? 'string' : 'sign';
    list.push({ kind, text: found, at: token.lastIndex - found.length });
  }
  list.push({ kind: 'end', text: 'the end', at: to });
  return list;
}

/** A cursor over tokens. */
export interface Cursor {
  readonly source: SourceText;
  readonly list: readonly Token[];
  at: number;
}

export const cursor = (source: SourceText, from: number, to: number): Cursor => ({
  source,
  list: tokens(source, from, to),
  at: 0,
});

export const peek = (c: Cursor, ahead = 0): Token =>
  c.list[Math.min(c.at + ahead, c.list.length - 1)]!;

/** The next token, if it is the sign or word `text`; the cursor then moves past it. */
export function accept(c: Cursor, text: string): boolean {
  const t = peek(c);
  if (t.text !== text || t.kind === 'string' || t.kind === 'end') return false;
  c.at++;
  return true;
}

export function expect(c: Cursor, text: string, where: string): void {
  if (!accept(c, text)) wanted(c, `'${text}' ${where}`);
}

/** Stop because the next token is not what is needed. */
export const wanted = (c: Cursor, what: string): never =>
  fail(c.source, peek(c).at, `expected ${what}, found '${peek(c).text}'`);

export function nameToken(c: Cursor, what: string): Token {
  const t = peek(c);
  if (t.kind !== 'name') wanted(c, what);
  c.at++;
  return t;
}

/** An integer with an optional sign, as 64 bits. */
export function integer(c: Cursor, what: string): bigint {
  const minus = accept(c, '-');
  const t = peek(c);
  if (t.kind !== 'number') wanted(c, what);
  c.at++;
  const v = BigInt(t.text);
  return BigInt.asUintN(64, minus ? -v : v);
}
