import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { raceWindows } from '../../src/analyses/race-windows.js';
import { openTrace } from '../../src/importers/open.js';
import { readFtrace, sample } from '../traces.js';

/** Every figure of `truth`, at the same place in `got`. */
function expectFigures(got: unknown, truth: unknown, path = ''): void {
  if (truth === null || typeof truth !== 'object') {
    expect(got, path).toBe(truth);
    return;
  }
  for (const [k, v] of Object.entries(truth)) {
    expectFigures((got as Record<string, unknown>)?.[k], v, `${path}.${k}`);
  }
}

test.each(['B2-x2b-2readers', 'D-x2b-1reader'])(
  '%s: every figure equals that of another program',
  async (name) => {
    const truth = JSON.parse(readFileSync(sample(name, 'truth.json'), 'utf8'));
    const a = raceWindows(await openTrace(sample(name)));
    expectFigures(a, truth.race_windows);
    expect(a.windows.length).toBe(truth.race_windows.frees.total);
  },
);

const shared = process.env['PTLAB_SHARED'];
test.skipIf(!shared)('every run below PTLAB_SHARED/kernel-runs (set it to try them)', async () => {
  const folder = join(shared!, 'kernel-runs');
  for (const name of readdirSync(folder)) {
    const truthFile = join(folder, name, 'truth.json');
    if (!existsSync(truthFile)) continue;
    const truth = JSON.parse(readFileSync(truthFile, 'utf8'));
    if (!truth.race_windows) continue;
    const a = raceWindows(await openTrace(join(folder, name, 'trace.txt.gz')));
    expectFigures(a, truth.race_windows, name);
  }
});

const ptdump = 20;
const vmalloc = 7;
const mm = 'ffff800080a14180';
const key = 'key=0xffff800080a72540';

interface Line {
  readonly pid: number;
  readonly text: string;
}
const ev = (pid: number, text: string): Line => ({ pid, text });
const lock = (pid: number, what: string, write: boolean, ok = '') =>
  ev(pid, `mmap_lock_${what}: mm=${mm} memcg_path= write=${write}${ok}`);
const start = (pid: number, write: boolean) => lock(pid, 'start_locking', write);
const got = (pid: number, write: boolean, ok = true) =>
  lock(pid, 'acquire_returned', write, ` success=${ok}`);
const gone = (pid: number, write: boolean) => lock(pid, 'released', write);
const walk = (pid: number) => ev(pid, 'walk: (ptdump_walk_pgd+0x0/0x208)');
const free = (pid: number, pmd = '1000000053800003') =>
  ev(pid, `pmd_free_pte_page: (pmd_free_pte_page+0x0/0x48) pmdp=0x1 addr=0x4000000 pmd=0x${pmd}`);
const set = (pid: number) =>
  ev(pid, 'pmd_set_huge: (pmd_set_huge+0x0/0x90) pmdp=0x1 phys=0x53800000 old=0x0');
const keyOn = (pid: number) => ev(pid, `key_en: (static_key_enable+0x0/0x28) ${key}`);
const keyOff = (pid: number) => ev(pid, `key_dis: (static_key_disable+0x0/0x28) ${key}`);

/** Events 10 us apart. */
const text = (lines: readonly Line[]): string =>
  lines
    .map((l, i) => {
      const comm = l.pid < 20 ? 'vmix' : 'cat';
      const at = (1 + i * 1e-5).toFixed(6);
      return `${comm.padStart(16)}-${String(l.pid).padEnd(7)} [000] d.... ${at.padStart(12)}: ${l.text}`;
    })
    .join('\n');
const run = async (...lines: Line[]) => raceWindows(await readFtrace(text(lines)));

/** A whole walk of one task, with `during` inside the lock. */
const walking = (pid: number, ...during: Line[]): Line[] => [
  walk(pid), start(pid, true), got(pid, true), ...during, gone(pid, true),
]; // biome-ignore format: a table

test('a free in a walk, with no lock, to the end', async () => {
  const a = await run(...walking(ptdump, free(vmalloc), set(vmalloc)));
  expect(a.frees).toMatchObject({
    total: 1, in_walk: 1, in_walk_unlocked: 1, in_walk_unlocked_to_the_end: 1,
  }); // biome-ignore format: a table
  expect(a.key).toBeNull();
  expect(a.windows[0]).toMatchObject({
    va: '0x4000000', lock: 'none', key_on: null, unlocked: true, to_the_end: true,
    window_ns: 10_000, to_walk_ns: 0, walker: { pid: ptdump, task: 'cat' },
  }); // biome-ignore format: a table
});

