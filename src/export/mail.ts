// A reply as a good mail client writes it: plain text, interleaved, threaded, nothing sent.
import { createHash } from 'node:crypto';
import { finish, wrap } from './ascii.js';
import { type Answer, quoted } from './mail-quote.js';
import { type Mail, oneLine, type Person } from './mail-read.js';

/** What a reply is made of. */
export interface ReplyOptions {
  readonly mail: Mail;
  /** Who answers. */
  readonly me: Person;
  /** More addresses of the same person; none of them gets a copy. */
  readonly aliases?: readonly string[];
  readonly answers: readonly Answer[];
  /** When: makes Date and, with the text, Message-ID. */
  readonly now: Date;
}

type Encode = (text: string) => string;

const ascii = /^[\x20-\x7e]*$/;
const longWord = /\S{68}/;

/** Longest encoded word RFC 2047 allows. */
const WORD = 75;

/** RFC 2047 words where a header needs them; never a line break. */
async function encoder(): Promise<Encode> {
  const { default: libmime } = await import('libmime');
  return (text) => {
    if (ascii.test(text) && !longWord.test(text) && !text.includes('=?')) return text;
    const partly = !longWord.test(text) && !text.includes('=?');
    const words = partly
      ? libmime.encodeWords(text, 'B', WORD)
      : libmime.encodeWord(text, 'B', WORD);
    return words.replace(/[\r\n]+/g, ' ');
  };
}

const atom = /^[\w!#$%&'*+/=?^`{|}~ -]+$/;

/** `Name <address>`, the name quoted or encoded as it needs; encoded words on lines of their own. */
function mailbox({ name: full, address }: Person, encode: Encode): string {
  const name = Array.from(full).slice(0, 100).join('').trim();
  if (name === '') return address;
  const encoded = encode(name).replaceAll('?= =?', '?=\n =?');
  const quotable = encoded === name && !atom.test(name);
  return `${quotable ? `"${name.replace(/["\\]/g, '\\$&')}"` : encoded} <${address}>`;
}

/** `name: items`, an item a line where one is not enough. */
function header(name: string, items: readonly string[], separator: string): string[] {
  const lines: string[] = [];
  let line = `${name}:`;
  items.forEach((item, i) => {
    const text = item + (i < items.length - 1 ? separator : '');
    if (line !== `${name}:` && line.length + 1 + text.length > 76) {
      lines.push(line);
      line = '';
    }
    line += ` ${text}`;
  });
  return [...lines, line];
}

/** The subject without what marks answers: Re:, RE:, Aw:, Re[2]:. */
const subjectOf = (subject: string): string =>
  subject.replace(/^((re|aw|sv|antw|vs)(\[\d+\])?\s*:\s*)+/i, '').trimEnd();

const key = (p: Person): string => p.address.toLowerCase();

/** To and Cc of an answer to all: nobody twice, and not the one who answers. */
function recipients({ mail, me, aliases = [] }: ReplyOptions): { to: Person[]; cc: Person[] } {
  const seen = new Set([me.address, ...aliases].map((a) => a.toLowerCase()));
  const unseen = (list: readonly Person[]) =>
    list.filter((p) => !seen.has(key(p)) && Boolean(seen.add(key(p))));
  const sender = mail.replyTo.length > 0 ? mail.replyTo : mail.from ? [mail.from] : [];
  const first = unseen(mail.followupTo.length > 0 ? mail.followupTo : sender);
  // An answer to one's own mail goes to those who got it.
  const to = first.length > 0 ? first : unseen(mail.to);
  const cc =
    mail.followupTo.length > 0
      ? []
      : unseen([
          ...(mail.replyTo.length > 0 && mail.from ? [mail.from] : []),
          ...mail.to,
          ...mail.cc,
        ]);
  return to.length > 0 ? { to, cc } : { to: cc, cc: [] };
}

const dateParts =
  /^(?:(\w{3}), )?(\d{1,2}) (\w{3}) (\d{4}) (\d{1,2}:\d{2})(?::\d{2})? ?([+-]\d{4}|[A-Z]{1,4})?/;

/** 'On Mon, 16 Jun 2025 at 16:03 +0530, Name wrote:', wrapped. */
function attribution(mail: Mail): string[] {
  const who = mail.from ? mail.from.name || mail.from.address : 'someone';
  const [, day, date, month, year, time, zone] = dateParts.exec(mail.date) ?? [];
  const when = date
    ? `On ${day ? `${day}, ` : ''}${date} ${month} ${year} at ${time}${zone ? ` ${zone}` : ''}, `
    : '';
  return finish(wrap(`${when}${oneLine(who)} wrote:`, 72));
}

const rfcDate = (now: Date): string => now.toUTCString().replace('GMT', '+0000');

function messageId(me: Person, body: string, now: Date, parent: string): string {
  const digest = createHash('sha256').update(`${parent}\n${body}`).digest('hex').slice(0, 16);
  const stamp = now.toISOString().replace(/\D/g, '').slice(0, 14);
  return `<${stamp}.${digest}@${me.address.split('@')[1]}>`;
}

/** The text of the reply: attribution, quotes, answers. */
export const replyBody = (options: ReplyOptions): string =>
  `${[...attribution(options.mail), ...quoted(options.mail.text, options.answers)].join('\n')}\n`;

/**
 * The whole reply as an RFC 5322 message with '\n' line ends, for git send-email, mutt -H and b4:
 * text/plain, UTF-8, 8bit, never format=flowed.
 * @throws Error if the mail has no Message-ID, or nobody to answer to.
 */
export async function makeReply(options: ReplyOptions, body = replyBody(options)): Promise<string> {
  const { mail, me, now } = options;
  if (mail.messageId === '')
    throw new Error(
      'the message has no Message-ID, so no reply can be threaded below it: save it raw',
    );
  const { to, cc } = recipients(options);
  if (to.length === 0) throw new Error('the message names nobody to answer to but yourself');
  const encode = await encoder();
  const boxes = (list: readonly Person[]) => list.map((p) => mailbox(p, encode));
  const references = [...new Set([...mail.references, mail.messageId])];
  const lines = [
    ...header('From', [mailbox(me, encode)], ','),
    ...header('To', boxes(to), ','),
    ...(cc.length > 0 ? header('Cc', boxes(cc), ',') : []),
    ...header('Subject', ['Re:', ...encode(subjectOf(mail.subject)).split(' ')], ''),
    `Date: ${rfcDate(now)}`,
    `Message-ID: ${messageId(me, body, now, mail.messageId)}`,
    `In-Reply-To: ${mail.messageId}`,
    ...header('References', references, ''),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: 8bit',
  ];
  return `${lines.join('\n')}\n\n${body}`;
}
