import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { wrap } from '../export/ascii.js';
import { messages, readMail } from '../export/mail-read.js';
import { commandLines } from '../export/shell.js';
import { openTrace } from '../importers/open.js';
import { ascii } from './ascii.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import { readInput } from './lint-mail.js';
import { type Change, compareBodies, type Pasted, pastedBlocks } from './pasted.js';
import { rerun } from './rerun.js';

/** What became of one block. */
interface Checked {
  readonly line: number;
  readonly command: string;
  readonly trace: string | null;
  /** The block names the digest of its trace, and it was compared. */
  readonly digest?: boolean;
  readonly state: 'holds' | 'differs' | 'no trace' | 'other trace' | 'cannot run';
  /** Why it could not be checked. */
  readonly why?: string;
  readonly figures?: number;
  readonly changes?: readonly Change[];
}

/** Traces the user named, and the digests of those looked at. */
interface Traces {
  readonly files: readonly string[];
  readonly digests: Map<string, string>;
}

/** sha256 of the trace as ptlab states it: of what it was imported from. */
async function digestOf(file: string, { digests }: Traces): Promise<string> {
  const digest = digests.get(file) ?? (await openTrace(file)).meta.sha256 ?? '';
  digests.set(file, digest);
  return digest;
}

/** Files to use for the traces a block names: by digest where it gives one, else by name. */
async function findTraces(
  named: readonly string[],
  sha256: string,
  traces: Traces,
): Promise<string[] | undefined> {
  if (named.length === 1 && sha256 !== '') {
    for (const file of candidates(named[0] as string, traces))
      if ((await digestOf(file, traces)).startsWith(sha256)) return [file];
    return undefined;
  }
  const found = named.map((n) =>
    existsSync(n) ? n : traces.files.find((f) => basename(f) === basename(n)),
  );
  return found.some((f) => f === undefined) ? undefined : (found as string[]);
}

const candidates = (named: string, { files }: Traces): string[] => [
  ...files,
  ...(named !== '-' && existsSync(named) ? [named] : []),
];

/** Run the command of a block again, if it is one of ours and its trace is the same. */
async function check(block: Pasted, traces: Traces, context: Context): Promise<Checked> {
  const words = Array.isArray(block.command) ? (block.command as string[]) : undefined;
  const command = words ? (commandLines(words, 1e9)[0]?.slice(2) ?? '') : '';
  const told = { line: block.line, command, trace: null };
  if (!words) return { ...told, state: 'cannot run', why: `its command line: ${block.command}` };
  try {
    const again = await rerun(words);
    const found = await findTraces(again.traces, block.sha256, traces);
    if (found === undefined) return missing(told, again.traces, block.sha256, traces);
    const fresh = pastedBlocks(await again.run(found, context))[0];
    const trace = found.length > 0 ? found.join(', ') : null;
    return { ...told, trace, digest: block.sha256 !== '', ...judge(block, fresh) };
  } catch (e) {
    return { ...told, state: 'cannot run', why: (e as Error).message };
  }
}

function missing(
  told: Pick<Checked, 'line' | 'command' | 'trace'>,
  named: readonly string[],
  sha256: string,
  traces: Traces,
): Checked {
  const there = named.flatMap((n) => candidates(n, traces));
  if (there.length === 0 || sha256 === '')
    return {
      ...told,
      state: 'no trace',
      why: `no file ${named.join(', ')}; name a copy with --trace`,
    };
  const why = `${there.join(', ')}: not the trace of the block, whose sha256 begins with ${sha256}`;
  return { ...told, trace: there[0] as string, state: 'other trace', why };
}

/** n and events lost stand in the head; the rest of it names the trace and how it was made. */
const counted = (head: readonly string[]): string[] =>
  head.slice(
    head.findIndex((l) => l.startsWith('unit:')),
    head.findIndex((l) => l.startsWith('kernel: ')),
  );

function judge(
  block: Pasted,
  fresh: Pasted | undefined,
): Pick<Checked, 'state' | 'why' | 'figures' | 'changes'> {
  if (!fresh) return { state: 'cannot run', why: 'its command gives no block' };
  const { count, changes } = compareBodies(
    [...counted(block.head), ...block.body],
    [...counted(fresh.head), ...fresh.body],
  );
  return { state: changes.length === 0 ? 'holds' : 'differs', figures: count, changes };
}

const said = (c: Change): string =>
  c.is === null
    ? `gone: ${c.was}`
    : c.was === null
      ? `new: ${c.is}`
      : `${c.was} is now ${c.is}${c.text ? `, in: ${c.text}` : ''}`;

const indented = (text: string, by: number): string[] =>
  wrap(ascii(text), 72 - by).map((l) => ' '.repeat(by) + l);

function inWords(c: Checked): string[] {
  const same =
    c.trace === null || c.state === 'other trace'
      ? []
      : indented(`trace ${c.trace}, ${c.digest ? 'same sha256' : 'sha256 not in the block'}`, 2);
  const verdict =
    c.state === 'holds'
      ? `holds: all ${c.figures} figures are the same`
      : c.state === 'differs'
        ? `differs (${c.changes?.length} of its figures or lines):`
        : `not checked: ${c.why}`;
  return [
    ...wrap(`line ${c.line}: ${ascii(c.command)}`, 72, '  '),
    ...same,
    ...indented(verdict, 2),
    ...(c.changes ?? []).flatMap((x) => indented(said(x), 4)),
  ];
}

/** The text of a file: of each message decoded where it is mail. */
async function textOf(path: string): Promise<string> {
  const bytes = readInput(path);
  if (bytes.length === 0) throw new UserError(`${path}: empty file; no block to check`);
  const isMail = /^(From \S.*\r?\n)?([A-Za-z][\w-]*:.*\r?\n([ \t].*\r?\n)*){2}/.test(
    bytes.subarray(0, 65536).toString('latin1'),
  );
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isMail && !gzip) return bytes.toString('utf8');
  const mails = await Promise.all(messages(bytes).map((m) => readMail(m).catch(() => undefined)));
  const texts = mails.flatMap((m) => (m ? [m.text] : []));
  return texts.length > 0 ? texts.join('\n') : bytes.toString('utf8');
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const [path] = args as [string];
  const found = pastedBlocks(await textOf(path));
  if (found.length === 0)
    throw new UserError(
      `${path}: no block of ptlab: it has no line '$ ptlab ...' below a line 'unit: ...'`,
    );
  const files = Array.isArray(options['trace']) ? options['trace'].map(String) : [];
  const traces: Traces = { files, digests: new Map() };
  const checked: Checked[] = [];
  for (const block of found) checked.push(await check(block, traces, context));
  const ok = checked.every((c) => c.state === 'holds');
  return {
    json: { file: path, ok, blocks: checked },
    text: checked.flatMap(inWords).join('\n'),
    status: ok ? 0 : 1,
  };
}

/** `ptlab verify`: whether the figures of a pasted block still hold. */
export const verify: Command = {
  args: '<block>',
  about: 'run the command of a pasted block again and compare figure by figure (file, mail or -)',
  options: [['--trace <files...>', 'where the traces lie; found by sha256']],
  examples: [
    'ptlab verify reply.eml',
    'ptlab verify block.txt --trace x.arrow --json',
    'xclip -o | ptlab verify -',
  ],
  run,
};
