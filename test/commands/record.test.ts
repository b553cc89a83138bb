// The scripts of `ptlab record` are run here, by sh, on a folder that looks like tracefs.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../src/commands/recipes.js';
import { record } from '../../src/commands/record.js';
import { posixQuote } from '../../src/commands/record-script.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-record-'));
afterAll(() => rmSync(folder, { recursive: true }));

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;
const shells = ['sh', 'dash', 'bash'].filter(has);
const context = { note() {}, progress: () => ({ update() {}, stop() {} }) };
const preset = { seconds: '1', bufferKb: '4096', kernel: '6.12', by: 'tracefs' };

interface Printed {
  readonly script: string;
  readonly events: string[];
  readonly probes: string[];
}
async function print(recipe: string, options: Record<string, string>): Promise<Printed> {
  const answer = await record.run!([recipe], { ...preset, ...options }, context);
  return (answer as { json: Printed }).json;
}

const lines = (path: string): string[] => readFileSync(path, 'utf8').trim().split('\n');
const nameOf = (probe: string): string => /ptlab\/\w+/.exec(probe)![0];

/** A tracefs that has these events, and tools that do what its folders and trace-cmd would. */
function fakeTracefs(
  name: string,
  events: readonly string[],
): { t: string; bin: string; log: string } {
  const root = join(folder, name);
  const [t, bin, log, instance] = ['tracing', 'bin', 'log', 'template'].map((d) =>
    join(root, d),
  ) as [string, string, string, string];
  for (const d of [t, join(t, 'instances'), bin, log, instance]) mkdirSync(d, { recursive: true });
  for (const [file, text] of [
    ['trace', ''],
    ['kprobe_events', ''],
    ['buffer_size_kb', '7 (expanded: 1408)'],
    ['trace_marker', ''],
  ])
    writeFileSync(join(t, file!), text!);
  writeFileSync(join(instance, 'trace'), '# tracer: nop\nevents\n');
  for (const e of events) {
    mkdirSync(join(instance, 'events', e), { recursive: true });
    mkdirSync(join(t, 'events', e), { recursive: true });
  }
  writeFileSync(
    join(root, 'kallsyms'),
    'ffff800080a00000 D init_mm\nffff800080a00001 d init_mm\nffff8000824c12a0 D arm64_ptdump_lock_key\n',
  );
  const tool = (file: string, text: string): void => {
    writeFileSync(join(bin, file), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, file), 0o755);
  };
  const real = (command: string) =>
    execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
  tool('mkdir', `${real('cp')} -r '${instance}' "$1"`);
  tool('rmdir', `${real('cp')} -r "$1" '${log}/instance' && ${real('rm')} -r "$1"`);
  tool('awk', `exec ${real('awk')} "$1" '${root}/kallsyms'`);
  tool('trace-cmd', `echo "$*" >> '${log}/trace-cmd'`);
  tool('mount', 'exit 1');
  return { t, bin, log };
}