test('the walk ends before the block is set: not to the end', async () => {
  const a = await run(...walking(ptdump, free(vmalloc)), set(vmalloc));
  expect(a.frees).toMatchObject({ in_walk_unlocked: 1, in_walk_unlocked_to_the_end: 0 });
});

test('v3: the lock is taken before the free', async () => {
  const a = await run(
    keyOn(ptdump),
    ...walking(ptdump, free(vmalloc), start(vmalloc, false)),
    got(vmalloc, false),
    gone(vmalloc, false),
    set(vmalloc),
    keyOff(ptdump),
  );
  expect(a.frees).toMatchObject({
    in_walk: 1,
    read_lock_taken_before_free: 1,
    in_walk_unlocked: 0,
  });
  expect(a.read_lock.wait_us).toEqual({ n: 1, p50: 20, p90: 20, max: 20 });
  expect(a.key).toEqual({ flips: 2, off_under_walk: 0 });
  expect(a.windows[0]).toMatchObject({ key_on: true, lock: 'taken before free' });
});

test('no reader while lock events are on: figures of the lock are 0, not null', async () => {
  const other = 'mmap_lock_start_locking: mm=ffff000004a3c0c0 memcg_path= write=true';
  const a = await run(walk(ptdump), free(vmalloc), ev(9, other), set(vmalloc));
  expect(a.write_holds).toBe(0);
  expect(a.frees).toEqual({
    total: 1, in_walk: 0, read_lock_held_at_free: 0, read_lock_taken_before_free: 0,
    in_walk_unlocked: 0, in_walk_unlocked_to_the_end: 0,
  }); // biome-ignore format: a table
  expect(a.read_lock).toEqual({ acquired: 0, trylock_failed: 0, wait_us: { n: 0 } });
  expect(a.key).toBeNull();
  expect(a.missing.join()).toMatch(/figures of the lock are 0/);
});

test('lock events, but no walk was probed: whose lock it is cannot be told', async () => {
  const other = 'mmap_lock_start_locking: mm=ffff000004a3c0c0 memcg_path= write=true';
  const a = await run(free(vmalloc), ev(9, other), set(vmalloc));
  expect([a.write_holds, a.frees.in_walk, a.read_lock.acquired]).toEqual([null, null, null]);
  expect(a.missing.join()).toMatch(/No ptdump walk.*cannot be told/);
});

test('a lock asked for before the lock events were on is acquired, its wait unknown', async () => {
  const a = await run(
    ...walking(ptdump),
    free(vmalloc),
    got(vmalloc, false),
    gone(vmalloc, false),
    set(vmalloc),
  );
  expect(a.read_lock).toEqual({ acquired: 1, trylock_failed: 0, wait_us: { n: 0 } });
});

test('the key goes off under another walk', async () => {
  const other = 21;
  const a = await run(
    keyOn(ptdump),
    ...walking(ptdump, keyOn(other), keyOff(other), free(vmalloc), set(vmalloc)),
    keyOff(ptdump),
  );
  expect(a.key).toEqual({ flips: 4, off_under_walk: 1 });
  expect(a.windows[0]).toMatchObject({ key_on: false, unlocked: true });
});

test('trylock: held at the free, or refused', async () => {
  const a = await run(
    start(vmalloc, false),
    got(vmalloc, false),
    free(vmalloc),
    set(vmalloc),
    gone(vmalloc, false),
    ...walking(ptdump, start(vmalloc, false), got(vmalloc, false, false)),
  );
  expect(a.frees).toMatchObject({ total: 1, read_lock_held_at_free: 1, in_walk: 0 });
  expect(a.read_lock).toMatchObject({ acquired: 1, trylock_failed: 1 });
  expect(a.windows[0]!.to_walk_ns).toBe(50_000);
});

test('a walker that dies holds the lock for ever; a block is no table; other mms do not count', async () => {
  const other = ev(9, 'mmap_lock_acquire_returned: mm=ffff000012c30000 memcg_path= write=true success=true'); // biome-ignore format: one line
  const a = await run(
    walk(ptdump),
    other,
    start(ptdump, true),
    got(ptdump, true),
    free(vmalloc, '60000053800701'),
    free(vmalloc),
    set(vmalloc),
  );
  expect(a).toMatchObject({ walks: 1, write_holds: 1 });
  expect(a.write_lock.hold_us).toEqual({ n: 0 });
  expect(a.frees).toMatchObject({ total: 1, in_walk: 1, in_walk_unlocked_to_the_end: 1 });
});

