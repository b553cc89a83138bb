// Who may sleep where: the table of the steps of vmalloc (kernel 6.12, and GFP_NOWAIT and GFP_ATOMIC from 6.19 on), row by
// row, as runs show it. Not in the model, so in no row here: slab, cond_resched(), KASAN's shadow.
import { expect, test } from 'vitest';
import { profiles } from '../../src/engines/cost.js';
import { logSink } from '../../src/engines/sim-log.js';
import { simulate } from '../../src/engines/simulate.js';
import { memoryWriter } from '../../src/events/file.js';
import { newMeta } from '../../src/events/meta.js';
import { geometry } from '../../src/linux/arm64/geometry.js';
import { type EraName, eras } from '../../src/linux/eras.js';
import { CONTEXTS, GFPS, type Gfp } from '../../src/linux/mm/gfp.js';
import { __vmalloc_node_range } from '../../src/linux/mm/vmalloc.js';
import { VM_ALLOW_HUGE_VMAP } from '../../src/linux/mm/vmalloc-size.js';
import type { VmallocState } from '../../src/linux/mm/vmalloc-state.js';
import { preempt_disable, preempt_enable } from '../../src/linux/sched.js';
import type { Kernel } from '../../src/linux/step.js';
import { timedSystem } from '../../src/scenarios/timed.js';
import { schemes } from '../../src/schemes/index.js';
import { rowsOf } from '../traces.js';
import { runContext } from './timed.js';

const console_ = (rows: readonly Record<string, unknown>[]): string[] =>
  rows.filter((r) => r['event'] === 'console').map((r) => String(r['detail']));

/** Functions that complained, sorted, each once. */
const complaining = (rows: readonly Record<string, unknown>[]): string[] =>
  [...new Set(console_(rows).flatMap((d) => /called by: (\S+)/.exec(d)?.[1] ?? []))].sort();

/** Run one caller on a small machine; its complaints. */
function run(era: EraName, code: (vm: VmallocState) => Kernel<unknown>, memory_MiB = 4096) {
  const machine = { geometry: geometry('4K', 48), cpus: 2, image_pages: 2816, memory_bytes: memory_MiB * 2 ** 20 }; // biome-ignore format: one line
  const { sys, vm } = timedSystem({
    scheme: schemes.v6,
    era: eras[era],
    cpus: 2,
    readers: 0,
    dump: { rest_entries: 1, walks_per_read: 1 },
    machine,
    callers: [{ name: 'caller', cpu: 0, run: code }],
  });
  const writer = memoryWriter(newMeta('contexts', 'run'));
  const sink = logSink(writer.log);
  simulate(sys, { profile: profiles['mesh-server'], seed: '1', sink, cpus: 2 });
  return { by: complaining(rowsOf(writer.finish(newMeta('contexts', 'run')))), vm };
}

const PAGE = 4096;
/** What the call gives, made with preemption off. */
function* atomically(vm: VmallocState, pages: number, gfp: Gfp, flags = 0, range = {}): Kernel<number> {
  yield* preempt_disable();
  const page = yield* __vmalloc_node_range(vm, pages * PAGE, 1, flags, 0, { gfp, ...range });
  yield* preempt_enable();
  return page;
} // biome-ignore format: one line

const cannotBlock = ['GFP_NOWAIT', 'GFP_ATOMIC'] as const;

test.each(cannotBlock)('%s, the plain way: entry, page tables; spinlocks are allowed', (gfp) => {
  const plain = (vm: VmallocState) => atomically(vm, 4, gfp);
  // Rows: alloc_vmap_area entry; page tables. Spinlocks of areas and of the page tables complain in neither.
  expect(run('6.12', plain).by).toEqual(['alloc_vmap_area', 'might_alloc']);
  expect(run('6.19', plain).by).toEqual([]);
});

test.each(cannotBlock)('%s, the page array: with the same flags', (gfp) => {
  const array = (vm: VmallocState) => atomically(vm, 600, gfp);
  const twice = run('6.12', array);
  expect(twice.by).toEqual(['alloc_vmap_area', 'might_alloc']);
  expect(run('6.19', array).by).toEqual([]); // the nested call, too, keeps from sleeping
});

