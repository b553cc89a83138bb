// The rules kernel lists have for mail, each with where it is written down.

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

/** Told of each fault: line, rule, what is wrong. */
export type Report = (line: number, rule: Fault['rule'], message: string) => void;

/** A value as a message shows it: quoted, cut. */
export const shown = (text: string): string => JSON.stringify(text.slice(0, 60));
