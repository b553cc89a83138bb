// The rules kernel lists have for mail, each with where it is written down.
import { messageIds } from './mail-read.js';

const process = (page: string): string => `Documentation/process/${page}`;

/** The rules by name: what they ask for, and who says so. */
export const mailRules = {
  header: ['a mail has From, To and Subject', 'RFC 5322, 3.6'],
  charset: [
    'plain ASCII or UTF-8, not re-encoded',
    process('email-clients.rst, General Preferences'),
  ],
  html: ['no HTML', 'https://subspace.kernel.org/etiquette.html, plain text only'],
  attachment: [
    'no MIME parts, no attachments',
    process('submitting-patches.rst, No MIME, no links, no compression, no attachments'),
  ],
  flowed: ['no format=flowed', process('email-clients.rst, General Preferences')],
  width: [
    'own lines within 75 columns',
    process('submitting-patches.rst, The canonical patch format'),
  ],
  'line-length': ['no line over 998 bytes', 'RFC 5322, 2.1.1'],
  blanks: ['no trailing blanks', process('coding-style.rst, Spaces')],
  control: ['no control characters', 'RFC 5322, 3.5: unobsolete text is printable'],
  'top-posting': [
    'answers stand below what they answer',
    process('submitting-patches.rst, Use trimmed interleaved replies'),
  ],
  'over-quoting': [
    'quotes cut to what is answered',
    process('submitting-patches.rst, Use trimmed interleaved replies'),
  ],
  threading: [
    'In-Reply-To and References name the mail answered',
    process('email-clients.rst, General Preferences; RFC 5322, 3.6.4'),
  ],
  'line-start': [
    'no line that mail or patch tools act on (From, ---, diff)',
    process('submitting-patches.rst, The canonical patch format; git-mailinfo(1)'),
  ],
} as const satisfies Record<string, readonly [string, string]>;

/** A rule that a line breaks. */
export interface Fault {
  /** 1-based line of the file. */
  readonly line: number;
  readonly rule: keyof typeof mailRules;
  /** What is wrong, with the value. */
  readonly message: string;
  readonly source: string;
}

interface Header {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

interface Parts {
  readonly headers: readonly Header[];
  readonly body: readonly string[];
  /** Line number of the first body line. */
  readonly first: number;
}

/** Header fields, unfolded, and the lines of the body. An mbox 'From ' line is skipped. */
function parts(raw: string): Parts {
  const lines = raw.split('\n').map((l) => l.replace(/\r$/, ''));
  const headers: Header[] = [];
  let i = /^From \S/.test(lines[0] as string) ? 1 : 0;
  for (; i < lines.length && lines[i] !== ''; i++) {
    const line = lines[i] as string;
    const [, name, value] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    const last = headers.at(-1);
    if (/^[ \t]/.test(line) && last)
      headers[headers.length - 1] = { ...last, value: `${last.value} ${line.trim()}` };
    else headers.push({ name: (name ?? '').toLowerCase(), value: value ?? line, line: i + 1 });
  }
  const body = lines.slice(i + 1);
  if (body.at(-1) === '') body.pop();
  return { headers, body, first: i + 2 };
}

type Report = (line: number, rule: Fault['rule'], message: string) => void;

const shown = (text: string): string => JSON.stringify(text.slice(0, 60));

function checkHeaders({ headers, body, first }: Parts, report: Report): void {
  const find = (name: string) => headers.find((h) => h.name === name);
  for (const h of headers)
    if (h.name === '') report(h.line, 'header', `not a header field: ${shown(h.value)}`);
  for (const h of headers)
    if (/[^\x20-\x7e\t]/.test(h.value))
      report(h.line, 'charset', `${h.name}: beyond ASCII, not encoded: ${shown(h.value)}`);
  for (const name of ['from', 'to', 'subject']) {
    const all = headers.filter((h) => h.name === name);
    if (all.length === 0) report(1, 'header', `no ${name} field`);
    if (all.length > 1) report(all[1]?.line ?? 1, 'header', `${name} stands ${all.length} times`);
  }
  const type = find('content-type');
  const media = type?.value.toLowerCase() ?? 'text/plain; charset=us-ascii';
  if (media.includes('text/html')) report(type?.line ?? 1, 'html', shown(media));
  else if (!media.startsWith('text/plain')) report(type?.line ?? 1, 'attachment', shown(media));
  if (/format="?flowed/.test(media)) report(type?.line ?? 1, 'flowed', shown(media));
  const charset = /charset="?([^";\s]+)/.exec(media)?.[1] ?? 'us-ascii';
  if (!['us-ascii', 'utf-8'].includes(charset))
    report(type?.line ?? 1, 'charset', `charset ${charset}`);
  const odd = body.findIndex((l) => /\P{ASCII}/u.test(l));
  if (charset === 'us-ascii' && odd >= 0)
    report(
      first + odd,
      'charset',
      `beyond ASCII, and no charset says how: ${shown(body[odd] as string)}`,
    );
  const encoding = find('content-transfer-encoding');
  if (encoding && !/^(7bit|8bit)$/i.test(encoding.value.trim()))
    report(
      encoding.line,
      'charset',
      `${encoding.value.trim()}: send 8bit, tools read the raw text`,
    );
  const disposition = find('content-disposition');
  if (disposition && /attachment/i.test(disposition.value))
    report(disposition.line, 'attachment', shown(disposition.value));
  checkThread({ headers }, report);
}