function runIn(shell: string, script: string, { t, bin }: { t: string; bin: string }) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}`, TRACEFS: t };
  return spawnSync(shell, ['-c', script], { cwd: join(t, '..'), env, encoding: 'utf8' });
}

test.each(shells)('%s: what is asked for is set, recorded and taken back', async (shell) => {
  const { script, events, probes } = await print('race-windows', { kernel: '6.18', command: "echo 'x' > ran; echo é >> ran" });
  const names = [...events, ...probes.map(nameOf)];
  const fake = fakeTracefs(`full-${shell}`, names.slice(1));
  const { status, stderr } = runIn(shell, script, fake);
  expect([status, stderr]).toEqual([0, `no event: ${names[0]}\n`]);
  expect(lines(join(fake.t, '..', 'ran'))).toEqual(['x', 'é']);
  expect(gunzipSync(readFileSync(join(fake.t, '..', 'trace.txt.gz'))).toString()).toBe('# tracer: nop\nevents\n');
  expect(existsSync(join(fake.t, 'instances/ptlab'))).toBe(false);
  const instance = join(fake.log, 'instance');
  const read = (file: string): string => readFileSync(join(instance, file), 'utf8').trim();
  expect([read('buffer_size_kb'), read('trace_options'), read('tracing_on'), read('trace_marker')]).toEqual(['4096', 'nohash-ptr', '0', 'MARK wl_end']);
  expect(read('events/enable')).toBe('0');
  for (const e of names.slice(1)) expect(read(`events/${e}/enable`), e).toBe('1');
  expect(read('events/mmap_lock/mmap_lock_released/filter')).toBe('mm==0xffff800080a00000');
  expect(read('events/ptlab/key_en/filter')).toBe('key==0xffff8000824c12a0');
  expect(existsSync(join(instance, 'events/ptlab/walk/filter'))).toBe(false);
  const removed = probes.map((p) => `-:${nameOf(p)}`);
  expect(lines(join(fake.t, 'kprobe_events'))).toEqual([...probes, ...removed]);
}); // biome-ignore format: long lines

test.each(shells)('%s: a signal takes everything back too, in both ways', async (shell) => {
  for (const by of ['tracefs', 'trace-cmd']) {
    const { script, events, probes } = await print('overwrites', { by, command: 'kill -TERM $PPID' });
    const fake = fakeTracefs(`killed-${by}-${shell}`, [...events, ...probes.map(nameOf)]);
    expect(runIn(shell, script, fake).status, by).toBe(1);
    expect(existsSync(join(fake.t, 'instances/ptlab'))).toBe(false);
    expect(existsSync(join(fake.t, '..', 'trace.txt.gz'))).toBe(false);
    expect(lines(join(fake.t, 'kprobe_events')).slice(probes.length)).toEqual(probes.map((p) => `-:${nameOf(p)}`));
    if (by === 'trace-cmd') expect(lines(join(fake.log, 'trace-cmd')).at(-1)).toBe('reset -b 7');
  }
}); // biome-ignore format: long lines

test('trace-cmd is asked for the same events and filters, and the buffer gets its size back', async () => {
  const { script, events, probes } = await print('race-windows', { by: 'trace-cmd', kernel: '6.18' });
  const names = [...events, ...probes.map(nameOf)];
  const fake = fakeTracefs('trace-cmd', names);
  expect(runIn('sh', script, fake).stderr).toBe('');
  const [start, ...rest] = lines(join(fake.log, 'trace-cmd'));
  const found = [...start!.matchAll(/-e (\S+)(?: -f (\S+))?/g)].map((m) => [m[1]!.replace(':', '/'), m[2]]);
  const filterOf = (n: string) =>
    n.startsWith('mmap_lock/') ? 'mm==0xffff800080a00000' : n.startsWith('ptlab/key_') ? 'key==0xffff8000824c12a0' : undefined;
  expect(found).toEqual(names.map((n) => [n, filterOf(n)]));
  expect(rest).toEqual(['stop', 'extract -o trace.dat', 'reset -b 7']);
}); // biome-ignore format: long lines

test('a second run, a file that is there and a tracefs that cannot be written end before anything is set', async () => {
  const { script } = await print('overwrites', {});
  const fake = fakeTracefs('twice', []);
  writeFileSync(join(fake.bin, 'mkdir'), '#!/bin/sh\nexit 1\n');
  expect(runIn('sh', script, fake).status).toBe(1);
  writeFileSync(join(fake.t, '..', 'trace.txt.gz'), 'mine');
  expect(runIn('sh', script, fake).stderr).toBe('trace.txt.gz is there already\n');
  rmSync(join(fake.t, '..', 'trace.txt.gz'));
  rmSync(join(fake.t, 'trace'));
  cpSync('/dev/null', join(fake.t, 'not-tracefs'));
  expect(runIn('sh', script, fake).status).toBe(1);
  expect(readFileSync(join(fake.t, 'kprobe_events'), 'utf8')).toBe('');
  expect(existsSync(fake.log) && existsSync(join(fake.log, 'instance'))).toBe(false);
});

test('every script is POSIX shell, for every recipe, kernel and way', async () => {
  for (const recipe of Object.keys(needs))
    for (const kernel of ['5.4', '5.15', '6.1', '6.9', '6.12', '6.18', '7.1', '7.3'])
      for (const by of ['tracefs', 'trace-cmd']) {
        const { script, events, probes } = await print(recipe, { kernel, by });
        for (const shell of shells) execFileSync(shell, ['-n', '-c', script]);
        expect(script).toContain('CONFIG_KPROBE_EVENTS');
        expect(script).toMatch(/^[\n -~]*$/);
        const names = [...events, ...probes.map(nameOf)];
        expect(new Set(names).size, `${recipe} ${kernel}`).toBe(names.length);
      }
});

test('any command reaches its shell as it was written', () => {
  const word = fc.string({
    unit: fc.constantFrom(...'ab \'"$\\`!%\n\té漢*;&|#~-(){}<>\u001b'),
    maxLength: 12,
  });
  const words = fc.sample(
    word.filter((w) => !w.endsWith('\n')),
    { numRuns: 150, seed: 7 },
  );
  const script = words.map((w) => `printf '%s\\0' ${posixQuote(w)}`).join('\n');
  expect(script).toMatch(/^[\n -~]*$/);
  for (const shell of shells) {
    const got = execFileSync(shell, ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
    expect(got, shell).toEqual(words);
  }
  expect(() => posixQuote('a\0')).toThrow('cannot be kept in a script');
});
