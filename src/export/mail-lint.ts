// Does a mail keep the rules of kernel lists? Its header here, its lines beside this file.
import { type Body, checkLines, checkQuoting } from './mail-lint-body.js';
import { messageIds } from './mail-read.js';
import { type Fault, mailRules, type Report, shown } from './mail-rules.js';

export { type Fault, mailRules } from './mail-rules.js';

interface Header {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

interface Parts extends Body {
  readonly headers: readonly Header[];
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
  if (media.startsWith('multipart/'))
    body.forEach((l, i) => {
      if (/^content-type:\s*text\/html/i.test(l)) report(first + i, 'html', shown(l));
      if (/^content-disposition:\s*attachment/i.test(l)) report(first + i, 'attachment', shown(l));
    });
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