function checkThread({ headers }: Pick<Parts, 'headers'>, report: Report): void {
  const find = (name: string) => headers.find((h) => h.name === name);
  const subject = find('subject');
  const [parent, references] = [find('in-reply-to'), find('references')];
  const ids = messageIds(references?.value ?? '');
  const reply = /^\s*(re|aw|sv):/i.test(subject?.value ?? '');
  if (!parent) {
    if (reply) report(subject?.line ?? 1, 'threading', 'a reply (Re:) without In-Reply-To');
    if (references) report(references.line, 'threading', 'References without In-Reply-To');
    return;
  }
  const answered = messageIds(parent.value);
  if (answered.length !== 1 || answered[0] !== parent.value.trim())
    report(parent.line, 'threading', `In-Reply-To is not one <message-id>: ${shown(parent.value)}`);
  if (!references) report(parent.line, 'threading', 'In-Reply-To without References');
  else if (answered[0] && ids.at(-1) !== answered[0])
    report(references.line, 'threading', `References do not end in ${shown(answered[0])}`);
  if (references && ids.join(' ') !== references.value.trim().replace(/\s+/g, ' '))
    report(
      references.line,
      'threading',
      `References hold more than <message-id>s: ${shown(references.value)}`,
    );
}

const isQuote = (line: string): boolean => line.startsWith('>');

/** Width in columns; a lone long word (an address, a path) cannot be wrapped. */
const tooWide = (line: string): boolean => columns(line) > 75 && /\S\s+\S/.test(line.trim());

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

function checkLines({ body, first }: Parts, report: Report): void {
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
function checkQuoting({ body, first }: Parts, report: Report): void {
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

/**
 * What a mail (an .eml file, or one message of an mbox) breaks of the rules of kernel lists,
 * by line. Reads the raw text, as the tools of the receivers do.
 */
export function lintMail(raw: string): Fault[] {
  const faults: Fault[] = [];
  const report: Report = (line, rule, message) =>
    void faults.push({ line, rule, message, source: mailRules[rule][1] });
  const mail = parts(raw);
  if (mail.headers.length === 0 || mail.headers[0]?.name === '')
    report(1, 'header', 'the file does not begin with header fields');
  checkHeaders(mail, report);
  checkLines(mail, report);
  checkQuoting(mail, report);
  return faults.sort((a, b) => a.line - b.line);
}
