import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeReply, type ReplyOptions, replyBody } from '../export/mail.js';
import { lintMail } from '../export/mail-lint.js';
import type { Answer as MailAnswer } from '../export/mail-quote.js';
import { type Mail, messages, oneLine, type Person, readMail } from '../export/mail-read.js';
import { ascii } from './ascii.js';
import { block } from './block.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import { readInput } from './lint-mail.js';
import { notAnInput, writeOut } from './write.js';

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** An error of the export room, told with the file it is about. */
function about<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (e) {
    throw new UserError(`${path}: ${(e as Error).message}`);
  }
}

/** The one message to answer: the only one of the file, or the one with the Message-ID asked for. */
async function mailOf(path: string, id: string | undefined): Promise<Mail> {
  const all = about(path, () => messages(readInput(path)));
  const read = async (raw: Uint8Array) =>
    readMail(raw).catch((e: Error) => {
      throw new UserError(`${path}: ${e.message}`);
    });
  if (all.length === 1 && id === undefined) return read(all[0] as Uint8Array);
  if (all.length === 0) throw new UserError(`${path}: empty; no message to answer`);
  const mails = await Promise.all(all.map((raw) => readMail(raw).catch(() => undefined)));
  const bare = (m: string) => m.replace(/^<|>$/g, '');
  const found = mails.find((m) => m && id !== undefined && bare(m.messageId) === bare(id));
  if (found) return found;
  const known = mails.flatMap((m) => (m ? [`${m.messageId} ${m.from?.name ?? ''}`] : []));
  const why = id === undefined ? `${all.length} messages` : `no message ${id}`;
  throw new UserError(
    `${path}: ${why}; name one with --message:\n  ${known.slice(0, 40).map(ascii).join('\n  ')}`,
  );
}

function git(key: string): string {
  try {
    return execFileSync('git', ['config', '--get', key], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}

/** Who answers: --from, or what git send-email would take. */
export function author(from: unknown): Person {
  const given = typeof from === 'string' ? from : '';
  const [, name, address] = /^\s*"?([^"<]*?)"?\s*<([^<>\s]+)>\s*$/.exec(given) ?? [];
  const person = given
    ? { name: oneLine(name ?? ''), address: address ?? given.trim() }
    : {
        name: oneLine(git('user.name')),
        address: git('sendemail.from').replace(/^.*<|>.*$/g, '') || git('user.email'),
      };
  if (/^[^\s<>@,;:"()]+@[\w.-]+$/.test(person.address)) return person;
  throw new UserError(
    given
      ? `--from: not an address: ${JSON.stringify(given)}`
      : "who answers? Give --from 'Name <address>', or set git's user.name and user.email",
  );
}

async function answers(options: Options, context: Context): Promise<MailAnswer[]> {
  const [at, insert] = [list(options['at']), list(options['insert'])];
  if (at.length !== insert.length)
    throw new UserError(
      `each --at wants one --insert: ${at.length} and ${insert.length} were given`,
    );
  const made: MailAnswer[] = [];
  for (const [i, name] of insert.entries())
    made.push({
      at: at[i] as string,
      text: await block(name, { traces: list(options['trace']), context }),
    });
  return made;
}

/** The body after $VISUAL or $EDITOR had it. */
function edited(text: string): string {
  const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi';
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-reply-'));
  const file = join(folder, 'reply.txt');
  try {
    writeFileSync(file, text, { mode: 0o600 });
    // As git does it: the variable may hold options, the file name is an argument of its own.
    const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$@"`, editor, file], {
      stdio: 'inherit',
    });
    if (status !== 0)
      throw new UserError(
        `${editor} ended with ${error?.message ?? `status ${status}`}; nothing was written`,
      );
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function dateOf(value: unknown): Date {
  const date = value === undefined ? new Date() : new Date(String(value));
  if (Number.isNaN(date.getTime()))
    throw new UserError(`--date: not a date: ${JSON.stringify(value)}`);
  return date;
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const [path] = args as [string];
  const id = options['message'];
  const mail = await mailOf(path, id === undefined ? undefined : String(id));
  for (const note of mail.notes) context.note(`${path}: ${ascii(note)}`);
  const reply: ReplyOptions = {
    mail,
    me: author(options['from']),
    aliases: list(options['alias']),
    answers: await answers(options, context),
    now: dateOf(options['date']),
  };
  const body = about(path, () => replyBody(reply));
  const text = await makeReply(reply, options['edit'] ? edited(body) : body).catch((e: Error) => {
    throw new UserError(`${path}: ${e.message}`);
  });
  const faults = lintMail(text);
  for (const f of faults) context.note(`line ${f.line}: ${f.rule}: ${ascii(f.message)}`);
  const out = options['output'];
  if (out === undefined) return { json: { reply: text, faults }, text };
  writeOut(notAnInput(String(out), [path, ...list(options['trace'])]), text);
  const next = `git send-email ${ascii(String(out))}`;
  return {
    json: { written: out, faults },
    text: `${ascii(String(out))}\nNothing was sent. To send it: ${next}`,
  };
}

/** `ptlab reply`: the answer to a mail, figures below the words they answer. */
export const reply: Command = {
  args: '<mail>',
  about: 'write the reply to a mail (.eml, mbox, raw): text blocks under the words they answer',
  options: [
    ['--at <words...>', 'words of the mail; the block goes below their sentence'],
    [
      '--insert <blocks...>',
      'NAME or NAME:ARG, one for each --at: a chart, an analysis, race:SCHEME',
    ],
    ['--trace <files...>', 'traces the blocks are made from; NAME:FILE picks one of several'],
    ['--message <id>', 'which message of an mbox, by Message-ID'],
    ['--from <person>', "who answers: 'Name <address>'; default: as git is configured"],
    ['--alias <addresses...>', 'more addresses of yours, to be left out of To and Cc'],
    ['--date <date>', 'date of the reply; default: now'],
    ['--edit', 'open the text in $VISUAL or $EDITOR first'],
    ['-o, --output <file>', 'where the reply goes (.eml); default: stdout'],
  ],
  examples: [
    "ptlab reply mail.eml --at 'how often' --insert overwrites --trace x.arrow -o reply.eml",
    'ptlab reply thread.mbox.gz --message 20250616103310.17625-1-x@arm.com --edit -o reply.eml',
  ],
  run,
};
