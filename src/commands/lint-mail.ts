import { readFileSync } from 'node:fs';
import { wrap } from '../export/ascii.js';
import { type Fault, lintMail, mailRules } from '../export/mail-lint.js';
import { messages } from '../export/mail-read.js';
import { ascii } from './ascii.js';
import { type Answer, type Command, UserError } from './command.js';

/** The bytes of a file the user named, or of stdin ('-'). */
export function readInput(path: string): Buffer {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (e) {
    throw new UserError(`cannot read ${path}: ${(e as Error).message}`);
  }
}

function inWords(path: string, faults: readonly Fault[]): string {
  const name = ascii(path);
  if (faults.length === 0) return `${name}: fit for a kernel list`;
  const told = faults.flatMap((f) => [
    ...wrap(`line ${f.line}: ${f.rule}: ${ascii(f.message)}`, 72, '  '),
    ...wrap(`${mailRules[f.rule][0]} (${f.source})`, 68).map((l) => `    ${l}`),
  ]);
  return [...told, `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`].join('\n');
}

async function run(args: readonly string[]): Promise<Answer> {
  const [path] = args as [string];
  const bytes = readInput(path);
  if (bytes.length === 0) throw new UserError(`${path}: empty file; nothing to check`);
  const all = messages(bytes);
  if (all.length > 1) throw new UserError(`${path}: ${all.length} messages; give one at a time`);
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const faults = lintMail(Buffer.from((gzip && all[0]) || bytes).toString('utf8'));
  return {
    json: { file: path, ok: faults.length === 0, faults },
    text: inWords(path, faults),
    status: faults.length === 0 ? 0 : 1,
  };
}

/** `ptlab lint-mail`: what of the rules of kernel lists a mail breaks. */
export const lintMailCommand: Command = {
  args: '<mail>',
  about: 'check a mail against the rules of kernel lists; exit status 1 on a fault',
  examples: ['ptlab lint-mail reply.eml', 'ptlab lint-mail reply.eml --json'],
  run,
};
