import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Answer, Context, Options } from '../../src/commands/command.js';
import { explore } from '../../src/commands/explore.js';
import { replay } from '../../src/commands/replay.js';
import { template } from '../../src/commands/scheme-file.js';
import type { Verdict } from '../../src/engines/verdict.js';
import { readTrace } from '../../src/events/file.js';

const context: Context = { note() {}, progress: () => ({ update() {}, stop() {} }) };
const folder = mkdtempSync(join(tmpdir(), 'ptlab-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ask = (args: string[], options: Options): Promise<Answer> =>
  explore.run!(args, { scheme: 'v6', memory: 'sc', ...options }, context);
const verdict = async (args: string[], options: Options) =>
  (await ask(args, options)).json as Verdict;

test('the documented shape', async () => {
  const v = await verdict(['pmd-free'], { scheme: 'none' });
  expect(Object.keys(v)).toEqual(expect.arrayContaining(['scheme', 'scenario', 'memory', 'verdict', 'kind', 'steps', 'states', 'transitions', 'runs', 'bounds', 'token', 'counterexample'])); // biome-ignore format: one line
  expect(v.counterexample[4]).toMatchObject({ n: 5, cpu: 1, task: 'ptdump 0', op: 'read', on: 'pte table 0', value: 0 }); // biome-ignore format: one line
});

test('text is fit for a mail', async () => {
  for (const options of [
    { scheme: 'v3', readers: '2' },
    { all: true, maxStates: '40' },
    { scheme: 'rcu-free' },
  ]) {
    const { text } = await ask(['pmd-free'], options);
    for (const line of text.split('\n')) expect(line).toMatch(/^[\x20-\x7e]{0,72}$/);
  }
});

test.each([
  [['pmd'], {}, /unknown scenario 'pmd'. Known: pmd-free/],
  [[], {}, /which scenario/],
  [['pmd-free'], { scheme: 'v7' }, /unknown scheme 'v7'. Known: none, v1/],
  [['pmd-free'], { memory: 'x86' }, /unknown memory model 'x86'/],
  [['pmd-free'], { readers: '9' }, /readers is 9; it must be 0 to 4/],
  [['pmd-free'], { readers: 'two' }, /--readers is 'two'/],
  [['pmd-free'], { entries: '4' }, /no size 'entries'. Known: readers/],
  [['pmd-free'], { variant: 'no-sib' }, /unknown variant 'no-sib'. Known: jump-label/],
  [['pmd-free'], { sample: 'luck' }, /Known: random, pct/],
  [['pmd-free'], { scheme: './none-such.ts' }, /cannot read the scheme .\/none-such.ts/],
] as const)('%j %j: %s', async (args, options, message) => {
  await expect(ask([...args], options)).rejects.toThrow(message);
});

test('a counterexample is a trace like any other', async () => {
  const v = await verdict(['pmd-free'], { scheme: 'v3', readers: '2' });
  const [a, b] = [join(folder, 'a.arrow'), join(folder, 'b.arrow')];
  const parts = [v.token!.slice(0, 20), v.token!.slice(20)]; // as a shell joins lines
  const told = await replay.run!(parts, { output: a }, context);
  await replay.run!([v.token!], { output: b }, context);
  expect(readFileSync(a)).toEqual(readFileSync(b));
  const trace = readTrace(a);
  expect(trace.meta).toMatchObject({ format: 'run', clock: 'step', complete: true });
  expect(trace.meta.seen).toBe((told.json as { steps: unknown[] }).steps.length);
  expect(told.json).toMatchObject({ kind: 'use after free', scheme: 'v3' });
});

test('a counterexample that needs reordering is one too', async () => {
  const path = write('flag.mjs', weakFlag);
  const options = { scheme: path, memory: 'arm64' };
  expect((await verdict(['pmd-free'], { scheme: path })).verdict).toBe('safe');
  const v = await verdict(['pmd-free'], options);
  expect(v).toMatchObject({ memory: 'arm64', kind: 'use after free' });
  const [a, b] = [join(folder, 'weak-a.arrow'), join(folder, 'weak-b.arrow')];
  const told = await replay.run!([v.token!], { scheme: path, output: a }, context);
  await replay.run!([v.token!], { scheme: path, output: b }, context);
  expect(readFileSync(a)).toEqual(readFileSync(b));
  expect(told.json).toMatchObject({ kind: v.kind, memory: 'arm64', steps: v.counterexample });
  const slow = await verdict(['pmd-free'], { ...options, promises: true });
  expect(slow).toMatchObject({ verdict: 'bug', kind: v.kind, token: null });
});

/** A flag for a key, cleared by a plain store: it may be seen before the walk has read. */
const weakFlag = `
import { branch, fence, mmap_read_lock, mmap_read_unlock, place, READ_ONCE, region, WRITE_ONCE } from 'ptlab';
const flag = (sys) => place(sys, 'flag');
export default {
  name: 'plain-flag',
  setUp: (sys) => void region(sys, 'flag'),
  *walkBegin(sys) { yield* WRITE_ONCE(flag(sys), 1); yield* fence('dsb ish'); },
  *walkEnd(sys) { yield* WRITE_ONCE(flag(sys), 0); },
  *beforeFree(sys) {
    const on = yield* READ_ONCE(flag(sys));
    yield* branch(flag(sys));
    if (!on) return;
    yield* mmap_read_lock(place(sys, 'init_mm'));
    yield* mmap_read_unlock(place(sys, 'init_mm'));
  },
};
`;

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

test('the template of the help is a scheme, and safe', async () => {
  const text = template.slice(0, template.indexOf('\n\n  Points'));
  const v = await verdict(['pmd-free'], { scheme: write('my-scheme.ts', text), readers: '2' });
  expect(v).toMatchObject({ scheme: 'my-scheme', verdict: 'safe' });
});

test('a scheme of one point, in JavaScript; its token replays with --scheme', async () => {
  const path = write('mine.mjs', "export default { name: 'mine', *beforeClear() {} };");
  const v = await verdict(['pmd-free'], { scheme: path });
  expect(v).toMatchObject({ scheme: 'mine', kind: 'use after free' });
  const told = await replay.run!([v.token!], { scheme: path }, context);
  expect(told.json).toMatchObject({ kind: 'use after free' });
});

test.each([
  [
    'export default { name: "x", beforeFre() {} };',
    /unknown point 'beforeFre'. Known: enterOverwrite/,
  ],
  ['export default { name: "x", beforeFree: 3 };', /beforeFree is not a function/],
  ['export const x = 1;', /has no scheme/],
  ['export default {\n  name: = };', /bad\d.ts:2: /],
  ['import "./none-such.js"; export default { name: "x" };', /none-such/],
  ['export default { beforeFree: function* () {} };', /has no name/],
] as const)('a bad scheme file: %s', async (text, message) => {
  // biome-ignore format: a table
  const path = write(`bad${text.length}.ts`.replace(/\d\d+/, (d) => d[0]!), text);
  await expect(ask(['pmd-free'], { scheme: path })).rejects.toThrow(message);
});