test.each(cannotBlock)('%s, the path for blocks: may sleep, and is not used from 6.19 on', (gfp) => {
  const huge = (vm: VmallocState) => atomically(vm, 512, gfp, VM_ALLOW_HUGE_VMAP);
  expect(run('6.12', huge).by).toContain('vmap_range_noflush');
  const v = run('6.19', huge);
  expect(v.by).toEqual([]);
  expect(v.vm.space.busy.size).toBe(1); // it got its memory, by pages
}); // biome-ignore format: one line

test.each(cannotBlock)('%s, address space full: purges under a mutex, and fails at once from 6.19 on', (gfp) => {
  const given: number[] = [];
  const full = function* (vm: VmallocState): Kernel {
    const range = { vstart: vm.space.vend - 16, vend: vm.space.vend - 8 };
    for (let i = 0; i < 3; i++) given.push(yield* atomically(vm, 3, gfp, 0, range));
  };
  expect(run('6.12', full).by).toContain('mutex_lock');
  expect(given.splice(0)[2]).toBe(-1);
  expect(run('6.19', full).by).toEqual([]);
  expect(given[2]).toBe(-1);
}); // biome-ignore format: one line

test.each(cannotBlock)('%s, no pages: cleaning up sleeps, and is put off from 6.19 on', (gfp) => {
  const given: number[] = [];
  let waiting = 0;
  const short = function* (vm: VmallocState): Kernel {
    yield* __vmalloc_node_range(vm, 12000 * PAGE, 1, 0, 0, {});
    given.push(yield* atomically(vm, 8000, gfp));
    waiting = vm.cleanup.length;
  };
  expect(run('6.12', short, 64).by).toContain('vfree');
  expect([given.pop(), waiting]).toEqual([-1, 0]);
  expect(run('6.19', short, 64).by).toEqual([]);
  expect([given.pop(), waiting]).toEqual([-1, 1]);
});

test("era B's lock: sleeps while a dump runs, and is out of reach from 6.19 on", () => {
  const call = (era: EraName) =>
    complaining(rowsOf(runContext({ scheme: 'v6', era, gfp: 'GFP_ATOMIC', context: 'preempt_disable' }).trace)); // biome-ignore format: one line
  expect(call('6.18')).toContain('mmap_read_lock');
  expect(call('6.19')).toEqual([]);
});

test.each(GFPS)('%s in every surrounding, 6.12 and 6.19', (gfp) => {
  for (const era of ['6.12', '6.19'] as const)
    for (const context of CONTEXTS) {
      const { trace } = runContext({ scheme: 'none', era, gfp, context, loops: 2, readers: 0 });
      const may = context === 'task' || (era === '6.19' && cannotBlock.some((g) => g === gfp));
      expect([era, context, complaining(rowsOf(trace)).length === 0]).toEqual([era, context, may]);
    }
});

test.each([
  ['preempt_disable', 1, 0, 1, 0],
  ['spinlock', 1, 0, 1, 0],
  ['irqs_off', 0, 1, 0, 0],
  ['rcu_read_lock', 0, 0, 0, 1],
] as const)('%s: the fields of the complaint', (context, atomic, irqs, count, rcu) => {
  const o = { scheme: 'none', era: '6.12', gfp: 'GFP_KERNEL', context, loops: 1 } as const;
  const [first] = console_(rowsOf(runContext({ ...o, readers: 0 }).trace));
  expect(first!.split('\n')).toEqual([
    'BUG: sleeping function called from invalid context at mm/vmalloc.c:0',
    expect.stringMatching(new RegExp(`^in_atomic\\(\\): ${atomic}, irqs_disabled\\(\\): ${irqs}, non_block: 0, pid: \\d+, name: caller$`)),
    `preempt_count: ${count}, expected: 0`,
    `RCU nest depth: ${rcu}, expected: 0`,
    'called by: alloc_vmap_area',
  ]);
}); // biome-ignore format: a table

test('who really goes to sleep with preemption off is reported by schedule(), too', () => {
  const what = (scheme: 'v6' | 'v1', readers: number) =>
    console_(
      rowsOf(runContext({ scheme, era: '6.19', gfp: 'GFP_ATOMIC', context: 'preempt_disable', whatIf: true, readers }).trace),
    ).filter((d) => d.startsWith('BUG: scheduling')); // biome-ignore format: one chain
  expect(what('v6', 1)[0]).toMatch(/^BUG: scheduling while atomic: caller\/100\/0x00000002$/);
  expect(what('v1', 0)).toEqual([]); // takes the lock, which might sleep, and does not
});
