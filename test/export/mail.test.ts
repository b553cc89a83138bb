import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { makeReply } from '../../src/export/mail.js';
import { lintMail, mailRules } from '../../src/export/mail-lint.js';
import { messages, readMail } from '../../src/export/mail-read.js';
import { toText } from '../../src/export/text.js';
import { samples } from './mails.js';
import { chart, hostile, xy } from './specs.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-mail-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const me = { name: 'Me Myself', address: 'me@work.example' };
const now = new Date('2025-06-24T08:00:00Z');
const block = toText(
  chart(
    'bars',
    [
      { task: 'insmod', n: 512 },
      { task: 'From me', n: 3 },
    ],
    {},
    xy('n', 'task', 'nominal'),
  ),
);

const bytes = (raw: string): Uint8Array => Buffer.from(raw, 'utf8');

async function replyTo(raw: string, at: readonly string[] = []): Promise<string> {
  const mail = await readMail(messages(bytes(raw))[0]!);
  return makeReply({ mail, me, now, answers: at.map((a) => ({ at: a, text: block })) });
}

/** Header fields of a message, unfolded. */
function fields(text: string): Map<string, string> {
  const head = text.slice(0, text.indexOf('\n\n')).replace(/\n[ \t]+/g, ' ');
  return new Map(
    head.split('\n').map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)]),
  );
}

const bodyOf = (text: string): string[] => text.slice(text.indexOf('\n\n') + 2).split('\n');

/** Python's email package: headers and body as it sees them. */
const python = `
import email, email.policy, json, sys
m = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.default)
print(json.dumps({
  'defects': [str(d) for d in m.defects] + [str(d) for v in m.values() for d in getattr(v, 'defects', [])],
  'names': list(m.keys()), 'multipart': m.is_multipart(), 'type': m.get_content_type(),
  'charset': m.get_content_charset(), 'subject': str(m['Subject']),
  'to': [[a.display_name, a.addr_spec] for a in m['To'].addresses],
  'cc': [[a.display_name, a.addr_spec] for a in (m['Cc'].addresses if m['Cc'] else [])],
  'references': str(m['References']).split(), 'parent': str(m['In-Reply-To']), 'body': m.get_content()}))
`;

interface Seen {
  readonly defects: string[];
  readonly names: string[];
  readonly multipart: boolean;
  readonly type: string;
  readonly charset: string;
  readonly subject: string;
  readonly to: [string, string][];
  readonly cc: [string, string][];
  readonly references: string[];
  readonly parent: string;
  readonly body: string;
}

let files = 0;
function asFile(text: string): string {
  const file = join(folder, `${files++}.eml`);
  writeFileSync(file, text);
  return file;
}

const inPython = (text: string): Seen =>
  JSON.parse(execFileSync('python3', ['-c', python, asFile(text)], { encoding: 'utf8' }));

const works = (...command: string[]): boolean =>
  spawnSync(command[0]!, command.slice(1), { stdio: 'ignore' }).status === 0;

/** Skip where a tool is not installed; in CI run, and so fail. */
const withTool = (name: string, there: boolean) =>
  there || process.env['CI']
    ? { title: name, run: test }
    : { title: `${name} (skipped: not installed)`, run: test.skip };
const py = withTool('python', works('python3', '-c', 'import email'));
const sendEmail = withTool(
  'git send-email',
  works('sh', '-c', 'test -x "$(git --exec-path)/git-send-email"') &&
    works('perl', '-MMail::Address', '-e1'),
);

