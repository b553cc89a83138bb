// Schemes as users write them: right ones work at every point, wrong ones are told by point, file and line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Context, Options } from '../../src/commands/command.js';
import { explore } from '../../src/commands/explore.js';
import { schemeOf } from '../../src/commands/scheme-file.js';
import { explore as exploreAll } from '../../src/engines/explore.js';
import type { Verdict } from '../../src/engines/verdict.js';
import { atomic_fetch_add } from '../../src/linux/memory.js';
import { place, region } from '../../src/linux/system.js';
import { scenarios } from '../../src/scenarios/index.js';

const context: Context = { note() {}, progress: () => ({ update() {}, stop() {} }) };
const folder = mkdtempSync(join(tmpdir(), 'ptlab-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The verdict on a scheme file: an import of `names`, and a record of `points` from line 2 on. */
async function run(names: string, points: string, scenario = 'pmd-free', options: Options = {}) {
  const scheme = join(folder, 'mine.ts');
  writeFileSync(scheme, `import { place, region, ${names} } from 'ptlab';\nexport default { name: 'mine',\n${points} };`); // biome-ignore format: one line
  const { json } = await explore.run([scenario], { scheme, memory: 'sc', ...options }, context);
  return json as Verdict;
}

const key = "setUp: (sys) => void DEFINE_STATIC_KEY_FALSE(sys, 'k', 8)";
const count = "setUp: (sys) => void region(sys, 'n')";
const keys = 'DEFINE_STATIC_KEY_FALSE, static_branch_inc, static_branch_dec, static_branch_unlikely, mmap_read_trylock, mmap_read_unlock'; // biome-ignore format: one line
const walk = `*walkBegin(sys) { yield* static_branch_inc(sys, place(sys, 'k')); }, *walkEnd(sys) { yield* static_branch_dec(sys, place(sys, 'k')); }`; // biome-ignore format: one line

const good: [what: string, names: string, points: string, scenario: string, kind: string | null][] = [
  ['v6 without its lock', keys, `${key}, ${walk}, *beforeFree(sys) { yield* static_branch_unlikely(place(sys, 'k')); }`, 'pmd-free', 'use after free'],
  ['a trylock that always refuses a walk', keys, "*enterOverwrite(sys, frame) { frame.got = yield* mmap_read_trylock(place(sys, 'init_mm')); return frame.got === 1; }, *leaveOverwrite(sys, frame) { if (frame.got) yield* mmap_read_unlock(place(sys, 'init_mm')); }", 'pmd-free', null],
  ['a trylock where sleeping is forbidden', keys, "*enterOverwrite(sys, frame) { frame.got = yield* mmap_read_trylock(place(sys, 'init_mm')); return frame.got === 1; }, *leaveOverwrite(sys, frame) { if (frame.got) yield* mmap_read_unlock(place(sys, 'init_mm')); }", 'nowait', null],
  ['percpu around the free only', 'percpuRwsem, percpu_down_read, percpu_up_read, percpu_down_write, percpu_up_write', "setUp: (sys) => void percpuRwsem(sys, 's'), *walkLock(sys) { yield* percpu_down_write(sys, place(sys, 's')); }, *walkUnlock(sys) { yield* percpu_up_write(sys, place(sys, 's')); }, *beforeFree(sys) { yield* percpu_down_read(place(sys, 's')); }, *afterFree(sys) { yield* percpu_up_read(place(sys, 's')); }", 'pmd-free', null],
  ['a count of its own', 'atomic_fetch_add', `${count}, *walkBegin(sys) { yield* atomic_fetch_add(place(sys, 'n'), 1); }, *walkEnd(sys) { yield* atomic_fetch_add(place(sys, 'n'), -1); }, *beforeFree(sys) { yield { op: 'wait', on: place(sys, 'n'), is: 'eq', value: 0 }; }`, 'pmd-free', null],
  ['a sleep under nowait', 'synchronize_rcu', '*beforeFree(sys) { yield* synchronize_rcu(sys); }', 'nowait', 'sleeping in atomic context'],
  ['a free of its own', 'pte_free_kernel', '*free(sys, table, entry) { yield* pte_free_kernel(table, entry); yield* pte_free_kernel(table, entry); }', 'pmd-free', 'double free'],
  ['a helper of its own', 'READ_ONCE', "*beforeFree(sys) { yield* twice(sys); } };\nfunction* twice(sys) { for (let i = 0; i < 2; i++) yield* READ_ONCE(place(sys, 'init_mm'));", 'pmd-free', 'use after free'],
]; // biome-ignore format: a table

test.each(good)('%s', async (_, names, points, scenario, kind) => {
  expect((await run(names, points, scenario, { readers: '2' })).kind).toBe(kind);
});

const bad: [what: string, names: string, points: string, message: RegExp][] = [
  ['a syntax error', 'READ_ONCE', '*beforeFree(sys) { if ( }', /mine\.ts:3: Expression expected/],
  ['a name that is not there', 'READ_ONCE', '\n*beforeFree(sys) { nothing(); }', /mine\.ts:4: beforeFree fails: nothing is not defined/],
  ['a word that is not there', 'READ_ONCE', "*beforeFree(sys) { yield* READ_ONCE(place(sys, 'w')); }", /mine\.ts:3: beforeFree fails: nothing is called 'w'/],
  ['an import that is not there', 'percpu_init_rwsem', '*beforeFree(sys) { yield* percpu_init_rwsem(sys); }', /ptlab has no 'percpu_init_rwsem'; it has .*percpuRwsem/],
  ['a forgotten star', 'READ_ONCE', "*beforeFree(sys) { yield READ_ONCE(place(sys, 'init_mm')); }", /mine\.ts:3: READ_ONCE\(\.\.\.\) does nothing without 'yield\*'/],
  ['a forgotten yield*', 'mmap_read_lock', "*beforeClear(sys) { mmap_read_lock(place(sys, 'init_mm')); }", /mine\.ts:3: mmap_read_lock\(\.\.\.\) does nothing/],
  ['a forgotten yield* in a condition', 'mmap_read_trylock', "*beforeClear(sys) { if (!mmap_read_trylock(place(sys, 'init_mm'))) return; }", /mmap_read_trylock\(\.\.\.\) does nothing/],
  ['a forgotten yield* before a helper', 'READ_ONCE', "*beforeFree(sys) { own(); } };\nfunction* own() {", /mine\.ts:3: own\(\.\.\.\) does nothing/],
  ['no generator', 'READ_ONCE', 'beforeFree(sys) { return 1; }', /beforeFree is no generator: write '\*beforeFree\(sys\)/],
  ['no step', 'READ_ONCE', '*beforeFree(sys) { yield 5; }', /beforeFree yields 5, which is no step/],
  ['an unknown step', 'READ_ONCE', "*beforeFree(sys) { yield { op: 'reed' }; }", /yields \{"op":"reed"\}, which is no step/],
  ['a loop without a step', 'READ_ONCE', '*beforeFree(sys) { for (;;); }', /mine\.ts:3: beforeFree fails: a loop goes round/],
  ['a loop that reads a word for ever', 'READ_ONCE', `${count}, *beforeFree(sys) { while ((yield* READ_ONCE(place(sys, 'n'))) === 0); }`, /CPU0 goes round in a loop at read\(n\) that never ends/],
  ['a loop that always changes a word', 'atomic_fetch_add', `${count}, *beforeFree(sys) { for (;;) yield* atomic_fetch_add(place(sys, 'n'), 1); }`, /goes round in a loop at rmw\(n\)/],
  ['an unlock of what is not held', 'mmap_read_unlock', "*beforeFree(sys) { yield* mmap_read_unlock(place(sys, 'init_mm')); }", /CPU0 releases a lock it does not hold/],
  ['a setUp that fails', 'READ_ONCE', "setUp: (sys) => place(sys, 'w')", /mine\.ts:3: setUp fails: nothing is called 'w'/],
]; // biome-ignore format: a table

test.each(bad)('%s is told', async (_, names, points, message) => {
  await expect(run(names, points)).rejects.toThrow(message);
});

test('a loop that another task ends is no error before its bug, and no verdict without one', async () => {
  const spin = `${count}, *walkBegin(sys) { yield* WRITE_ONCE(place(sys, 'n'), 1); }, *walkEnd(sys) { yield* WRITE_ONCE(place(sys, 'n'), 0); }, *beforeFree(sys) { while ((yield* READ_ONCE(place(sys, 'n'))) === 1); }`; // biome-ignore format: one line
  expect(await run('READ_ONCE, WRITE_ONCE', spin, 'pmd-free', { readers: '2' })).toMatchObject({ kind: 'use after free' }); // biome-ignore format: one line
  await expect(run('READ_ONCE, WRITE_ONCE', spin)).rejects.toThrow(/loop at read\(n\)/);
});

test('a record of points, as a notebook cell writes it', async () => {
  const mine = await schemeOf({
    name: 'mine',
    setUp: (sys) => void region(sys, 'n'),
    *beforeFree(sys) {
      yield* atomic_fetch_add(place(sys, 'n'), 1);
    },
  });
  expect(exploreAll(scenarios['pmd-free'], mine)).toMatchObject({ scheme: 'mine', verdict: 'bug' });
  await expect(schemeOf({ name: 'x', *beforeFre() {} } as object)).rejects.toThrow(/unknown point/);
});
