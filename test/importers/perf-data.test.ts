// perf.data goes through `perf script`, without a shell: any file name is safe, and a missing or failing
// perf is said. A stand-in for perf writes down what it was given; a real one, where it can record here,
// is held against its own count.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { openTrace, openTraces } from '../../src/importers/open.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab perf-'));
const path = process.env['PATH'];
afterEach(() => void (process.env['PATH'] = path));
afterAll(() => rmSync(folder, { recursive: true }));

const data = Buffer.concat([Buffer.from('PERFILE2'), Buffer.alloc(96)]);
const hostile = join(folder, `-i $(touch owned); 'x" y.data`);
writeFileSync(hostile, data);

/** A perf that prints `lines`, notes its words one a line, and ends with `status`. */
function standIn(status: number, ...lines: string[]): void {
  const bin = join(folder, `bin${status}`);
  mkdirSync(bin, { recursive: true });
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > '${join(folder, 'words')}'\ncat <<'END'\n${lines.join('\n')}\nEND\n`;
  writeFileSync(
    join(bin, 'perf'),
    `${script}[ ${status} = 0 ] || echo 'no such event' >&2\nexit ${status}\n`,
  );
  chmodSync(join(bin, 'perf'), 0o755);
  process.env['PATH'] = `${bin}:${path}`;
}

const sample = 'sh 12 [001] 4.000000500: 250000 cpu-clock:  ffff f+0x1 (k)';

test('the file is one word, and an absolute path', async () => {
  standIn(
    0,
    '# os release : 6.12.1',
    '# nrcpus online : 8',
    sample,
    'sh 12 [001] 5.0: PERF_RECORD_LOST lost 3',
  );
  const trace = await openTrace(hostile);
  expect(trace.meta).toMatchObject({
    format: 'perf-data',
    seen: 1,
    lost: 3,
    kernel: '6.12.1',
    cpus: 8,
  });
  expect(readFileSync(join(folder, 'words'), 'utf8').trimEnd().split('\n').slice(-2)).toEqual([
    '-i',
    hostile,
  ]);
  const both = await openTraces([hostile, hostile]);
  expect(both.meta).toMatchObject({ seen: 2, lost: 6, lost_per_cpu: { 1: 6 } });
});

test('a perf that fails, and none at all, are said with what to do', async () => {
  standIn(3, sample);
  await expect(openTrace(hostile)).rejects.toThrow(
    /perf script .* failed: status 3: no such event/,
  );
  process.env['PATH'] = folder;
  await expect(openTrace(hostile)).rejects.toThrow(
    /needs perf, which is not on the PATH: install it, or .* run 'perf script .*FILE > x\.txt'/,
  );
});

const real = join(folder, 'real.data');
const recorded =
  spawnSync('perf', ['record', '-q', '-e', 'cpu-clock', '-o', real, '--', 'true']).status === 0;

test.skipIf(!recorded)(
  'a recorded file has as many events as perf script prints (skipped where perf cannot record)',
  async () => {
    const text = execFileSync('perf', ['script', '-i', real], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const lines = text.split('\n').filter((l) => / cpu-clock: /.test(l));
    expect((await openTrace(real)).meta).toMatchObject({
      seen: lines.length,
      unparsed: { lines: 0 },
    });
  },
);
