import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocks } from '../../src/commands/block.js';
import type { Command, Context, Options } from '../../src/commands/command.js';
import { lintMailCommand } from '../../src/commands/lint-mail.js';
import { compareBodies, pastedBlocks } from '../../src/commands/pasted.js';
import { reply } from '../../src/commands/reply.js';
import { verify } from '../../src/commands/verify.js';
import { lintMail } from '../../src/export/mail-lint.js';
import { type Meta, toText } from '../../src/export/text.js';
import { samples } from '../export/mails.js';
import { anyChart } from '../export/specs.js';
import { root } from '../source.js';
import { sample } from '../traces.js';
import { folder, ptlab } from './cli.js';

const trace = sample('A-x2b');
const dir = folder();
const mail = join(dir, 'mail.eml');
writeFileSync(mail, samples['as an archive shows it']!.raw);

const person = 'Me Myself <me@work.example>';
const context: Context = { note() {}, progress: () => ({ update() {}, stop() {} }) };
const call = (command: Command, path: string, options: Options = {}) =>
  command.run!([path], { from: person, ...options }, context);

const two: Options = {
  date: '2025-06-24T08:00:00Z',
  at: ['at what rate vmalloc replaces', 'who would have to wait'],
  insert: ['overwrites-summary', 'table-ages'],
  trace: [trace],
};

async function made(name: string, more: Options = {}): Promise<string> {
  const output = join(dir, name);
  await call(reply, mail, { ...two, output, ...more });
  return output;
}

interface Report {
  readonly ok: boolean;
  readonly blocks: { state: string; trace: string; figures: number; changes: unknown[] }[];
}
const verified = async (path: string, options: Options = {}): Promise<Report> =>
  (await call(verify, path, options)).json as Report;

