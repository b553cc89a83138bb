// Checks of the lines of a mail: what they hold, what they quote, where the answers stand.
import { type Report, shown } from './mail-rules.js';

/** The lines below the header; `first` is the line number of the first. */
export interface Body {
  readonly body: readonly string[];
  readonly first: number;
}

const isQuote = (line: string): boolean => line.startsWith('>');

/** Lines that are not to be wrapped: a lone long word, tags of a commit, kernel log lines. */
const whole = /^\s*\S+\s*$|^(Fixes|Link|Closes|Cc|[A-Z][a-z-]+-by): |^\[ *\d+\.\d+\]/;

const tooWide = (line: string): boolean => columns(line) > 75 && !whole.test(line);

/** Columns of a line, tabs to every eighth. */
const columns = (line: string): number =>
  Array.from(line).reduce((n, c) => (c === '\t' ? n + 8 - (n % 8) : n + 1), 0);

const diffStart = /^(diff --git |Index: \S|--- \S.*\n\+\+\+ )/;
const diffLine =
  /^([ +@\\-]|diff |index |Index: |new |old |deleted |rename |copy |similarity |Binary )/;

/** Lines of a patch, which must stay as they are; where one stands, so may its '---'. */
function patchLines(body: readonly string[]): { inside: boolean[]; any: boolean } {
  let within = false;
  const inside = body.map((line, i) => {
    within = diffStart.test(`${line}\n${body[i + 1] ?? ''}`) || (within && diffLine.test(line));
    return within && line !== '-- ';
  });
  return { inside, any: inside.includes(true) };
}

/** Width, bytes, blanks, and what tools would act on. */
export function checkLines({ body, first }: Body, report: Report): void {
  const patch = patchLines(body);
  body.forEach((line, i) => {
    const n = first + i;
    if (Buffer.byteLength(line) > 998) report(n, 'line-length', `${Buffer.byteLength(line)} bytes`);
    if (/[^\P{Cc}\t]/u.test(line)) report(n, 'control', shown(line));
    if (line.includes('\ufffd')) report(n, 'charset', `not UTF-8: ${shown(line)}`);
    if (isQuote(line) || patch.inside[i]) return;
    if (tooWide(line)) report(n, 'width', `${columns(line)} columns`);
    if (/\s$/.test(line) && line !== '-- ') report(n, 'blanks', shown(line));
    const acted = patch.any ? /^From / : /^(From |---(\s|$)|diff -|Index: )/;
    if (acted.test(line)) report(n, 'line-start', shown(line));
    if (/<(html|body|div|p|br|span|table)[\s>/]/i.test(line)) report(n, 'html', shown(line));
  });
}

const attribution = /\b(wrote|writes|said):\s*$/;
/** Where a mail program put the mail answered below the answer, unquoted. */
const original =
  /^-+ ?(Original Message|Forwarded message)|^(From|Von|De|Da): .*\n(Sent|Date|Gesendet|Envoy|Inviato|To|Subject)/i;

/** Where the reply's own words are: a line is own unless quoted, blank, or says who wrote what follows. */
export function checkQuoting({ body, first }: Body, report: Report): void {
  const signature = body.findIndex((l) => l === '-- ' || l === '--');
  const lines = signature < 0 ? body : body.slice(0, signature);
  const quotes = lines.filter((l) => isQuote(l) && l.replace(/[> ]/g, '') !== '');
  const isOwn = (l: string, i: number) =>
    l.trim() !== '' && !isQuote(l) && !attribution.test(l) && !attribution.test(lines[i + 1] ?? '');
  const own = lines.flatMap((l, i) => (isOwn(l, i) ? [i] : []));
  const outlook = lines.findIndex((l, i) => original.test(`${l}\n${lines[i + 1] ?? ''}`));
  if (outlook >= 0 && own.some((i) => i < outlook))
    report(first + outlook, 'top-posting', 'the whole mail below the answer, unquoted');
  if (quotes.length === 0) return;
  const firstQuote = lines.findIndex(isQuote);
  const after = own.filter((i) => i > firstQuote);
  if (own.length > 0 && after.length === 0)
    report(first + (own[0] as number), 'top-posting', 'nothing stands below the quotes');
  const trailing = lines
    .slice((own.at(-1) ?? firstQuote) + 1)
    .filter((l) => isQuote(l) && l.replace(/[> ]/g, '') !== '');
  const lastOwn = (own.at(-1) ?? firstQuote) + 1;
  if (after.length > 0 && trailing.length > 5)
    report(
      first + lastOwn,
      'over-quoting',
      `${trailing.length} quoted lines below the last answer`,
    );
  checkRuns(lines, first, own, quotes.length, report);
}

/** Long runs of quotes that nobody answers. */
function checkRuns(
  lines: readonly string[],
  first: number,
  own: readonly number[],
  quotes: number,
  report: Report,
): void {
  if (own.length === 0) report(first, 'over-quoting', `${quotes} quoted lines and no answer`);
  let run = 0;
  lines.forEach((l, i) => {
    run = isQuote(l) || l.trim() === '' ? run + (isQuote(l) ? 1 : 0) : 0;
    if (run === 51) report(first + i - 50, 'over-quoting', 'more than 50 quoted lines in a row');
  });
  if (quotes > 20 && quotes > own.length * 10)
    report(first, 'over-quoting', `${quotes} quoted lines for ${own.length} own ones`);
}
