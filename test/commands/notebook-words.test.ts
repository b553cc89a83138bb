// What notebooks say in words: it fits a mail, and its commands are those a shell takes.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checklist } from '../../src/commands/checklist.js';
import { openMail, replyTo, saveReply } from '../../src/commands/mail-cells.js';
import { load } from '../../src/commands/notebook.js';
import { compare } from '../../src/commands/notebook-tables.js';
import { compareWith, inWords } from '../../src/commands/notebook-words.js';
import { needs } from '../../src/commands/recipes.js';
import { probeLine } from '../../src/commands/record-script.js';
import { root } from '../source.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-words-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = (name: string) => load(join(root, 'data', name, 'trace.txt.gz'));

/** A trace of one wake-up: it tells nothing of what ptlab asks. */
async function foreign() {
  const file = join(folder, 'foreign.txt');
  writeFileSync(file, '# tracer: nop\n#\n a-1  [000] d..2. 1.000000: sched_waking: comm=b pid=2\n');
  return load(file);
}

const fits = (text: string): void => {
  for (const line of text.split('\n')) expect(line).toMatch(/^[\x20-\x7e]{0,72}$/);
};

test('a trace that tells nothing: each part says so, with the commands that a shell takes', async () => {
  const list = checklist(await foreign());
  expect(list.parts.filter((p) => p.missing.length === 0)).toEqual([]);
  fits(list.text);
  // the lines as a person pastes them, tracefs being a folder of ours
  const from = list.text.indexOf('  cd /sys');
  const script = list.text
    .slice(from, list.text.indexOf('The whole of it'))
    .replace('cd /sys/kernel/tracing', 'PATH=/bin:/usr/bin')
    .replace('WORKLOAD', 'true')
    .replace('> /tmp/trace.txt.gz', '> trace.txt.gz')
    .replace(/> events\/\S+/g, '>> enabled');
  writeFileSync(join(folder, 'trace'), 'x');
  const { status, stderr } = spawnSync('sh', ['-euc', script], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const written = readFileSync(join(folder, 'kprobe_events'), 'utf8').trim().split('\n');
  const known = Object.values(needs).flatMap((n) => n.probes.map(probeLine));
  expect(written.length).toBeGreaterThan(4);
  for (const probe of written) expect(known).toContain(probe);
  expect(readFileSync(join(folder, 'enabled'), 'utf8')).toBe('1\n'.repeat(7));
});

test('what a trace has is seen, whatever its probes are called', async () => {
  const text = checklist(await data('D-x2b-1reader')).text;
  expect(text).toMatch(/^ {2}seen {6}walks of ptdump$/m);
  expect(text).toMatch(/^ {2}not seen {2}sleeps/m);
  expect(text).not.toContain('kprobe_events');
  fits(text);
});

test('a boot without kprobes names what was predicted only', async () => {
  const boot = checklist(await data('A-boot-smp1'));
  const lacks = boot.parts.filter((p) => p.missing.length > 0).map((p) => p.part);
  expect(lacks).toContain('overwrites, observed');
  expect(lacks).not.toContain('overwrites, predicted');
});

test('the words fit, and figures are those of the analyses', async () => {
  const [v3, trylock, none] = [
    await data('B2-x2b-2readers'),
    await data('D-x2b-1reader'),
    await foreign(),
  ];
  expect(inWords.overwrites(trylock)).toContain('903 page tables overwritten');
  expect(inWords.overwrites(trylock)).toContain('596 of these were refused');
  expect(inWords.overwrites(none)).toContain('This trace cannot tell');
  expect(inWords.prediction(none)).toContain('Nothing to replay');
  const c = compare(v3, trylock);
  const differ = c.changes.filter((x) => x.differs).length;
  expect(inWords.comparison(c)).toContain(`${differ} of ${c.changes.length} figures differ`);
  expect(inWords.comparison(c)).toContain('too few samples to say: ptdump asleep');
  expect(inWords.comparison(compare(none, none))).toContain('no figure in common');
  expect(await compareWith('', v3)).toBeNull();
  for (const text of [
    inWords.overwrites(trylock), inWords.overwrites(none), inWords.prediction(none),
    inWords.comparison(c), inWords.comparison(null), inWords.comparison(compare(v3, none)),
  ]) fits(text); // biome-ignore format: a table
});

test('a reply is saved once, and never over another file', async () => {
  const mail = await openMail(join(root, 'notebooks/05-mail.eml'));
  const from = 'A Person <a@kernel.example>';
  const date = '2025-06-20T08:00:00Z';
  const reply = (text: string) =>
    replyTo({ mail, from, date, answers: [{ at: 'who has to wait for this lock', text }] });
  const file = join(folder, 'my reply.eml');
  expect(saveReply(await reply('One line.'), file)).toContain(`git send-email '${file}'`);
  expect(saveReply(await reply('One line.'), file)).toContain('is fit');
  const before = readFileSync(file, 'utf8');
  expect(saveReply(await reply('Another line.'), file)).toContain('left alone');
  expect(readFileSync(file, 'utf8')).toBe(before);
  const bad = join(folder, 'bad.eml');
  expect(saveReply(`${before}\n${'x '.repeat(100)}\n`, bad)).toContain('not written');
  expect(existsSync(bad)).toBe(false);
});