describe.each(Object.entries(samples))('a reply to a mail: %s', (_, sample) => {
  test('goes to whom it should, below what it should', async () => {
    const text = await replyTo(sample.raw, sample.at);
    const seen = fields(text);
    expect(seen.get('To')).toBe(sample.to);
    expect(seen.get('Cc') ?? '').toBe(sample.cc.join(', '));
    expect(seen.get('Subject')).toBe(sample.subject);
    expect(seen.get('References')).toBe(sample.references.join(' '));
    expect(seen.get('In-Reply-To')).toBe(sample.references.at(-1));
    expect(seen.get('Content-Type')).toBe('text/plain; charset=UTF-8');
    const body = bodyOf(text);
    for (const line of sample.quotes) expect(body).toContain(line);
    for (const word of sample.gone) expect(text).not.toContain(word);
    expect(text.split('512').length - 1).toBe(sample.at.length);
  });

  test('is fit for a list', async () => {
    const text = await replyTo(sample.raw, sample.at);
    expect(lintMail(text)).toEqual([]);
    expect(await replyTo(sample.raw, sample.at)).toBe(text);
    expect(text.split('\n').every((l) => l.length <= 998)).toBe(true);
  });

  py.run(`means the same to Python's email package: ${py.title}`, async () => {
    const text = await replyTo(sample.raw, sample.at);
    const seen = inPython(text);
    expect(seen.defects).toEqual([]);
    expect(new Set(seen.names).size).toBe(seen.names.length);
    expect([seen.multipart, seen.type, seen.charset]).toEqual([false, 'text/plain', 'utf-8']);
    expect(seen.references).toEqual(sample.references);
    expect(seen.parent).toBe(sample.references.at(-1));
    expect(seen.body).toBe(bodyOf(text).join('\n'));
    const again = await readMail(bytes(text));
    const both = (list: readonly { name: string; address: string }[]) =>
      list.map((p) => [p.name, p.address]);
    expect(seen.to).toEqual(both(again.to));
    expect(seen.cc).toEqual(both(again.cc));
    expect(seen.subject).toBe(again.subject);
  });

  sendEmail.run(`is taken by ${sendEmail.title} --dry-run`, async () => {
    const file = asFile(await replyTo(sample.raw, sample.at));
    const args = [
      'send-email',
      '--dry-run',
      '--quiet',
      '--confirm=never',
      '--suppress-cc=all',
      '--from=me@work.example',
      file,
    ];
    const env = {
      ...process.env,
      HOME: folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
    };
    const { status, stderr } = spawnSync('git', args, { cwd: folder, env, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

test('the block stands below the sentence of its words, the rest of the mail is gone', async () => {
  const body = bodyOf(await replyTo(samples['as an archive shows it']!.raw, ['at what rate']));
  const at = body.indexOf('> earlier area left behind?');
  expect(body.slice(0, at + 3)).toEqual([
    'On Mon, 16 Jun 2025 at 23:37 +0530, Dev Eloper wrote:',
    '> [...]',
    '>',
    '> I do not think so, the free comes after the lock. By the way, has',
    '> anyone measured at what rate vmalloc replaces the tables that an',
    '> earlier area left behind?',
    '',
    'things',
  ]);
  expect(body.at(-2)).toBe('$ ptlab chart things x.arrow');
});

test('prose sent as one line is folded, a long paragraph is cut, quote marks in --at do not matter', async () => {
  const prose = 'a sentence that goes on and on, '.repeat(40);
  const log = 'a line of a log '.repeat(6).trim();
  const hunk = Array.from({ length: 40 }, (_, i) => `+line ${i}`);
  const raw = `From: a@b.example\nMessage-ID: <1@b.example>\n\n${prose}and how often?\nMore of it\nstill more.\n\n${log}\n\n${hunk.join('\n')}\n`;
  const body = bodyOf(await replyTo(raw, ['on, and\n> how often', 'LOG a line', '+line 30']));
  expect(body.every((l) => l.length <= 100)).toBe(true);
  expect(body).toContain(`> ${log}`);
  expect(body.join('\n')).not.toMatch(/More of it|line 31|line 17\b/);
  expect(body.join('\n')).toMatch(/> \+line 18\n[\s\S]*> \+line 30\n\nthings/);
});

test('words in two places, or in none, are an error that helps', async () => {
  const { raw } = samples['deep quoting']!;
  await expect(replyTo(raw, ['how often will it hapen'])).rejects.toThrow(
    'nearest: "how often does that happen',
  );
  const twice = samples['single part']!.raw.replace('Hi all', 'how frequent it is');
  await expect(replyTo(twice, ['how frequent it is'])).rejects.toThrow('lines 1 and 4');
});

test('an own mail is answered to those who got it', async () => {
  const raw = samples['single part']!.raw.replace(
    'Ada Walker <ada@kernel.example>',
    'Me <Me@Work.Example>',
  );
  const seen = fields(await replyTo(raw, ['how frequent']));
  expect(seen.get('To')).toBe('linux-mm@lists.example');
  expect(seen.get('Cc')).toBe('"Last, First" <lf@corp.example>');
});

test('an mbox and a .gz give their messages', () => {
  const [a, b] = [samples['list footer']!.raw, samples['as an archive shows it']!.raw];
  expect(messages(bytes(`${a}\n${b}`))).toHaveLength(2);
  expect(messages(gzipSync(`${a}\n${b}`))).toHaveLength(2);
  expect(messages(bytes(samples['single part']!.raw))).toHaveLength(1);
});

test('what is no mail is said so', async () => {
  await expect(readMail(bytes('<html>'))).rejects.toThrow('no header');
  await expect(readMail(new Uint8Array(200).fill(7))).rejects.toThrow('no header');
  const html = 'From: a@b.c\nMessage-ID: <x@y>\nContent-Type: text/html\n\n<p>hi</p>\n';
  await expect(replyTo(html)).rejects.toThrow('no text/plain part');
  await expect(replyTo('From: a@b.c\nSubject: x\n\nhello\n')).rejects.toThrow('no Message-ID');
});

const known = [
  'From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID', 'In-Reply-To', 'References',
  'MIME-Version', 'Content-Type', 'Content-Transfer-Encoding',
]; // biome-ignore format: a list

/** A header value as an attacker writes it: encoded words, folds, line breaks of all kinds. */
const evil = fc.oneof(
  hostile,
  fc.constantFrom(
    '=?utf-8?q?x=0ABcc:_evil@e.example?=',
    '=?utf-8?b?eA0KQmNjOiBldmlsQGUuZXhhbXBsZQ==?=',
    'a\n b', 'x\u2028Bcc: y', '"unclosed', 'a, b <c', '=?x?=', '\\"', 'name\\', '=?utf-8?q?=22=2C?=',
    'W'.repeat(2000),
  ),
); // biome-ignore format: a list

const headerValue = (text: string): string => text.replace(/[\r\n]+(?![ \t])/g, ' ').trim();

test('no Subject, From, Message-ID or text of a mail adds a header', async () => {
  await fc.assert(
    fc.asyncProperty(evil, evil, evil, evil, async (subject, from, id, text) => {
      const raw = [
        `From: ${headerValue(from)} <a@b.example>`,
        'Reply-To: ok@b.example',
        `To: ${headerValue(from)}, too@b.example`,
        `Subject: ${headerValue(subject)}`,
        `Message-ID: <ok@x.example> ${headerValue(id)}`,
        `References: ${headerValue(id)} <parent@x.example>`,
        '',
        text,
        '',
        'the question?',
      ].join('\n');
      const reply = await replyTo(raw, []);
      const head = reply.slice(0, reply.indexOf('\n\n'));
      const names = head
        .split('\n')
        .filter((l) => !/^[ \t]/.test(l))
        .map((l) => l.slice(0, l.indexOf(':')));
      expect(names.filter((n) => !known.includes(n))).toEqual([]);
      expect(new Set(names).size).toBe(names.length);
      expect(/^[\x20-\x7e\n]*$/.test(head)).toBe(true);
      expect(head.split('\n').every((l) => l.length <= 998)).toBe(true);
      expect(/[^\n\P{Cc}]/u.test(reply)).toBe(false);
      expect(fields(reply).get('In-Reply-To')).toMatch(/^<[^<>\s]+>$/);
      const own = bodyOf(reply).filter((l) => /^(From |---|diff )/.test(l));
      expect(own).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test('no bytes make the reader, the quoting or the check throw anything but a plain error', async () => {
  const raws = Object.values(samples).map((x) => bytes(x.raw));
  const cut = fc.tuple(
    fc.constantFrom(...raws),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }),
    fc.nat(),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(cut, fc.uint8Array({ maxLength: 300 })), async (input) => {
      let raw = input as Uint8Array;
      if (Array.isArray(input)) {
        const [base, changes, end] = input as [Uint8Array, [number, number][], number];
        raw = Uint8Array.from(base.subarray(0, 20 + (end % base.length)));
        for (const [at, byte] of changes) raw[at % raw.length] = byte;
      }
      lintMail(Buffer.from(raw).toString('utf8'));
      for (const part of raw[0] === 0x1f ? [] : messages(raw)) {
        const mail = await readMail(part).catch((e: Error) => e);
        if (mail instanceof Error)
          expect(mail.message).toMatch(/not a mail|no text.plain|nesting|header/i);
        else {
          const reply = await makeReply({ mail, me, now, answers: [] }).catch(
            (e: Error) => e.message,
          );
          expect(/[^\n\P{Cc}]/u.test(reply)).toBe(false);
        }
      }
    }),
    { numRuns: 500 },
  );
});

const good = [
  'From: A <a@b.example>',
  'To: l@x.example',
  'Subject: Re: x',
  'In-Reply-To: <1@x.example>',
  'References: <0@x.example> <1@x.example>',
  'Content-Type: text/plain; charset=UTF-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  'On Monday, B wrote:',
  '> how often?',
  '',
  'Never.',
];
const mail = (change: (lines: string[]) => void): string => {
  const lines = [...good];
  change(lines);
  return `${lines.join('\n')}\n`;
};

const patch = [
  '---',
  ' mm/vmalloc.c | 1 +',
  '',
  'diff --git a/mm/vmalloc.c b/mm/vmalloc.c',
  '--- a/mm/vmalloc.c',
  '+++ b/mm/vmalloc.c',
  '@@ -1 +1,2 @@',
  ` \tint ${'x '.repeat(40)};`,
  ' ',
  '+\treturn 0;',
  '-- ',
  '2.39.5',
];

const parts = mail((l) => {
  l[5] = 'Content-Type: multipart/mixed; boundary=b';
  l.push('--b', 'Content-Type: text/html', '', '<p>x', '--b', 'Content-Disposition: attachment');
});

const bad: Record<keyof typeof mailRules, [string, line: number][]> = {
  header: [
    [mail((l) => l.splice(2, 1)), 1],
    [mail((l) => l.splice(1, 0, 'To: again@x.example')), 3],
    ['hello\n', 1],
  ],
  charset: [
    [mail((l) => (l[5] = 'Content-Type: text/plain; charset=iso-8859-1')), 6],
    [mail((l) => (l[6] = 'Content-Transfer-Encoding: base64')), 7],
    [mail((l) => (l[11] = 'Caf\ufffd.')), 12],
    [mail((l) => (l[2] = 'Subject: Re: caf\u00e9')), 3],
    [mail((l) => l.splice(5, 2, 'X-A: b', 'X-B: c') && (l[11] = 'Caf\u00e9')), 12],
  ],
  html: [
    [mail((l) => (l[5] = 'Content-Type: text/html')), 6],
    [mail((l) => (l[11] = '<p>No</p>')), 12],
    [parts, 14],
  ],
  attachment: [
    [parts, 6],
    [parts, 18],
  ],
  flowed: [[mail((l) => (l[5] = 'Content-Type: text/plain; charset=utf-8; format=flowed')), 6]],
  width: [[mail((l) => (l[11] = 'word '.repeat(16).trim())), 12]],
  'line-length': [[mail((l) => (l[11] = 'x'.repeat(999))), 12]],
  blanks: [[mail((l) => (l[11] = 'Never. ')), 12]],
  control: [[mail((l) => (l[11] = '\u001b[1mNo')), 12]],
  'top-posting': [
    [mail((l) => l.splice(8, 4, 'Never.', '', 'On Monday, B wrote:', '> how often?')), 9],
    [mail((l) => l.splice(8, 4, 'Never.', '', 'From: B', 'Sent: Monday', '', 'how often?')), 11],
    [mail((l) => l.splice(8, 4, 'Never.', '-----Original Message-----', 'how often?')), 10],
  ],
  'over-quoting': [
    [mail((l) => l.splice(10, 0, ...Array.from({ length: 60 }, () => '> and so on'))), 10],
    [mail((l) => l.push(...Array.from({ length: 9 }, () => '> and so on'))), 13],
    [mail((l) => l.pop()), 9],
  ],
  threading: [
    [mail((l) => l.splice(3, 2)), 3],
    [mail((l) => l.splice(4, 1)), 4],
    [mail((l) => (l[4] = 'References: <1@x.example> <0@x.example>')), 5],
    [mail((l) => (l[3] = 'In-Reply-To: your mail')), 4],
  ],
  'line-start': [
    [mail((l) => (l[11] = 'From here on')), 12],
    [mail((l) => (l[11] = '---')), 12],
  ],
};

test('a good mail breaks no rule', () => {
  expect(lintMail(mail(() => {}))).toEqual([]);
  expect(lintMail(mail((l) => l.push('-- ', 'A')))).toEqual([]);
  expect(lintMail(mail((l) => l.push(...patch)))).toEqual([]);
  const long = 'word '.repeat(20).trim();
  for (const line of [
    `https://x.example/${'y'.repeat(100)}`,
    `Fixes: ${long}`,
    `Acked-by: ${long}`,
    `[   12.345678] ${long}`,
  ])
    expect(lintMail(mail((l) => (l[11] = line)))).toEqual([]);
});

test.each(Object.entries(bad))('lint-mail finds: %s', (rule, cases) => {
  for (const [text, line] of cases) {
    const faults = lintMail(text).filter((f) => f.rule === rule);
    expect(
      faults.map((f) => f.line),
      text,
    ).toContain(line);
    expect(faults[0]?.source).toBe(mailRules[rule as keyof typeof mailRules][1]);
  }
});
