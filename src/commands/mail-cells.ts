// What notebook cells call to answer a mail.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Trace } from '../events/trace.js';
import { makeReply, type ReplyOptions } from '../export/mail.js';
import { lintMail } from '../export/mail-lint.js';
import { type Mail, messages, readMail } from '../export/mail-read.js';
import { quote } from '../export/shell.js';
import { type Meta, toText } from '../export/text.js';
import { block } from './block.js';
import type { Context } from './command.js';
import { author } from './reply.js';
import { writeOut } from './write.js';

const quiet: Context = {
  note: (line) => console.log(line),
  progress: () => ({ update() {}, stop() {} }),
};

/**
 * The mail in a file: .eml, raw from an archive, or the first of an mbox.
 * @throws Error if it is no mail, or has no plain text.
 * @example const mail = await openMail('question.eml')
 */
export const openMail = (path: string): Promise<Mail> =>
  readMail(messages(readFileSync(path))[0] ?? new Uint8Array(0));

/**
 * A text block by name, as `ptlab reply --insert` makes it.
 * @example await insert('overwrites-summary', '../data/A-x2b/trace.txt.gz')
 */
export const insert = (name: string, ...traces: string[]): Promise<string> =>
  block(name, { traces, context: quiet });

/** What a reply of a notebook is made of. */
export interface ReplyInCell {
  readonly mail: Mail;
  /** Who answers, as in a mail's From: 'Your Name <you@example.org>'. */
  readonly from: string;
  /** When, in ISO 8601: the same date gives the same reply. */
  readonly date: string;
  readonly answers: ReplyOptions['answers'];
}

/**
 * A reply with each answer under the sentence it answers.
 * @example await replyTo({ mail, from, date, answers: [{ at: 'how often', text: block }] })
 */
export const replyTo = ({ mail, from, date, answers }: ReplyInCell): Promise<string> =>
  makeReply({ mail, me: author(from), answers, now: new Date(date) });

/**
 * Write a reply to `file` if a kernel list would take it and no other file is there; says in words
 * what was done, or what is wrong.
 */
export function saveReply(reply: string, file: string): string {
  const faults = lintMail(reply);
  if (faults.length > 0)
    return [`not written: ${faults.length} faults`, ...faults.map((f) => JSON.stringify(f))].join(
      '\n',
    );
  const there = existsSync(file) && readFileSync(file, 'utf8') !== reply;
  if (there) return `${file} is another mail and was left alone; name a new file in \`out\``;
  writeOut(file, reply);
  return `${file} is fit for a kernel list: git send-email ${quote(file)}`;
}

/** Figures of one's own for a text block: what, unit, n and the rows of a shape. */
export type Figures = Pick<Meta, 'shape'> &
  Partial<Pick<Meta, 'rows' | 'columns' | 'notes' | 'lanes' | 'better' | 'limit'>> &
  Pick<Meta['head'], 'what' | 'unit' | 'n'> & {
    /** The words that make the block again: ['ptlab', 'run', 'my.ipynb']. */
    readonly command: readonly string[];
  };

/**
 * A text block of figures a cell computed, under a head that names the trace.
 * @example textOf(t, { what: 'calls', unit: 'calls', n: 3, shape: 'table', rows, command })
 */
export function textOf(trace: Trace, { what, unit, n, command, ...more }: Figures): string {
  const { kernel, source, sha256, lost } = trace.meta;
  const about = {
    trace: basename(source),
    lost,
    ...(sha256 ? { sha256 } : {}),
    ...(kernel ? { kernel } : {}),
  };
  const ptlab = { ...more, head: { what, unit, n, ...about }, command };
  return toText({ data: { values: [] }, usermeta: { ptlab } });
}
