// What of a message is quoted in the answer: the paragraphs answered, and who wrote them.

import { wrap } from './ascii.js';

/** Longer lines are prose that nobody wrapped; logs and code are shorter. */
const LONG = 120;

/** An answer and the words of the message it stands under. */
export interface Answer {
  /** Words of the message, in their order; line breaks and quote marks between them do not matter. */
  readonly at: string;
  /** The answer: lines of plain text. */
  readonly text: string;
}

/** How often a line was quoted, and what it says. */
interface Line {
  readonly level: number;
  readonly text: string;
}

function parse(line: string): Line {
  const marks = /^(> ?)*/.exec(line)?.[0] ?? '';
  return { level: marks.replaceAll(' ', '').length, text: line.slice(marks.length) };
}

/** Words as they are compared: neither case, line breaks nor quote marks count. */
const words = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => /[^>]/.test(w));

/** Lines before the signature and what lists append. */
function withoutFooter(lines: readonly string[]): string[] {
  const end = lines.findIndex(
    (l, i) =>
      l === '--' ||
      (/^_{20,}$/.test(l) && /mailing list|@/.test(lines.slice(i + 1, i + 4).join(' '))),
  );
  const body = end < 0 ? [...lines] : lines.slice(0, end);
  while (body.length > 0 && body.at(-1) === '') body.pop();
  return body;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

/** Where the words of `at` stand: every run of lines of one quote level that holds them. */
function places(lines: readonly Line[], at: string): Span[] {
  const wanted = words(at).join(' ');
  const found: Span[] = [];
  for (let first = 0; first < lines.length; first++) {
    let text = '';
    const { level } = lines[first] as Line;
    for (let last = first; last < lines.length && last < first + 20; last++) {
      const line = lines[last] as Line;
      if (line.level !== level || line.text.trim() === '') break;
      const before = text;
      text = words(`${text} ${line.text}`).join(' ');
      const i = text.indexOf(wanted);
      if (i < 0) continue;
      const own = words((lines[first] as Line).text).join(' ').length;
      if (i < own || before === '') found.push({ first, last });
      break;
    }
  }
  return found;
}

/** The line with most words in common with `at`, for an error to show. */
function nearest(lines: readonly Line[], at: string): string {
  const wanted = new Set(words(at));
  const score = (l: Line) => words(l.text).filter((w) => wanted.has(w)).length;
  const best = lines.reduce((a, b) => (score(b) > score(a) ? b : a), lines[0] as Line);
  return score(best) > 0 ? `; nearest: ${JSON.stringify(best.text.trim().slice(0, 70))}` : '';
}

/**
 * The one place meant by `at`: the author's own words go before what he quotes.
 * @throws Error if it is nowhere, or twice at the same level.
 */
function place(lines: readonly Line[], at: string): Span {
  if (words(at).length === 0) throw new Error('--at is empty: give words of the message');
  const all = places(lines, at);
  const level = Math.min(...all.map((s) => (lines[s.first] as Line).level));
  const [span, other] = all.filter((s) => (lines[s.first] as Line).level === level);
  const shown = JSON.stringify(at.slice(0, 60));
  if (!span) throw new Error(`the message does not say ${shown}${nearest(lines, at)}`);
  if (other)
    throw new Error(
      `the message says ${shown} in lines ${span.first + 1} and ${other.first + 1} of its text: give more words`,
    );
  return span;
}

const endsSentence = (text: string): boolean => /[.?!:]["')\]]*$/.test(text.trim());

/** The block goes below the line of `at`; below the next one or two where the sentence ends there. */
function sentenceEnd(lines: readonly Line[], span: Span): number {
  const { level } = lines[span.last] as Line;
  for (let i = span.last; i <= span.last + 2; i++) {
    const line = lines[i];
    if (!line || line.level !== level || line.text.trim() === '') break;
    if (endsSentence(line.text)) return i;
  }
  return span.last;
}

/** First line of the paragraph around line `at`: lines of its level without a blank between. */
function paragraphStart(lines: readonly Line[], at: number): number {
  let first = at;
  for (let above = lines[first - 1]; above; above = lines[first - 1]) {
    if (above.level !== lines[at]?.level || above.text.trim() === '') break;
    first--;
  }
  return first;
}

const wrote = /\b(wrote|writes|said):$/;

/** Attribution lines of each quoting level from the outside down to `level`, as far as they stand above. */
function attributions(lines: readonly Line[], at: number, level: number): number[] {
  const found: number[] = [];
  let below = level;
  for (let i = at - 1; i >= 0 && below > 0; i--) {
    const line = lines[i] as Line;
    if (line.level >= below || !wrote.test(line.text.trim())) continue;
    found.push(i);
    const above = lines[i - 1];
    if (above && above.level === line.level && /^On /.test(above.text) && !/^On /.test(line.text))
      found.push(i - 1);
    below = line.level;
  }
  return found;
}

/** Paragraphs that were sent as one line, in lines that can be quoted; what is shorter stays as it is. */
function folded(line: string): string[] {
  if (line.length <= LONG) return [line];
  const marks = /^(> ?)*/.exec(line)?.[0] ?? '';
  return wrap(line.slice(marks.length), 72 - marks.length).map((l) => marks + l);
}

const quote = (line: string): string => (line === '' ? '>' : `> ${line}`);

/** Lines of a paragraph kept before the words answered; prose has fewer, a patch may have hundreds. */
const BEFORE = 12;

/** The lines that stay: each paragraph down to the end of what is answered, and who wrote it. */
function kept(lines: readonly Line[], spans: readonly Span[]): Set<number> {
  const keep = new Set<number>();
  for (const span of spans) {
    const first = Math.max(paragraphStart(lines, span.first), span.first - BEFORE);
    for (let i = first; i <= sentenceEnd(lines, span); i++) keep.add(i);
    for (const i of attributions(lines, first, (lines[first] as Line).level)) keep.add(i);
  }
  return keep;
}

/**
 * The body of a reply: each answer below the words it answers, the rest of the message cut to the
 * paragraphs answered, each down to the answer, and the lines that say who wrote them; what was
 * cut is marked '[...]'.
 * Without answers the whole message is quoted, less signature and list footer.
 * @throws Error if the words of an answer are not in the message, or in two places.
 */
export function quoted(text: string, answers: readonly Answer[]): string[] {
  const body = withoutFooter(text.replace(/\n$/, '').split('\n')).flatMap(folded);
  if (answers.length === 0) return body.map(quote);
  const lines = body.map(parse);
  const spans = answers.map((a) => place(lines, a.at));
  const below = new Map<number, Answer[]>();
  spans.forEach((span, i) => {
    const end = sentenceEnd(lines, span);
    below.set(end, [...(below.get(end) ?? []), answers[i] as Answer]);
  });
  const out: string[] = [];
  let last = -1;
  for (const i of [...kept(lines, spans)].sort((a, b) => a - b)) {
    const cut = body.slice(last + 1, i);
    if (cut.some((l) => parse(l).text.trim() !== ''))
      out.push(...(out.length > 0 && last >= 0 ? ['>'] : []), '> [...]', '>');
    else if (cut.length > 0 && last >= 0 && out.at(-1) !== '') out.push('>');
    out.push(quote(body[i] as string));
    for (const a of below.get(i) ?? []) out.push('', ...a.text.replace(/\n+$/, '').split('\n'), '');
    last = i;
  }
  while (out.at(-1) === '') out.pop();
  return out;
}