test('what a trace cannot tell is null, with how to record it', async () => {
  const a = await run(ev(vmalloc, 'alloc_vmap_area: va_start: 1 size=1 align=1 vstart=0x0 vend=0x0 failed=0')); // biome-ignore format: one line
  expect(a.walks).toBeNull();
  expect(Object.values(a.frees)).toEqual([null, null, null, null, null, null]);
  expect(a.read_lock).toEqual({ acquired: null, trylock_failed: null, wait_us: null });
  expect(a.missing.join('\n')).toMatch(/kprobe_events[\s\S]*events\/mmap_lock\/enable/);
});

test('probes of other names and a hashed mm give the same figures', async () => {
  const plain = walking(ptdump, free(vmalloc), set(vmalloc));
  const renamed = text(plain)
    .replace('walk:', 'dump_in:')
    .replace('pmd_free_pte_page:', 'pf:')
    .replace('pmd_set_huge:', 'ps:')
    .replaceAll(mm, '00000000deadbeef');
  const [a, b] = [await run(...plain), raceWindows(await readFtrace(renamed))];
  expect({ ...b, missing: [] }).toEqual({ ...a, missing: [] });
});

/** The definitions read off slowly: for each free, look back and forward over the whole list. */
function slow(lines: readonly Line[]) {
  const is = (l: Line, what: string, write?: boolean): boolean =>
    l.text.startsWith(what) && (write === undefined || l.text.includes(`write=${write}`));
  const holds = lines.flatMap((l, from) => {
    if (!is(l, 'mmap_lock_acquire', true)) return [];
    const to = lines.findIndex((m, j) => j > from && m.pid === l.pid && is(m, 'mmap_lock_rel'));
    return [{ from, to: to < 0 ? lines.length : to, pid: l.pid }];
  });
  const frees = lines.flatMap((l, i) => (is(l, 'pmd_free') ? [{ l, i }] : []));
  const counted = frees.map(({ l, i }) => {
    const set = lines.findIndex((m, j) => j > i && m.pid === l.pid && is(m, 'pmd_set'));
    const inside = holds.filter((h) => h.pid !== l.pid && h.from < i && i < h.to);
    const took = lines.some(
      (m, j) => j > i && (set < 0 || j < set) && m.pid === l.pid && is(m, 'mmap_lock_start', false),
    );
    const toEnd = set >= 0 && inside.some((h) => h.to > set);
    return { walk: inside.length > 0, took, toEnd };
  });
  const n = (p: (c: (typeof counted)[number]) => boolean) => counted.filter(p).length;
  return {
    total: counted.length,
    in_walk: n((c) => c.walk),
    read_lock_taken_before_free: n((c) => c.took),
    in_walk_unlocked: n((c) => c.walk && !c.took),
    in_walk_unlocked_to_the_end: n((c) => c.walk && !c.took && c.toEnd),
  };
}

/** Merge the tasks' programs in an order given by `picks`; the write lock excludes. */
function merge(programs: readonly Line[][], picks: readonly number[]): Line[] {
  const left = programs.map((p) => [...p]);
  const out: Line[] = [];
  let holder: number | null = null;
  for (const pick of [...picks, ...Array.from({ length: 400 }, (_, i) => i)]) {
    const p = left[pick % left.length]!;
    const next = p[0];
    if (!next) continue;
    const takes = next.text.startsWith('mmap_lock_acquire');
    if (takes && holder !== null) continue;
    if (takes && next.text.includes('write=true')) holder = next.pid;
    if (next.text.startsWith('mmap_lock_released') && holder === next.pid) holder = null;
    out.push(p.shift()!);
  }
  return out;
}

const overwrite = (pid: number, locked: boolean): Line[] =>
  locked
    ? [free(pid), start(pid, false), got(pid, false), gone(pid, false), set(pid)]
    : [free(pid), set(pid)];

test('random interleavings: the one pass equals the slow definitions', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 6 }),
      fc.array(fc.boolean(), { maxLength: 6 }),
      fc.array(fc.nat(3), { maxLength: 80 }),
      async (first, second, picks) => {
        const readers = [20, 21].map((p) => [...walking(p), ...walking(p)]);
        const writers = [first, second].map((l, i) => l.flatMap((x) => overwrite(7 + i, x)));
        const lines = merge([...readers, ...writers], picks);
        expect((await run(...lines)).frees).toMatchObject(slow(lines));
      },
    ),
    { numRuns: 60 },
  );
});