test('a reply is written, fit for a list, and its figures hold', async () => {
  const out = join(dir, 'reply.eml');
  const words = ['--at', 'at what rate vmalloc replaces', '--at', 'who would have to wait'];
  const names = ['--insert', 'overwrites-summary', '--insert', 'table-ages'];
  const rest = ['--trace', trace, '--from', person, '--date', '2025-06-24T08:00:00Z', '-o', out];
  const { status, stderr } = ptlab(['reply', mail, ...words, ...names, ...rest]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const text = readFileSync(out, 'utf8');
  expect(text).toContain('workload    0.437     307   100        99         99     0  227.0');
  expect(lintMail(text)).toEqual([]);
  expect(ptlab(['lint-mail', out]).stdout).toContain('fit for a kernel list');
  expect(readFileSync(await made('again.eml'), 'utf8')).toBe(text);
  const checked = ptlab(['verify', out, '--json']);
  expect(checked.json()).toMatchObject({
    ok: true,
    blocks: [{ state: 'holds' }, { state: 'holds' }],
  });
  expect(checked.json().blocks[0].figures).toBeGreaterThan(20);
  expect(checked.status).toBe(0);
});

test('the reply is the answer without -o, and nothing else is', async () => {
  expect((await call(reply, mail, two)).text).toBe(readFileSync(await made('file.eml'), 'utf8'));
});

test('a block is checked figure by figure, quoted three deep, with a changed figure found', async () => {
  const body = readFileSync(await made('q.eml'), 'utf8')
    .split('\n\n')
    .slice(1)
    .join('\n\n');
  const quoted = body.replace(/^/gm, '> > > ').replaceAll('> \n', '>\n');
  const file = join(dir, 'quoted.txt');
  writeFileSync(file, quoted);
  expect(quoted.split('\n').every((l) => l.length <= 80)).toBe(true);
  expect((await verified(file)).ok).toBe(true);
  writeFileSync(file, quoted.replace('307   100        99', '307   100        98'));
  const wrong = await call(verify, file);
  expect(wrong.status).toBe(1);
  const { blocks: list } = wrong.json as Report;
  expect(list.map((b) => b.state)).toEqual(['differs', 'holds']);
  expect(list[0]?.changes).toMatchObject([{ was: '98', is: '99' }]);
  expect(wrong.text).toContain('98 is now 99');
});

test('a trace that is gone, moved or another one is said so', async () => {
  const text = readFileSync(await made('t.eml'), 'utf8');
  const file = join(dir, 'moved.txt');
  writeFileSync(file, text.replaceAll(trace, '/nowhere/x.txt.gz'));
  expect((await verified(file)).blocks[0]).toMatchObject({ state: 'no trace' });
  const other = sample('D-x2b-1reader');
  expect((await verified(file, { trace: [other] })).blocks[0]).toMatchObject({
    state: 'other trace',
  });
  const found = await verified(file, { trace: [other, trace] });
  expect(found).toMatchObject({ ok: true, blocks: [{ trace }, { trace }] });
});

const head =
  'things\nunit: x; n = 1; events lost: 0\nkernel: k; config: c\ntrace: t, sha256 0123456789ab\n\n1\n\n';

test('a pasted command can run nothing but reading commands of ours', async () => {
  const file = join(dir, 'evil.txt');
  const hit = join(dir, 'hit');
  const lines = [
    `$ ptlab chart overwrites x; touch ${hit}`,
    `$ ptlab chart overwrites $(touch ${hit})`,
    `$ ptlab run ${hit}`,
    `$ ptlab import ${trace} -o ${hit}`,
    `$ ptlab chart overwrites ${trace} -o ${hit}.txt`,
    `$ ptlab chart overwrites --require ${hit}`,
    `$ ptlab explore pmd-free --scheme ${hit}.ts`,
    '$ ptlab verify evil.txt',
    '$ ptlab __proto__ x',
    '$ ptlab',
  ];
  writeFileSync(file, lines.map((l) => head + l).join('\n\n'));
  const { blocks: list } = await verified(file);
  expect(list).toHaveLength(lines.length);
  const states = list.map((b) => b.state);
  expect(states.filter((s) => s === 'cannot run')).toHaveLength(lines.length - 1);
  expect(states[4]).toBe('other trace');
  expect(existsSync(hit) || existsSync(`${hit}.txt`)).toBe(false);
  writeFileSync(file, `${head.replace(', sha256 0123456789ab', '')}${lines[4]}\n`);
  expect((await verified(file)).blocks[0]?.state).toBe('differs');
  expect(existsSync(`${hit}.txt`)).toBe(false);
});

test('blocks are found in a text, with and without quote marks', () => {
  const text = `Hi,\n\n${head}$ ptlab chart a 'b c' \\\n    -x\n\n> ${head.replaceAll('\n', '\n> ')}$ ptlab chart b\nend`;
  expect(pastedBlocks(text)).toMatchObject([
    { line: 3, body: ['1'], command: ['ptlab', 'chart', 'a', 'b c', '-x'], sha256: '0123456789ab' },
    { body: ['1'], command: ['ptlab', 'chart', 'b'] },
  ]);
  expect(pastedBlocks('$ ptlab chart x\n')).toEqual([]);
});

test('every block is found again, however deep it is quoted', () => {
  fc.assert(
    fc.property(anyChart, fc.nat(3), (spec, depth) => {
      const { ptlab: meta } = spec['usermeta'] as { ptlab: Meta };
      const mark = '> '.repeat(depth);
      const text = toText(spec).replace(/^/gm, mark).replaceAll(/ +$/gm, '');
      const found = pastedBlocks(`Hi,\n\n${text}\nend\n`);
      expect(found.map((b) => b.command)).toEqual([meta.command.map((w) => w.toWellFormed())]);
      expect(found[0]?.sha256 ?? '').toBe(
        meta.head.trace ? (meta.head.sha256?.slice(0, 12) ?? '') : '',
      );
      expect(compareBodies(found[0]!.body, found[0]!.body).changes).toEqual([]);
    }),
  );
});

test('lines that come or go are differences too', () => {
  const was = ['a 1', 'b 2', '', 'c'];
  expect(compareBodies(was, was)).toEqual({ count: 2, changes: [] });
  expect(compareBodies(was, ['b 3', '', 'd 4']).changes).toEqual([
    { line: 1, was: 'a 1', is: null },
    { line: 2, was: '2', is: '3', text: 'b 2' },
    { line: 4, was: 'c', is: null },
    { line: 3, was: null, is: 'd 4' },
  ]);
});

test('an editor may change the text, and its failure writes nothing', async () => {
  const editor = join(dir, 'an editor.sh');
  writeFileSync(editor, '#!/bin/sh\necho Regards >> "$2"\n');
  chmodSync(editor, 0o755);
  process.env['VISUAL'] = `'${editor}' -f`;
  try {
    const text = readFileSync(await made('edited.eml', { edit: true }), 'utf8');
    expect(text.endsWith('Regards\n')).toBe(true);
    process.env['VISUAL'] = 'false';
    await expect(made('none.eml', { edit: true })).rejects.toThrow('nothing was written');
    expect(existsSync(join(dir, 'none.eml'))).toBe(false);
  } finally {
    delete process.env['VISUAL'];
  }
});

test('what is missing or unknown is named', async () => {
  const fails = (options: Options) => expect(call(reply, mail, options)).rejects;
  const first = Object.keys(blocks)[0];
  const overwrites = { at: ['rate'], insert: ['overwrites'] };
  await fails({ at: ['rate'], insert: ['pie'] }).toThrow(`unknown block 'pie'. Known: ${first}`);
  await fails({ at: ['rate'] }).toThrow('each --at wants one --insert');
  await fails(overwrites).toThrow('name one with --trace');
  await fails({ ...overwrites, trace: [trace, mail] }).toThrow('which trace?');
  await fails({ ...overwrites, at: ['no such words'], trace: [trace] }).toThrow('does not say');
  await fails({ from: 'nobody' }).toThrow('--from: not an address');
  await fails({ date: 'tomorrow-ish' }).toThrow('--date: not a date');
  await expect(call(reply, join(dir, 'none'))).rejects.toThrow('cannot read');
  await expect(call(verify, mail)).rejects.toThrow('no block of ptlab');
  writeFileSync(join(dir, 'empty'), '');
  await expect(call(lintMailCommand, join(dir, 'empty'))).rejects.toThrow('empty file');
});

test('an mbox is asked for its message', async () => {
  const mbox = join(dir, 'thread.mbox');
  writeFileSync(mbox, `${samples['list footer']!.raw}\n${samples['as an archive shows it']!.raw}`);
  await expect(call(reply, mbox)).rejects.toThrow('2 messages; name one with --message');
  const answer = await call(reply, mbox, { message: 'footer@corp.example' });
  expect(answer.text).toContain('In-Reply-To: <footer@corp.example>');
});

test('a hostile file name stays one word', async () => {
  const odd = join(dir, "it's; $(touch hit) \u00fc");
  mkdirSync(odd, { recursive: true });
  const copy = join(odd, 'From x\n---.txt.gz');
  writeFileSync(copy, readFileSync(trace));
  const out = await made('odd.eml', {
    at: ['rate vmalloc'],
    insert: ['overwrites'],
    trace: [copy],
  });
  expect(lintMail(readFileSync(out, 'utf8'))).toEqual([]);
  expect(await verified(out)).toMatchObject({ ok: true, blocks: [{ trace: copy }] });
});

test('race blocks come from the explorer, and hold', async () => {
  const out = await made('race.eml', {
    at: ['in which that goes wrong?', 'at what rate', 'who would have to wait'],
    insert: ['race:v3', 'race:v6', 'race:none/pud-free'],
    trace: [],
  });
  const text = readFileSync(out, 'utf8');
  expect(text).toContain('pmd-free under v3: bug, use after free');
  expect(text).toContain('pmd-free under v6: safe');
  expect(text).toContain('$ ptlab explore pud-free --scheme none --readers 2');
  expect(lintMail(text)).toEqual([]);
  expect((await verified(out)).blocks.map((b) => b.state)).toEqual(['holds', 'holds', 'holds']);
  const more = { at: ['rate'], trace: [] };
  await expect(made('x.eml', { ...more, insert: ['race:v99'] })).rejects.toThrow(
    "unknown scheme 'v99'",
  );
  await expect(made('x.eml', { ...more, insert: ['race'] })).rejects.toThrow('race wants a scheme');
});

test('several traces side by side hold too', async () => {
  const file = join(dir, 'two.txt');
  const two = [sample('A-x2b'), sample('D-x2b-1reader')];
  writeFileSync(file, ptlab(['analyze', 'overwrites', ...two]).stdout);
  expect(await verified(file)).toMatchObject({ ok: true, blocks: [{ trace: two.join(', ') }] });
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(two[0]!, '/nowhere/y.gz'));
  expect((await verified(file)).blocks[0]?.state).toBe('no trace');
});

test('notebook 05 ends in a reply that is fit for a list and holds', async () => {
  const out = join(dir, 'nb.eml');
  const notebook = join(root, 'notebooks', '05-mail-reply.ipynb');
  const values = ['-p', `trace=${trace}`, '-p', `out=${out}`];
  const run = ptlab(['run', notebook, ...values, '-o', join(dir, 'nb.ipynb')]);
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  expect(lintMail(readFileSync(out, 'utf8'))).toEqual([]);
  const { ok, blocks: list } = await verified(out);
  expect([ok, list.length]).toEqual([true, 4]);
});
