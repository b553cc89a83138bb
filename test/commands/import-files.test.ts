// What `ptlab import` leaves on the disk when it is refused, or does not come to an end.
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sample } from '../traces.js';
import { cli, folder, ptlab } from './cli.js';

test('a file to be read is not written over under another name of it', () => {
  const dir = folder();
  const [plain, soft, hard] = ['a.txt.gz', 'soft.gz', 'hard.gz'].map((n) => join(dir, n)) as [string, string, string];
  copyFileSync(sample('A-boot-smp1'), plain);
  symlinkSync(plain, soft);
  linkSync(plain, hard);
  const before = readFileSync(plain);
  for (const [from, to] of [[soft, plain], [plain, soft], [plain, hard], [plain, join(dir, '.', 'a.txt.gz')]] as const) {
    const { status, stderr } = ptlab(['import', from, '-o', to]);
    expect([status, stderr]).toEqual([1, `ptlab: ${to} is to be read and written at once; name another file with -o\n`]);
  }
  expect(readFileSync(plain).equals(before)).toBe(true);
}); // biome-ignore format: tables

test.each(['arrow', 'csv', 'parquet'])('a folder that is missing is told in one line: %s', (to) => {
  const path = join(folder(), 'none', `x.${to}`);
  const { status, stderr } = ptlab(['import', sample('A-boot-smp1'), '--to', to, '-o', path]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^ptlab: .*no such file or directory.*\n$/);
});

const line = '            bash-12      [001] .....    12.000001: cpu_idle: state=1 cpu_id=1\n';

test.each(['SIGINT', 'SIGTERM'] as const)('%s leaves no half a file behind', async (signal) => {
  const dir = folder();
  const child = spawn(process.execPath, [cli, 'import', '-', '-o', join(dir, 'x.arrow')]);
  const ended = new Promise((done) => child.on('close', (_, by) => done(by)));
  const text = line.repeat(1 << 17); // eight MiB: it listens for signals by then; there is no end to it
  child.stdin.on('error', () => {});
  await new Promise((done) => child.stdin.write(text, done));
  expect(existsSync(join(dir, 'x.arrow.part'))).toBe(true);
  child.kill(signal);
  expect(await ended).toBe(signal);
  expect(await readdir(dir)).toEqual([]);
});

test('a file in the way stays as it was when the import fails', () => {
  const path = join(folder(), 'x.arrow');
  writeFileSync(path, 'kept');
  const { status } = ptlab(['import', sample('A-boot-smp1'), '--format', 'parquet', '-o', path]);
  expect([status, readFileSync(path, 'utf8')]).toEqual([1, 'kept']);
});

test('a file that lies where the result would by itself is not written over', () => {
  const dir = folder();
  const path = join(dir, 'A-boot-smp1.arrow');
  copyFileSync(sample('A-boot-smp1'), join(dir, 'A-boot-smp1.gz'));
  writeFileSync(path, 'kept');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [cli, 'import', 'A-boot-smp1.gz', ...args], {
      cwd: dir,
      encoding: 'utf8',
    });
  expect(run()).toMatchObject({
    status: 1,
    stderr:
      'ptlab: A-boot-smp1.arrow exists: to write it again, name it with -o A-boot-smp1.arrow\n',
  });
  expect(readFileSync(path, 'utf8')).toBe('kept');
  expect(run('-o', 'A-boot-smp1.arrow').status).toBe(0);
});
