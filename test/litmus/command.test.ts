import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Context } from '../../src/commands/command.js';
import { litmus } from '../../src/commands/litmus.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-litmus-'));
afterAll(() => rmSync(folder, { recursive: true }));
const context: Context = { note() {}, progress: () => ({ update() {}, stop() {} }) };

test('results and errors stand side by side; an error is no verdict and sets the status', async () => {
  const good = join(folder, 'good.litmus');
  const bad = join(folder, 'bad.litmus');
  writeFileSync(
    good,
    'AArch64 good\n{ 0:X1=x; }\nP0 ;\nMOV W0,#1 ;\nSTR W0,[X1] ;\nforall (x=1)\n',
  );
  writeFileSync(bad, 'AArch64 bad\n{ }\nP0 ;\nHVC #0 ;\nexists (true)\n');
  const answer = await litmus.run!([good, bad], { memory: 'arm64', unroll: '2' }, context);
  const [first, second] = answer.json as Record<string, unknown>[];
  expect(Object.keys(first!)).toEqual(['name', 'quantifier', 'verdict', 'observation', 'states', 'nstates', 'ms']); // biome-ignore format: one line
  expect(first).toMatchObject({ name: 'good', verdict: 'Require', states: ['[x]=1;'], nstates: 1 });
  expect(second).toEqual({ name: bad, error: `${bad}:4:1: instruction 'HVC' is not supported` });
  expect(answer.status).toBe(1);
  for (const line of answer.text.split('\n')) expect(line).toMatch(/^[\x20-\x7e]{0,72}$/);
});

test('an access ptlab has no rules for is an error with its line', async () => {
  const mixed = join(folder, 'mixed.litmus');
  writeFileSync(mixed, 'AArch64 m\n{ uint64_t x; 0:X1=x; }\nP0 ;\nNOP ;\nLDR W0,[X1] ;\nexists (0:X0=0)\n');
  const answer = await litmus.run!([mixed], { memory: 'sc', unroll: '2' }, context);
  expect(answer.json).toEqual([
    { name: mixed, error: `${mixed}:5:1: P0 accesses 4 bytes of 'x', which has 8: mixed-size accesses are not supported` },
  ]);
}); // biome-ignore format: calls on one line

test('an unknown memory model names the known ones', async () => {
  const run = litmus.run!(['x'], { memory: 'alpha', unroll: '2' }, context);
  await expect(run).rejects.toThrow("unknown memory model 'alpha'. Known: sc, tso, arm64");
});
