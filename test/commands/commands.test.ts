import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Command } from '../../src/commands/command.js';
import { loadCommands } from '../../src/commands/index.js';
import { root } from '../source.js';
import { sample } from '../traces.js';
import { folder, ptlab } from './cli.js';

const trace = sample('A-x2b');
const truth = JSON.parse(readFileSync(sample('A-x2b', 'truth.json'), 'utf8'));

const everyCommand = (list: Record<string, Command>, path = ''): [string, Command][] =>
  Object.entries(list).flatMap(([name, c]) => [
    [`${path}${name}`, c] as [string, Command],
    ...everyCommand(c.sub ?? {}, `${path}${name} `),
  ]);

test('every command has help with an example that names it', async () => {
  for (const [name, command] of everyCommand(await loadCommands())) {
    expect(command.examples.length, name).toBeGreaterThan(0);
    for (const e of command.examples) expect(e, name).toMatch(new RegExp(`ptlab ${name}\\b`));
  }
  const { stdout, status } = ptlab(['import', '--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('$ ptlab import trace.txt.gz -o x.arrow');
});

test('help is at most 72 columns of ASCII', async () => {
  const names = everyCommand(await loadCommands()).map(([name]) => name.split(' '));
  for (const args of [[], ...names]) {
    const { stdout } = ptlab([...args, '--help']);
    expect(stdout).toContain('Usage: ptlab');
    for (const l of stdout.split('\n')) expect(l, args.join(' ')).toMatch(/^[\x20-\x7e]{0,72}$/);
  }
});

test('import, then info and analyze of the file give the same as of the source', () => {
  const out = join(folder(), 'x.arrow');
  const made = ptlab(['import', trace, '-o', out, '--json']);
  expect(made.json()).toMatchObject({ output: out, seen: truth.lines, lost: 0, format: 'ftrace' });
  expect(existsSync(`${out}.part`)).toBe(false);
  const { source, ...info } = ptlab(['info', out, '--json']).json();
  expect({ source, ...info }).toEqual(ptlab(['info', trace, '--json']).json());
  expect(info.per_event).toEqual(truth.per_event);
  const a = ptlab(['analyze', 'overwrites', out, '--json']).json();
  expect(a).toEqual(ptlab(['analyze', 'overwrites', trace, '--json']).json());
  expect(a.observed.pte_tables_freed).toBe(99);
  expect(a).not.toHaveProperty('rows');
});

test('text is at most 72 columns of ASCII without trailing blanks; csv has a row an overwrite', () => {
  for (const args of [
    ['info', trace],
    ['analyze', 'overwrites', trace],
    ['chart', 'overwrites', trace],
  ]) {
    const { stdout, status, stderr } = ptlab([...args, '--text']);
    expect([status, stderr]).toEqual([0, '']);
    for (const l of stdout.split('\n')) expect(l).toMatch(/^[\x20-\x7e]{0,72}$/);
    expect(stdout).not.toMatch(/ $/m);
  }
  const csv = ptlab(['analyze', 'overwrites', trace, '--csv']).stdout.trim().split('\n');
  expect(csv.length).toBe(100);
  expect(csv[0]).toBe('ts_ns,pid,task,phase,va,age_ns,how');
});

test('a chart in each form', () => {
  const base = join(folder(), 'c');
  const files = ['svg', 'png', 'txt', 'vl.json'].map((e) => `${base}.${e}`);
  const { status } = ptlab(['chart', 'overwrites', trace, '-o', ...files]);
  expect(status).toBe(0);
  const [svg, png, txt, spec] = files.map((f) => readFileSync(f));
  expect(svg!.toString()).toMatch(/^<svg/);
  expect(png!.subarray(1, 4).toString()).toBe('PNG');
  expect(txt!.toString()).toContain('$ ptlab chart overwrites');
  expect(JSON.parse(spec!.toString()).$schema).toContain('vega-lite');
  expect(ptlab(['chart', 'overwrites', trace, '-o', 'x.doc']).stderr).toMatch(/x\.doc: .*\.svg/);
});

test('unknown names list the known ones', () => {
  expect(ptlab(['analyze', 'nope', trace]).stderr).toMatch(
    /unknown analysis 'nope'. Known: .*overwrites/,
  );
  expect(ptlab(['chart', 'nope', trace]).stderr).toMatch(
    /unknown chart 'nope'. Known: .*table-ages/,
  );
  expect(ptlab(['info', trace, '--format', 'nope']).stderr).toMatch(
    /unknown format 'nope'. Known: .*ftrace/,
  );
  for (const name of ['constructor', '__proto__']) {
    expect(ptlab(['analyze', name, trace]).stderr).toMatch(/unknown analysis/);
  }
});

/** Bad input: file content, and what the error must say. */
const bad: [string, Uint8Array, RegExp][] = [
  ['empty', new Uint8Array(0), /empty: empty file; nothing to import/],
  ['binary', Uint8Array.from({ length: 5000 }, (_, i) => (i * 37) % 256), /binary: no format known to ptlab; it begins \(byte 0\)/],
  ['page.html', Buffer.from('<!DOCTYPE html><html><body>hello</body></html>\n'), /page\.html: /],
  ['comments', Buffer.from('# tracer: nop\n#\n'), /comments: read as ftrace, but it holds no event/],
  ['prose', Buffer.from('# tracer: nop\nhello world\n'), /line 2, byte 14: "hello world"/],
]; // biome-ignore format: a table

test.each(bad)('bad input: %s', (name, content, message) => {
  const at = folder();
  const file = join(at, name);
  writeFileSync(file, content);
  for (const args of [
    ['info', file],
    ['import', file, '-o', join(at, 'x.arrow')],
  ]) {
    const { status, stderr, stdout } = ptlab(args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/ {4}at /);
    expect([status, stdout]).toEqual([1, '']);
  }
  expect(existsSync(join(at, 'x.arrow'))).toBe(false);
  expect(readdirSync(at)).toEqual([name]);
});

test('a file that is not there, a folder, and an output that is the input', () => {
  const at = folder();
  expect(ptlab(['info', join(at, 'no')]).stderr).toMatch(/no: no such file/);
  expect(ptlab(['info', at]).stderr).toMatch(/not a file/);
  const file = join(at, 't');
  writeFileSync(file, gunzipSync(readFileSync(trace)));
  const before = readFileSync(file);
  expect(ptlab(['import', file, '-o', file]).stderr).toMatch(/read and written at once/);
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('a file name cannot move the cursor of who reads the error', () => {
  const path = join(folder(), 'a\u001b[31m\u202eü.txt');
  writeFileSync(path, 'no trace');
  const { stderr } = ptlab(['info', path]);
  expect(stderr).toContain('a\\x1b[31m\\u202eü.txt: no format known to ptlab');
});

test('a cut .gz gives what it holds and says where it ends', () => {
  const file = join(folder(), 'cut.gz');
  const whole = readFileSync(trace);
  writeFileSync(file, whole.subarray(0, whole.length >> 1));
  const { status, stderr, json } = ptlab(['info', file, '--json']);
  expect(status).toBe(0);
  expect(stderr).toMatch(/unpacking \(gzip\) stopped near byte 15504/);
  expect(stderr).toMatch(/the header states 4397 events, the body has/);
  expect(json().events).toBeGreaterThan(1000);
  expect(json().events).toBeLessThan(4397);
});

test('standard input, packed or not', () => {
  const raw = gunzipSync(readFileSync(trace));
  for (const input of [raw, gzipSync(raw)]) {
    expect(ptlab(['info', '-', '--json'], input).json()).toMatchObject({
      source: 'stdin',
      events: 4397,
    });
  }
});

test('a hostile comm name is shown as text', () => {
  const names = ['</script><img o', '\x1b[31mred\x1b[0m', '=cmd|"/c calc"', 'a\rBcc: x'];
  const line = (comm: string) =>
    `${comm.padStart(16)}-7       [000] ..... 1.000000: alloc_vmap_area: va_start: 4194304 size=2101248 align=2097152 vstart=0x0 vend=0x0 failed=0`;
  const file = join(folder(), 't');
  writeFileSync(file, `${names.map(line).join('\n')}\n`);
  const out = `${file}.svg`;
  expect(ptlab(['chart', 'overwrites-by-task', file, '-o', out]).status).toBe(0);
  expect(readFileSync(out, 'utf8')).not.toMatch(/<img|\p{Cc}(?<!\n)/u);
  for (const args of [
    ['info', file],
    ['analyze', 'overwrites', file],
  ]) {
    expect(ptlab(args).stdout).not.toMatch(/[^\x20-\x7e\n]/);
  }
});

test('what the README shows is what is printed', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const printed = ptlab(['analyze', 'overwrites', 'data/D-x2b-1reader/trace.txt.gz']).stdout;
  expect(readme).toContain(`\`\`\`\n${printed}\`\`\`\n`);
});
