// Messages as people have them: .eml files, mboxes (lore's t.mbox.gz too), raw messages of an archive.
import { gunzipSync } from 'node:zlib';
import type { Address, Email, Mailbox } from 'postal-mime';

/** One person or list in a header; both parts free of control characters. */
export interface Person {
  readonly name: string;
  readonly address: string;
}

/** What a reply needs of a message. */
export interface Mail {
  readonly from: Person | undefined;
  readonly replyTo: readonly Person[];
  readonly followupTo: readonly Person[];
  readonly to: readonly Person[];
  readonly cc: readonly Person[];
  readonly subject: string;
  /** With its angle brackets; '' where there is none. */
  readonly messageId: string;
  /** The thread down to the parent of this message, oldest first. */
  readonly references: readonly string[];
  /** The Date header as written; '' where there is none. */
  readonly date: string;
  /** The text/plain part: lines ending in '\n', without control characters or trailing blanks. */
  readonly text: string;
  /** What was left out, or is odd, for the user to know. */
  readonly notes: readonly string[];
}

/** `text` on one line: what could end a header or steer a terminal becomes a blank. */
export const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();

const plainAddress = /^[!#$%&'*+/=?^_`{|}~\w.-]+@[\w-]+(\.[\w-]+)*$/;

function people(list: readonly Address[] | undefined, header: string, notes: string[]): Person[] {
  const boxes = (list ?? []).flatMap((a): readonly Mailbox[] => a.group ?? [a as Mailbox]);
  return boxes.flatMap((box) => {
    const person = { name: oneLine(box.name ?? ''), address: (box.address ?? '').trim() };
    if (plainAddress.test(person.address) && person.address.length <= 254) return [person];
    if (person.address !== '' || person.name !== '')
      notes.push(
        `left out of ${header}: ${JSON.stringify(`${box.name} <${box.address}>`).slice(0, 80)}`,
      );
    return [];
  });
}

/** Message ids of a References or In-Reply-To header, each once. */
export const messageIds = (value: string): string[] => [
  ...new Set(value.match(/<[!-;=?-~]{1,250}@?[!-;=?-~]{1,250}>/g) ?? []),
];

const headerOf = (email: Email, key: string): string =>
  email.headers.find((h) => h.key === key)?.value ?? '';

/** The thread so far, as RFC 5322 3.6.4 has it: References, else a single In-Reply-To. */
function thread(email: Email): string[] {
  const references = messageIds(headerOf(email, 'references'));
  const parents = messageIds(headerOf(email, 'in-reply-to'));
  return references.length > 0 ? references : parents.length === 1 ? parents : [];
}

/** Lines without trailing blanks and without what a terminal would act on. */
const bodyText = (text: string, flowed: boolean): string =>
  `${text
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, '        ')
    .replace(/[^\n\P{Cc}]|[\u202a-\u202e\u2066-\u2069\p{Cs}\p{Zl}\p{Zp}]/gu, '?')
    .split('\n')
    .map((l) => (flowed && l.startsWith(' ') ? l.slice(1) : l).trimEnd())
    .join('\n')
    .replace(/\n+$/, '')}\n`;

const flowedParameter = /format="?flowed"?/gi;

/** Flowed lines are short enough as they stand; joined, quoting levels would run into each other. */
const unflow = (raw: string): string =>
  raw.replace(/^content-type:.*(?:\r?\n[ \t].*)*/gim, (h) =>
    h.replace(flowedParameter, 'format=fixed'),
  );

/** The messages of a file: one, or those of an mbox ('>From ' lines undone). */
export function messages(bytes: Uint8Array): Uint8Array[] {
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const raw = Buffer.from(gzip ? gunzipSync(bytes) : bytes).toString('latin1');
  if (!/^From \S/.test(raw)) return [Buffer.from(raw, 'latin1')];
  return raw
    .split(/^From \S.*\r?\n(?=[A-Za-z][\w-]*:)/m)
    .filter((part) => part.trim() !== '')
    .map((part) => Buffer.from(part.replace(/^>(>*From )/gm, '$1'), 'latin1'));
}

/**
 * One message, decoded (character set, quoted-printable, base64, multipart).
 * @throws Error if it has no header, or no text/plain part.
 */
export async function readMail(raw: Uint8Array): Promise<Mail> {
  const { default: PostalMime } = await import('postal-mime');
  const source = Buffer.from(raw).toString('latin1');
  if (!/^[A-Za-z][\w-]*:/.test(source))
    throw new Error(`not a mail: it begins with ${JSON.stringify(source.slice(0, 40))}, no header`);
  const email = await PostalMime.parse(Buffer.from(unflow(source), 'latin1'));
  if (email.text === undefined || email.text.trim() === '')
    throw new Error('the message has no text/plain part to answer');
  const notes: string[] = [];
  const followup = await mailFollowup(headerOf(email, 'mail-followup-to'));
  return {
    from: people(email.from ? [email.from] : [], 'From', notes)[0],
    replyTo: people(email.replyTo, 'Reply-To', notes),
    followupTo: people(followup, 'Mail-Followup-To', notes),
    to: people(email.to, 'To', notes),
    cc: people(email.cc, 'Cc', notes),
    subject: oneLine(email.subject ?? ''),
    messageId: messageIds(headerOf(email, 'message-id'))[0] ?? '',
    references: thread(email),
    date: oneLine(headerOf(email, 'date')),
    text: bodyText(email.text, flowedParameter.test(source)),
    notes,
  };
}

async function mailFollowup(value: string): Promise<Address[]> {
  const { addressParser } = await import('postal-mime');
  return value === '' ? [] : addressParser(value);
}
