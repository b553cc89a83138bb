import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sleepCosts } from '../../src/analyses/sleep-costs.js';
import { openTrace } from '../../src/importers/open.js';
import { readFtrace, sample } from '../traces.js';

test('the samples: waits, lost huge mappings and frees are those of the truth', async () => {
  for (const name of ['B2-x2b-2readers', 'D-x2b-1reader']) {
    const truth = JSON.parse(readFileSync(sample(name, 'truth.json'), 'utf8')).race_windows;
    const a = sleepCosts(await openTrace(sample(name)));
    const vmalloc = a.by_scheme.find((r) => r.role === 'vmalloc')!;
    expect(vmalloc.lost_huge).toBe(truth.read_lock.trylock_failed);
    expect(vmalloc.lock_wait_us!.read).toMatchObject(truth.read_lock.wait_us);
    expect(a.vmalloc.calls_that_free_tables).toBe(truth.frees.total);
    const tasks = a.by_task.filter((r) => r.role === 'vmalloc').reduce((n, r) => n + r.calls, 0);
    expect(tasks).toBe(a.vmalloc.calls);
  }
});

const mm = 'ffff800080a14180';
let clock = 0;
const ev = (pid: number, text: string, flags = '.....'): string => {
  clock += 1e-5;
  return `${'vmix'.padStart(16)}-${String(pid).padEnd(7)} [000] ${flags} ${(1 + clock).toFixed(6).padStart(12)}: ${text}`;
};
const range = (size: number, more = '') =>
  ev(7, `vmalloc_range: (__vmalloc_node_range_noprof+0x0/0x1) size=${size} align=1 vmflags=0x400${more}`); // biome-ignore format: one line
const alloc = (flags?: string) =>
  ev(7, 'alloc_vmap_area: va_start: 4194304 size=4096 align=1 vstart=0x0 vend=0x0 failed=0', flags);
const free = () =>
  ev(7, 'pmd_free_pte_page: (pmd_free_pte_page+0x0/0x48) pmdp=0x1 addr=0x400000 pmd=0x3');
const set = () => ev(7, 'pmd_set_huge: (pmd_set_huge+0x0/0x90) pmdp=0x1 phys=0x0 old=0x0');
const lock = (what: string, ok = '') =>
  ev(7, `mmap_lock_${what}: mm=${mm} memcg_path= write=false${ok}`);
const away = (state: string) =>
  ev(7, `sched_switch: prev_comm=vmix prev_pid=7 prev_prio=120 prev_state=${state} ==> next_comm=swapper/0 next_pid=0 next_prio=120`); // biome-ignore format: one line
const back = () =>
  ev(0, 'sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=vmix next_pid=7 next_prio=120'); // biome-ignore format: one line

const run = async (...lines: string[]) => sleepCosts(await readFtrace(lines.join('\n')));

test('a call that sleeps for the lock; preemption is no sleep', async () => {
  const a = await run(
    range(2 ** 21), alloc(), free(), lock('start_locking'), away('D'), back(),
    lock('acquire_returned', ' success=true'), lock('released'), set(),
    range(2 ** 21), alloc(), away('R+'), back(), free(), set(),
  ); // biome-ignore format: one call a line
  expect(a.by_context).toMatchObject([{ context: 'may sleep', calls: 2, slept: 1 }]);
  expect(a.by_context[0]!.asleep_us).toMatchObject({ n: 1, p50: 10, max: 10 });
  expect(a.by_context[0]!.lock_wait_us!.read).toMatchObject({ n: 1, p50: 30 });
  expect(a.vmalloc).toMatchObject({ calls: 2, calls_that_free_tables: 2, share_of_calls: 1 });
  expect(a.vmalloc.share_in_free_tables).toBeCloseTo(70 / 130, 9); // 60 + 10 of 80 + 50 us
  expect(a.scheme).toBe('read lock before the free (seen)');
});

test('what is slept after the last event of a call may be elsewhere, and is not counted', async () => {
  const a = await run(range(4096), alloc(), away('S'), back(), range(4096), alloc());
  expect(a.by_context).toMatchObject([{ calls: 2, slept: 0 }]);
});

test('the page array of a call is part of it', async () => {
  const a = await run(range(600 * 4096), alloc(), range(4800), alloc(), range(4096), alloc());
  expect(a.vmalloc.calls).toBe(2);
});

test('contexts and violations', async () => {
  const bug = 'console: [    1.2] BUG: sleeping function called from invalid context at kernel/locking/rwsem.c:1523'; // biome-ignore format: one line
  const a = await run(
    range(4096, ' gfp=GFP_ATOMIC'), alloc('...1.'), ev(7, bug, '...1.'),
    range(4096, ' gfp=GFP_KERNEL'), alloc(),
    range(4096, ' gfp=GFP_KERNEL'), alloc('d..1.'),
  ); // biome-ignore format: one call a line
  expect(a.by_context.map((c) => [c.context, c.calls, c.violations])).toEqual([
    ['GFP_ATOMIC, preempt off', 1, 1],
    ['GFP_KERNEL', 1, 0],
    ['GFP_KERNEL, irqs off', 1, 0],
  ]);
});

test('what cannot be told is null', async () => {
  const a = await run(range(4096), alloc());
  expect(a.by_context[0]).toMatchObject({
    slept: null, asleep_us: null, lock_wait_us: null, lost_huge: null, spins: null,
  }); // biome-ignore format: a table
  expect(a.missing.join(' ')).toMatch(/sched_switch.*mmap_lock.*vmalloc_range_ret/);
});
